//! The window is not trusted: whatever is asked through the bridge is answered by a typed error, and changes nothing.
//!
//! What may be asked is read from the generated TypeScript, so a new command or a new field is tried without a word here.

use std::collections::BTreeMap;

use desk::{
    Desk,
    api::{self, COMMANDS, CallError, ErrorCode, Filter, Handler, ListConversations, Nothing, Order},
};
use serde_json::{Map, Value, json};

use crate::{standin::Talk, workplace::Workplace};

/// What leaves the seat, and so ends the attempt.
const LEAVING: [&str; 4] = ["sign_in", "unlock", "lock", "sign_out"];

/// A field of a request and its TypeScript type.
type Fields = Vec<(String, String)>;

/// Each command's request, field by field.
fn requests() -> BTreeMap<String, Fields> {
    let whole = api::typescript();
    let mut plain = String::new();
    let mut rest = whole.as_str();
    while let Some((before, comment)) = rest.split_once("/**") {
        plain.push_str(before);
        rest = comment.split_once("*/").unwrap().1;
    }
    plain.push_str(rest);
    let types: BTreeMap<&str, &str> = plain
        .split("export type ")
        .skip(1)
        .map(|declared| declared.split_once(" = ").unwrap())
        .map(|(name, body)| (name, body.split_once(';').unwrap().0.trim()))
        .collect();
    // An alias of a word or an id is what it stands for.
    let resolved = |of: &str| types.get(of).filter(|body| !body.starts_with('{')).map_or(of, |body| body).to_owned();
    let fields = |request: &str| -> Fields {
        let body = types[request];
        let inside = body.strip_prefix('{').and_then(|body| body.strip_suffix('}')).unwrap_or_default();
        let named = inside.split(',').filter_map(|field| field.split_once(':'));
        named.map(|(name, of)| (name.trim().to_owned(), resolved(of.trim()))).collect()
    };
    let commands = plain.split_once("export interface Commands {").unwrap().1;
    let request = |line: &str| {
        let (name, rest) = line.trim().split_once(": { request: ")?;
        Some((name.to_owned(), fields(rest.split_once(';')?.0)))
    };
    commands.lines().filter_map(request).collect()
}

/// What a field may hold, though it names nothing that exists here.
fn foreign(of: &str) -> Vec<Value> {
    if let Some(word) = of.strip_prefix('"').and_then(|word| word.split('"').next()) {
        return vec![json!(word)];
    }
    match of {
        "string" => vec![
            json!("0193f2c4-7b1e-7c3d-8e4f-5a6b7c8d9e0f"),
            json!("'; DROP TABLE outbox; --"),
            json!("<img src=x onerror=alert(1)>\u{202e}\0"),
        ],
        "number" => vec![json!(0), json!(4_294_967_295_u32)],
        "boolean" => vec![json!(true)],
        of if of.ends_with("| null") => vec![json!(null)],
        of if of.starts_with("Array") => vec![json!([])],
        // The only one of several shapes that is asked with.
        "Part" => {
            vec![json!({"part": "latest"}), json!({"part": "around", "place": i64::MAX, "seq": i64::MIN})]
        }
        _ => vec![json!({})],
    }
}

