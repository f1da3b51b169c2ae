//! The control API: playing citizens, switching faults, asking how things stand.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Citizen, Faults, Simulator, events,
    post::{self as webhooks, Full, Letter},
    statuses, wamid,
    world::{Bubble, Refusal, Side, Telephone, Tick},
};

type Shared = State<Arc<Simulator>>;

pub(crate) fn routes() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/telephones", get(list).post(add))
        .route("/telephones/{id}", get(thread))
        .route("/telephones/{id}/messages", post(write))
        .route("/telephones/{id}/read", post(read))
        .route("/faults", get(faults).put(set_faults))
        .route("/state", get(state))
        .route("/webhook", put(set_webhook))
        .route("/events", get(stream))
}

/// Why a request is refused.
enum No {
    World(Refusal),
    Full(Full),
    NotAMessage,
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::World(refusal)
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::World(refusal) => {
                let (status, code) = match refusal {
                    Refusal::NoTelephone(_) => (StatusCode::NOT_FOUND, "no_telephone"),
                    Refusal::NoName => (StatusCode::BAD_REQUEST, "no_name"),
                    Refusal::NotANumber(_) => (StatusCode::BAD_REQUEST, "not_a_number"),
                    Refusal::Taken => (StatusCode::CONFLICT, "taken"),
                };
                (status, code, refusal.to_string())
            }
            Self::Full(full) => (StatusCode::SERVICE_UNAVAILABLE, "full", full.to_string()),
            Self::NotAMessage => {
                (StatusCode::BAD_REQUEST, "not_a_message", "A text, or a raw message with a type, is wanted".to_owned())
            }
        };
        (status, Json(json!({"code": code, "message": message}))).into_response()
    }
}

fn summary(telephone: &Telephone) -> Value {
    let mut summary = json!(telephone);
    if let Value::Object(members) = &mut summary {
        members.remove("messages");
        members.insert("unread".into(), telephone.unread().into());
        if let Some(last) = telephone.messages.last() {
            members.insert("last".into(), json!(last));
        }
    }
    summary
}

async fn list(State(simulator): Shared) -> Json<Value> {
    Json(simulator.world().telephones.iter().map(summary).collect())
}

async fn add(State(simulator): Shared, Json(citizen): Json<Citizen>) -> Result<(StatusCode, Json<Value>), No> {
    let added = summary(simulator.world().add(citizen)?);
    simulator.events.tell("*");
    Ok((StatusCode::CREATED, Json(added)))
}

async fn thread(State(simulator): Shared, Path(id): Path<String>) -> Result<Json<Value>, No> {
    let world = simulator.world();
    let telephone = world.telephone(&id)?;
    let mut thread = summary(telephone);
    if let Value::Object(members) = &mut thread {
        members.insert("messages".into(), json!(telephone.messages));
    }
    Ok(Json(thread))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Writing {
    text: Option<String>,
    quote: Option<String>,
    raw: Option<serde_json::Map<String, Value>>,
}

async fn write(
    State(simulator): Shared,
    Path(id): Path<String>,
    Json(writing): Json<Writing>,
) -> Result<(StatusCode, Json<Value>), No> {
    let mut message = match (writing.raw, writing.text) {
        (Some(raw), None) => raw,
        (None, Some(text)) if !text.trim().is_empty() => {
            let mut message = serde_json::Map::new();
            message.insert("type".into(), "text".into());
            message.insert("text".into(), json!({ "body": text }));
            if let Some(quote) = &writing.quote {
                message.insert("context".into(), json!({"from": simulator.display_digits(), "id": quote}));
            }
            message
        }
        _ => return Err(No::NotAMessage),
    };
    let now = simulator.now();
    let unique = simulator.config.ids.next(now);
    let (wamid, value) = {
        let mut world = simulator.world();
        let telephone = world.telephone_mut(&id)?;
        let given = [
            ("from", json!(telephone.phone)),
            ("from_user_id", json!(telephone.bsuid)),
            ("id", json!(wamid::made(telephone.person(), true, unique))),
            ("timestamp", json!((now / 1000).to_string())),
        ];
        for (name, value) in given {
            message.entry(name).or_insert(value);
        }
        message.retain(|_, value| !value.is_null());
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let wamid = text(message.get("id")).unwrap_or_default();
        let contact = telephone.contact();
        telephone.messages.push(Bubble {
            wamid: wamid.clone(),
            from: Side::Citizen,
            kind: text(message.get("type")).unwrap_or_else(|| "unknown".to_owned()),
            text: text(message.get("text").and_then(|text| text.get("body"))),
            quote: text(message.get("context").and_then(|context| context.get("id"))),
            at: now,
            tick: Tick::Waiting,
            callback_data: None,
            looked: false,
        });
        let value = json!({
            "messaging_product": "whatsapp", "metadata": simulator.metadata(),
            "contacts": [contact], "messages": [message],
        });
        (wamid, value)
    };
    let letter = Letter { telephone: id.clone(), message: Some(wamid.clone()), value };
    webhooks::send(&simulator, letter).map_err(No::Full)?;
    simulator.events.tell(&id);
    Ok((StatusCode::CREATED, Json(json!({ "wamid": wamid }))))
}

async fn read(State(simulator): Shared, Path(id): Path<String>) -> Result<StatusCode, No> {
    simulator.world().telephone(&id)?;
    statuses::read(&simulator, &id);
    Ok(StatusCode::NO_CONTENT)
}

async fn faults(State(simulator): Shared) -> Json<Faults> {
    Json(simulator.world().faults.clone())
}

async fn set_faults(State(simulator): Shared, Json(faults): Json<Faults>) -> Json<Faults> {
    simulator.world().faults = faults.clone();
    simulator.events.tell(events::STATE);
    Json(faults)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Aim {
    url: String,
}

async fn set_webhook(State(simulator): Shared, Json(aim): Json<Aim>) -> StatusCode {
    simulator.aim(&aim.url);
    StatusCode::NO_CONTENT
}

async fn state(State(simulator): Shared) -> Json<Value> {
    let config = &simulator.config;
    let world = simulator.world();
    Json(json!({
        "now": simulator.now(),
        "faulty": world.faults != Faults::default(),
        "line": {"phone_number_id": config.phone_number_id, "display_number": config.display_number, "agency_name": config.agency_name},
        "webhook": {
            "url": world.webhook,
            "waiting": world.tally.waiting,
            "delivered": world.tally.delivered,
            "failing": world.tally.failing.values().max_by_key(|failure| failure.at),
            "failures": world.tally.failures,
        },
    }))
}

#[derive(Deserialize)]
struct Watching {
    open: Option<String>,
}

async fn stream(State(simulator): Shared, Query(watching): Query<Watching>) -> impl IntoResponse {
    events::stream(simulator, watching.open)
}
