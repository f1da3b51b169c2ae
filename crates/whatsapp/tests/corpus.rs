//! Bodies from other projects' test suites, where they lie beside this tree: none of them may lose an item.

use std::path::Path;

use serde_json::Value;
use whatsapp::webhook::{Content, parse};

/// Every object that stands in a list called `name` directly in a change's value, found by walking the raw JSON.
fn listed<'a>(body: &'a Value, name: &str) -> Vec<&'a Value> {
    let list = |value: &'a Value, name: &str| value[name].as_array().map(Vec::as_slice).unwrap_or_default();
    list(body, "entry")
        .iter()
        .flat_map(|entry| list(entry, "changes"))
        .flat_map(|change| list(&change["value"], name))
        .collect()
}

#[test]
fn no_item_is_lost() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/whatsapp/corpus");
    let Ok(index) = std::fs::read_to_string(corpus.join("INDEX.tsv")) else {
        println!("Skipped: no bodies at {}", corpus.display());
        return;
    };
    let (mut bodies, mut messages, mut statuses, mut errors, mut changes, mut unreadable) = (0, 0, 0, 0, 0, 0);
    for name in index.lines().skip(1).filter_map(|line| line.split('\t').next()) {
        let raw = std::fs::read(corpus.join(name)).unwrap();
        let body: Value = serde_json::from_slice(&raw).unwrap();
        let webhook = parse(&raw).unwrap();

        // Every message, status and error is an item, in its order; only what bears no id cannot be read.
        for change in webhook.entries.iter().flat_map(|entry| &entry.changes) {
            let mut items = change.items.iter();
            for list in ["messages", "statuses", "errors"] {
                for raw in change.raw["value"][list].as_array().into_iter().flatten() {
                    let item = items.next().unwrap();
                    assert_eq!(&item.raw, raw, "{name}");
                    let fits = match &item.content {
                        Content::Message(_) => list == "messages",
                        Content::Status(_) => list == "statuses",
                        Content::Error(_) => list == "errors",
                        Content::Unreadable(_) => raw.get("id").is_none(),
                        Content::Other => false,
                    };
                    assert!(fits, "{name}: {item:?}");
                }
            }
            for rest in items {
                assert!(matches!(rest.content, Content::Other | Content::Unreadable(_)), "{name}: {rest:?}");
            }
        }

        // Every change is there, whole, with at least one item; only a change without a value cannot be read.
        let raws: Vec<&Value> = webhook.entries.iter().flat_map(|entry| &entry.changes).map(|it| &it.raw).collect();
        let expected: Vec<&Value> =
            body["entry"].as_array().unwrap().iter().flat_map(|entry| entry["changes"].as_array().unwrap()).collect();
        assert_eq!(raws, expected, "{name}");
        for change in webhook.entries.iter().flat_map(|entry| &entry.changes) {
            assert!(!change.items.is_empty(), "{name}");
            assert_eq!(change.field.as_deref(), change.raw["field"].as_str(), "{name}");
        }
        for (_, item) in webhook.items() {
            match &item.content {
                Content::Unreadable(_) => unreadable += 1,
                Content::Message(message) => {
                    assert_eq!(Some(message.kind.as_str()), item.raw["type"].as_str(), "{name}");
                    assert_eq!(message.text.as_deref(), item.raw["text"]["body"].as_str(), "{name}");
                    assert_eq!(message.sender.is_some(), has_sender(&item.raw), "{name}");
                }
                Content::Status(status) => assert_eq!(status.progress.as_str(), item.raw["status"], "{name}"),
                Content::Error(error) => assert!(error.code.is_some(), "{name}"),
                Content::Other => {}
            }
        }
        bodies += 1;
        messages += listed(&body, "messages").len();
        statuses += listed(&body, "statuses").len();
        errors += listed(&body, "errors").len();
        changes += expected.len();
    }
    println!(
        "{bodies} bodies, {changes} changes: {messages} messages, {statuses} statuses, {errors} errors; {unreadable} unreadable"
    );
    // What cannot be read: three messages without an id, and one change whose value is a word.
    assert!(bodies >= 225 && messages >= 146 && statuses >= 36 && unreadable == 4);
}

fn has_sender(message: &Value) -> bool {
    ["from", "from_user_id"].iter().any(|name| message[name].as_str().is_some_and(|text| !text.is_empty()))
}