/// What a field of this type never holds.
fn wrong(of: &str) -> Vec<Value> {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let all = [json!(null), json!(true), json!(-1.5), json!(1e300), json!("\u{202e}nothing"), json!({"a": 1}), deep];
    let fits = |value: &Value| match of {
        of if of.ends_with("| null") => value.is_null() || of.starts_with("string") && value.is_string(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        of if of.starts_with("Array") => value.is_array(),
        // What it has of its own may all be left out.
        of if of.starts_with(char::is_uppercase) => value.is_object(),
        _ => false,
    };
    all.into_iter().filter(|value| !fits(value)).collect()
}

async fn asked(desk: &Desk, name: &str, request: &Value) -> Result<Value, CallError> {
    let (own, name_of, request_of) = (desk.clone(), name.to_owned(), request.clone());
    let task = tokio::spawn(async move { api::dispatch(&own, &name_of, request_of).await });
    task.await.unwrap_or_else(|_| panic!("{name} panicked at {request}"))
}

/// Everything that a window sees of this desk.
async fn seen(place: &Workplace, talk: Talk) -> Value {
    let list = place
        .desk
        .conversations(ListConversations { filter: Filter::Open, order: Order::Latest, skip: 0, limit: 100 })
        .await
        .unwrap();
    let mut status = serde_json::to_value(place.desk.status(Nothing {}).await.unwrap()).unwrap();
    // It tells times too.
    status.as_object_mut().unwrap().retain(|_, value| !value.is_number() || value.as_i64().is_some_and(|n| n < 1_000));
    json!([list, place.page(talk.conversation).await, status, place.desk.start(Nothing {}).await.unwrap().settings])
}

#[tokio::test]
async fn whatever_is_asked_is_answered_by_a_typed_error_and_changes_nothing() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "مرحبا");
    place.shows(talk).await;
    place.is_live().await;
    let requests = requests();
    assert_eq!(requests.len(), COMMANDS.len(), "{requests:?}");
    let before = seen(&place, talk).await;

    let mut tried = 0;
    for (name, fields) in &requests {
        let whole: Map<String, Value> =
            fields.iter().map(|(field, of)| (field.clone(), foreign(of).remove(0))).collect();
        // Not a request at all.
        for shape in [json!("x"), json!(7), json!([1, [2]]), json!(true)] {
            let error = asked(&place.desk, name, &shape).await.unwrap_err();
            assert_eq!(error.code, ErrorCode::BadRequest, "{name} {shape}: {error:?}");
            tried += 1;
        }
        for (field, of) in fields {
            // One field of another type, or none where one must be.
            let mut without = whole.clone();
            without.remove(field);
            let mut bad: Vec<Map<String, Value>> =
                wrong(of).into_iter().map(|value| change(&whole, field, value)).collect();
            // Settings were written by older versions too, and lack what these did not know.
            if !of.ends_with("| null") && name != "set_settings" {
                bad.push(without);
            }
            for request in bad {
                let request = Value::Object(request);
                let code = asked(&place.desk, name, &request).await.map_err(|error| error.code);
                assert_eq!(code, Err(ErrorCode::BadRequest), "{name} {request}");
                tried += 1;
            }
            // Of the right types, but about what is not here: whatever comes of it, it is no defect.
            for value in foreign(of) {
                let request = Value::Object(change(&whole, field, value));
                if LEAVING.contains(&name.as_str()) || name == "set_settings" {
                    continue;
                }
                if let Err(error) = asked(&place.desk, name, &request).await {
                    assert_ne!(error.code, ErrorCode::Failed, "{name} {request}: {error:?}");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried}");
    assert_eq!(seen(&place, talk).await, before);
}

#[test]
fn the_papers_name_every_command() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    let page = std::fs::read_to_string(page).unwrap();
    let bridge = page.split_once("## The window's bridge").unwrap().1;
    let named = |name: &&str| bridge.contains(&format!("`{name}`")) || bridge.contains(&format!("`{name} {{"));
    let missing: Vec<_> = COMMANDS.iter().filter(|name| !named(name)).collect();
    assert!(missing.is_empty(), "docs/protocol.md does not name: {missing:?}");
}

#[tokio::test]
async fn without_a_person_nothing_is_told() {
    let place = Workplace::fresh().await;
    for (name, fields) in requests() {
        let request = fields.iter().map(|(field, of)| (field.clone(), foreign(of).remove(0))).collect();
        let answer = asked(&place.desk, &name, &Value::Object(request)).await;
        match name.as_str() {
            "start" | "set_settings" | "showing" | "sign_in" | "unlock" | "lock" | "sign_out" | "signed_heads" => {}
            // What the system does is no secret of a person's.
            "system" | "start_with_system" | "try_notification" => {}
            _ => assert_eq!(answer.map_err(|error| error.code), Err(ErrorCode::NotSignedIn), "{name}"),
        }
    }
}

fn change(whole: &Map<String, Value>, field: &str, value: Value) -> Map<String, Value> {
    let mut changed = whole.clone();
    changed.insert(field.to_owned(), value);
    changed
}
