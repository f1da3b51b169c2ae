//! `GET /api/v1/openapi.json`: the contract as a document for programs (OpenAPI 3.1).
//!
//! Shapes come from the types that travel. What a way in is for, what it takes and what it answers stands in the table
//! here; whom it lets through comes from the router's own list. A test holds the two lists together. Rejected: attributes
//! on the handlers, which would say the same errors again and again in a dozen files.

use std::sync::OnceLock;

use axum::{
    http::{HeaderValue, Method, header},
    response::IntoResponse,
};
use domain::{
    command::{Code, Command},
    ids::MediaId,
    wire::{Answer, Line, Problem, SessionAnswer, SessionRequest, THROUGH_HEADER, Up, Uploaded, VERSION_HEADER},
};
use serde_json::{Map, Value};
use utoipa::{
    OpenApi, PartialSchema, ToSchema,
    openapi::{
        ContentBuilder, HeaderBuilder, Object, OpenApi as Document, Ref, RefOr, Required, Response, ResponseBuilder,
        Schema, Type,
        path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::{ArrayBuilder, ObjectBuilder},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    config::DEFAULT_WEBHOOK,
    failure::Failure,
    http::{ROUTES, Who},
};

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";
const TEXT: &str = "text/plain";
const FILE: &str = "application/octet-stream";

/// What travels, with whatever it refers to.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "The Shubbak gateway",
        description = "Between WhatsApp and the desks. What the words mean, and what holds beyond the shapes, stands in \
                       docs/protocol.md.",
        license(name = "LicenseRef-Shubbak", identifier = "LicenseRef-Shubbak")
    ),
    components(schemas(SessionRequest, SessionAnswer, Line, Up, Command, Answer, Uploaded, Code, Problem))
)]
struct Shapes;

/// A way in, as it is described.
pub struct Described {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: &'static str,
    operation: fn() -> OperationBuilder,
}

/// Every way in. The webhook's path is the one that `[whatsapp]` is short for; others are configured.
pub const DESCRIBED: &[Described] = &[
    Described { method: Method::GET, path: DEFAULT_WEBHOOK, operation: handshake },
    Described { method: Method::POST, path: DEFAULT_WEBHOOK, operation: delivery },
    Described { method: Method::POST, path: "/api/v1/session", operation: sign_in },
    Described { method: Method::DELETE, path: "/api/v1/session", operation: sign_out },
    Described { method: Method::GET, path: "/api/v1/sync", operation: sync },
    Described { method: Method::GET, path: "/api/v1/live", operation: live },
    Described { method: Method::GET, path: "/api/v1/cases/{id}/entries", operation: case_entries },
    Described { method: Method::POST, path: "/api/v1/commands", operation: commands },
    Described { method: Method::POST, path: "/api/v1/media", operation: upload },
    Described { method: Method::GET, path: "/api/v1/media/{sha256}", operation: download },
    Described { method: Method::GET, path: "/api/v1/openapi.json", operation: this },
    Described { method: Method::GET, path: "/healthz", operation: healthy },
    Described { method: Method::GET, path: "/readyz", operation: ready },
    Described { method: Method::GET, path: "/metrics", operation: metrics },
];

/// `GET /api/v1/openapi.json`.
pub async fn openapi() -> impl IntoResponse {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document().to_string());
    ([(header::CONTENT_TYPE, HeaderValue::from_static(JSON))], text.as_str())
}

/// The document.
pub fn document() -> Value {
    let mut document = serde_json::to_value(described()).unwrap_or_default();
    let plain = document.pointer("/components/schemas").and_then(Value::as_object).cloned().unwrap_or_default();
    // Names that are no words of ours, of types that are plain: what stands behind them is said where they stand.
    let plain: Map<String, Value> =
        plain.into_iter().filter(|(name, _)| ["String", "i64"].contains(&name.as_str())).collect();
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        schemas.retain(|name, _| !plain.contains_key(name));
    }
    spell_out(&mut document, &plain);
    document
}

