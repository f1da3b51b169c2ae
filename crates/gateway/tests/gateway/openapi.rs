//! The contract as a document: whole, as it was, and the same as what is served.

use std::collections::BTreeSet;

use domain::{
    command::{Ask, Code},
    entry::{IdentifierKind, KINDS, MessageQueued, Recipient},
};
use gateway::{
    config::DEFAULT_WEBHOOK,
    failure::Failure,
    http::{ROUTES, Who},
    openapi,
};
use serde_json::Value;

use crate::house::{House, http};

/// The document's operations.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap();
            methods.iter().map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
        })
        .collect()
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let document = openapi::document();
    let mut served: BTreeSet<(String, String)> =
        ROUTES.iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    served.extend(["GET", "POST"].map(|method| (method.to_owned(), DEFAULT_WEBHOOK.to_owned())));
    let described: BTreeSet<(String, String)> =
        operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    let missing: Vec<_> = served.difference(&described).collect();
    assert!(missing.is_empty(), "Describe in crates/gateway/src/openapi.rs: {missing:?}");
    let surplus: Vec<_> = described.difference(&served).collect();
    assert!(surplus.is_empty(), "Described in crates/gateway/src/openapi.rs and served by nobody: {surplus:?}");
}

#[test]
fn every_operation_says_whom_it_lets_through_and_how_it_fails() {
    let document = openapi::document();
    let mut codes = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let what = format!("{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            let status: u16 = status.parse().unwrap_or_else(|_| panic!("{what} answers {status:?}"));
            let said = response["description"].as_str().unwrap();
            codes.extend(Failure::CODES.iter().filter(|code| status >= 400 && said.contains(&format!("`{code}`"))));
        }
        let route = ROUTES.iter().find(|route| route.method.as_str() == method && route.path == path);
        if route.is_some_and(|route| route.who == Who::SignedIn) {
            assert_eq!(operation["security"], serde_json::json!([{"device": []}]), "{what}");
            assert!(responses.contains_key("401") && responses.contains_key("426"), "{what}");
        }
    }
    // Everywhere, and so at no operation of its own.
    codes.insert("method_not_allowed");
    let missing: Vec<_> = Failure::CODES.iter().filter(|code| !codes.contains(**code)).collect();
    assert!(missing.is_empty(), "No operation fails with {missing:?}");
}

#[test]
fn whatever_is_referred_to_is_there() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = openapi::document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    let missing: Vec<_> = found.iter().filter(|to| document.pointer(to.trim_start_matches('#')).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_document_names_what_travels_as_it_travels() {
    let document = openapi::document();
    let schemas = &document["components"]["schemas"];
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    let kinds = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().flat_map(|one| texts(&one["properties"]["kind"]["enum"])).collect()
    };
    assert_eq!(texts(&schemas["Code"]["enum"]), Code::ALL);
    assert_eq!(kinds(&schemas["Command"]["oneOf"]), Ask::KINDS);
    assert_eq!(kinds(&schemas["Entry"]["allOf"][1]["oneOf"]), KINDS);
    // In these names a keyword of Rust, or a rename, could show.
    let fields =
        |name: &str| -> BTreeSet<&String> { schemas[name]["properties"].as_object().unwrap().keys().collect() };
    let body = serde_json::to_value(MessageQueued {
        message: uuid::Uuid::nil().into(),
        conversation: uuid::Uuid::nil().into(),
        case: uuid::Uuid::nil().into(),
        recipient: Recipient { kind: IdentifierKind::Phone, value: String::new() },
        r#type: String::new(),
        text: Some(String::new()),
        by: uuid::Uuid::nil().into(),
    });
    assert_eq!(body.unwrap().as_object().unwrap().keys().collect::<BTreeSet<_>>(), fields("MessageQueued"));
}

/// The contract holds from the first release on: a difference here is a decision. `INSTA_UPDATE=always cargo nextest run -p
/// gateway openapi` writes it down.
#[test]
fn the_document_is_as_it_was() {
    let mut document = openapi::document();
    document["info"]["version"] = "of the program".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_served_to_anybody() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let answer = http().get(format!("{}/api/v1/openapi.json", served.address)).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    let document: Value = answer.json().await.unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    served.stop().await;
}