fn spell_out(value: &mut Value, plain: &Map<String, Value>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|to| to.rsplit('/').next());
            if let Some(Value::Object(shape)) = name.and_then(|name| plain.get(name)) {
                fields.remove("$ref");
                fields.extend(shape.clone());
            }
            fields.values_mut().for_each(|value| spell_out(value, plain));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| spell_out(value, plain)),
        _ => {}
    }
}

fn described() -> Document {
    let mut document = Shapes::openapi();
    for Described { method, path, operation } in DESCRIBED {
        let operation = secured(operation(), method, path).build();
        document.paths.add_path_operation(*path, vec![named(method)], operation);
    }
    let components = document.components.get_or_insert_default();
    let bearer = |words: &str| {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(words));
        SecurityScheme::Http(scheme.build())
    };
    components.add_security_scheme("device", bearer("The token of a device that is signed in."));
    components.add_security_scheme("operator", bearer("The token of [server] metrics_token_file, where one is given."));
    let signed = ApiKeyValue::with_description(
        whatsapp::signature::HEADER,
        "sha256= and the HMAC-SHA256 of the raw bytes, in hex; another endpoint may have an agreed header instead.",
    );
    components.add_security_scheme("signature", SecurityScheme::ApiKey(ApiKey::Header(signed)));
    document
}

fn named(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::DELETE => HttpMethod::Delete,
        Method::PUT => HttpMethod::Put,
        _ => HttpMethod::Get,
    }
}

/// Whom it lets through, by the router's list, and what everybody is told who is not let through.
fn secured(operation: OperationBuilder, method: &Method, path: &str) -> OperationBuilder {
    let who = ROUTES.iter().find(|route| route.method == *method && route.path == path).map(|route| route.who);
    let needs = |scheme: &str| SecurityRequirement::new::<&str, [&str; 0], &str>(scheme, []);
    match who {
        Some(Who::SignedIn) => operation.security(needs("device")),
        Some(Who::Operator) => operation.security(needs("operator")).security(SecurityRequirement::default()),
        None if *method == Method::POST => operation.security(needs("signature")),
        Some(Who::Anybody) | None => operation.security(SecurityRequirement::default()),
    }
}

fn operation(id: &str, summary: &str, description: &str) -> OperationBuilder {
    let description = (!description.is_empty()).then_some(description);
    OperationBuilder::new().operation_id(Some(id)).summary(Some(summary)).description(description)
}

fn shape<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}

fn list<T: ToSchema>() -> RefOr<Schema> {
    ArrayBuilder::new().items(shape::<T>()).into()
}

fn words() -> RefOr<Schema> {
    Object::with_type(Type::String).into()
}

fn answer(description: &str, kind: &str, schema: RefOr<Schema>) -> Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(kind, content).build()
}

fn silent(description: &str) -> Response {
    ResponseBuilder::new().description(description).build()
}

fn parameter(name: &str, place: ParameterIn, required: bool, words: &str, schema: RefOr<Schema>) -> Parameter {
    let required = if required { Required::True } else { Required::False };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(words))
        .schema(Some(schema))
        .build()
}

/// A body of this type and this description.
trait Takes {
    fn takes(self, description: &str, kind: &str, schema: RefOr<Schema>) -> Self;
    fn fails(self, codes: &[&str]) -> Self;
}

impl Takes for OperationBuilder {
    fn takes(self, description: &str, kind: &str, schema: RefOr<Schema>) -> Self {
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let body = RequestBodyBuilder::new().description(Some(description)).content(kind, content);
        self.request_body(Some(body.required(Some(Required::True)).build()))
    }

    /// What it may come to nothing with. A code that does not exist gets a status that no document may have, so that the
    /// test of the document finds it.
    fn fails(self, codes: &[&str]) -> Self {
        let status = |code: &str| {
            let found = Failure::STATUSES.iter().find(|(other, _)| *other == code);
            found.map_or("unknown".to_owned(), |(_, status)| status.as_str().to_owned())
        };
        let mut by_status = std::collections::BTreeMap::<String, Vec<&str>>::new();
        for code in codes {
            by_status.entry(status(code)).or_default().push(code);
        }
        by_status.into_iter().fold(self, |operation, (status, codes)| {
            let description = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(" or ");
            operation.response(status, answer(&description, JSON, shape::<Problem>()))
        })
    }
}

fn version() -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).into();
    parameter(VERSION_HEADER, ParameterIn::Header, false, "The contract that the desk speaks.", schema)
}

fn after() -> Parameter {
    let words_of_it = "The token of a cursor, opaque; absent or 0: from the beginning.";
    parameter("after", ParameterIn::Query, false, words_of_it, words())
}

/// An answer that says how far it goes.
fn through(answer: Response) -> Response {
    let schema: RefOr<Schema> = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).into();
    let header =
        HeaderBuilder::new().description(Some("The seq up to which the lines go.")).schema(Some(schema)).build();
    ResponseBuilder::from(answer).header(THROUGH_HEADER, header).build()
}

fn handshake() -> OperationBuilder {
    let query = |name: &str, text: &str| parameter(name, ParameterIn::Query, true, text, words());
    operation("webhook_handshake", "Meta's handshake", "")
        .parameter(query("hub.mode", "Always `subscribe`."))
        .parameter(query("hub.verify_token", "The agreed token."))
        .parameter(query("hub.challenge", "Given back."))
        .response("200", answer("The challenge.", TEXT, words()))
        .fails(&["bad_verify_token"])
}

fn delivery() -> OperationBuilder {
    let body = ObjectBuilder::new().schema_type(Type::Object).into();
    operation(
        "webhook_delivery",
        "A delivery of the Cloud API",
        "Whatever is JSON and genuine is kept and answered 200, whether it is understood or not.",
    )
    .takes("As WhatsApp sends it; at most 4 MiB, not encoded.", JSON, body)
    .response("200", silent("The raw bytes are on disk."))
    .fails(&["bad_request", "bad_signature", "too_slow", "too_large", "unsupported", "not_ready", "not_stored"])
}

fn sign_in() -> OperationBuilder {
    operation(
        "sign_in",
        "Signs a device in",
        "With a one-time code it also sets the password, and signs every other device of this person out.",
    )
    .parameter(version())
    .takes("Who, where, with what.", JSON, shape::<SessionRequest>())
    .response("201", answer("Signed in.", JSON, shape::<SessionAnswer>()))
    .fails(&[
        "bad_request",
        "wrong_credentials",
        "code_expired",
        "too_slow",
        "too_large",
        "unsupported",
        "weak_password",
        "upgrade_required",
        "too_many",
        "not_ready",
        "not_stored",
    ])
}

fn sign_out() -> OperationBuilder {
    operation("sign_out", "Signs this device out", "Its socket is closed.")
        .parameter(version())
        .response("204", silent("Signed out."))
        .fails(&["bad_request", "signed_out", "revoked", "upgrade_required", "not_ready", "not_stored"])
}

fn sync() -> OperationBuilder {
    operation(
        "sync",
        "What this person may see, from where the desk stands",
        "One `Line` after another, each ended by a line feed. The last one is a cursor; a stream without one broke off.",
    )
    .parameter(version())
    .parameter(after())
    .response("200", through(answer("Lines.", NDJSON, shape::<Line>())))
    .fails(&["bad_request", "signed_out", "revoked", "cursor_gone", "upgrade_required", "not_ready"])
}

fn live() -> OperationBuilder {
    operation(
        "live",
        "A WebSocket on which a desk is told what is committed",
        "An upgrade to WebSocket (RFC 6455). Down come text frames, each one `Line`: first what came since the cursor, ended \
         by a cursor; then each entry as it is committed, colleagues' presence, and a cursor every 25 seconds. \
         `{\"catch_up\": true}`: fetch `sync` and connect again. Up go text frames, each one `Up`; what is not known is \
         passed over. The gateway closes with 1008 when the device is signed out, with 1012 when it stops.",
    )
    .parameter(version())
    .parameter(after())
    .response("101", silent("Frames follow."))
    .fails(&["bad_request", "signed_out", "revoked", "cursor_gone", "upgrade_required", "not_ready"])
}

fn case_entries() -> OperationBuilder {
    let number = |words_of_it: &str, name: &str| {
        let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).into();
        parameter(name, ParameterIn::Query, false, words_of_it, schema)
    };
    operation("case_entries", "Older history of a case", "The last entries before a place, oldest first, as `Line`s.")
        .parameter(version())
        .parameter(parameter("id", ParameterIn::Path, true, "The case.", domain::ids::CaseId::schema()))
        .parameter(number("Before which seq; absent: up to the end.", "before"))
        .parameter(number("How many: 200 unless told, at most 1,000.", "limit"))
        .response("200", answer("Lines.", NDJSON, shape::<Line>()))
        .fails(&["bad_request", "signed_out", "revoked", "not_found", "upgrade_required", "not_ready"])
}

fn commands() -> OperationBuilder {
    let most = ArrayBuilder::new().items(shape::<Command>()).max_items(Some(100)).into();
    operation(
        "commands",
        "Decides what people ask for, in order",
        "The same id with the same body gets the same answer, for ever. A command that cannot be read is refused in the \
         answer, and the others are decided.",
    )
    .parameter(version())
    .takes("At most 100, and 1 MiB.", JSON, most)
    .response("200", answer("An answer for each, in their order.", JSON, list::<Answer>()))
    .fails(&[
        "bad_request",
        "signed_out",
        "revoked",
        "too_slow",
        "too_large",
        "unsupported",
        "upgrade_required",
        "too_many",
        "not_ready",
        "not_stored",
    ])
}

fn upload() -> OperationBuilder {
    operation(
        "upload",
        "Takes a file",
        "For whoever may reply and keep notes. What was sent before is sent again without harm. Its type is what its \
         content shows, and `Content-Type` must not claim another.",
    )
    .parameter(version())
    .takes("The file as it is; at most 100 MiB.", FILE, words())
    .response("201", answer("It is kept.", JSON, shape::<Uploaded>()))
    .fails(&[
        "bad_request",
        "signed_out",
        "revoked",
        "forbidden",
        "not_found",
        "too_slow",
        "too_large",
        "unsupported",
        "upgrade_required",
        "too_many",
        "not_ready",
        "not_stored",
    ])
}

fn download() -> OperationBuilder {
    let header = |name: &str, words_of_it: &str| parameter(name, ParameterIn::Header, false, words_of_it, words());
    operation(
        "download",
        "Hands a file out",
        "To whoever sees a case to which it belongs, and for 30 days to whoever has uploaded it. `HEAD` is known too.",
    )
    .parameter(version())
    .parameter(parameter("sha256", ParameterIn::Path, true, "The file.", MediaId::schema()))
    .parameter(header("Range", "One range of bytes; several are answered with the whole."))
    .parameter(header("If-Range", "The tag for which the range is meant."))
    .parameter(header("If-None-Match", "The tags of what is there already."))
    .response("200", answer("The whole, of the type that its content shows.", FILE, words()))
    .response("206", answer("The part.", FILE, words()))
    .response("304", silent("It is there already."))
    .fails(&["bad_request", "signed_out", "revoked", "not_found", "upgrade_required", "not_ready"])
    .response("416", silent("The range lies beyond the end."))
}

fn this() -> OperationBuilder {
    let any = ObjectBuilder::new().schema_type(Type::Object).into();
    operation("openapi", "This document", "").response("200", answer("OpenAPI 3.1.", JSON, any))
}

fn healthy() -> OperationBuilder {
    operation("healthy", "Whether the program runs", "").response("200", answer("It does.", TEXT, words()))
}

fn ready() -> OperationBuilder {
    operation(
        "ready",
        "Whether every agency decides",
        "The text also says where sending is held; to whoever may read the metrics, it names the alarms that hold.",
    )
    .response("200", answer("`ready`, and what else there is to say, a line each.", TEXT, words()))
    .fails(&["not_ready"])
}

fn metrics() -> OperationBuilder {
    operation(
        "metrics",
        "What can be counted, for whoever runs the gateway",
        "Where no token is configured: for requests from the gateway's own machine that no proxy has passed on, and 404 for \
         all others.",
    )
    .response("200", answer("Prometheus text.", TEXT, words()))
    .fails(&["signed_out", "revoked", "not_found"])
}
