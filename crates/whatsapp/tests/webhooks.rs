//! What is read of each shape of body, written from Meta's pages on webhooks and business-scoped user ids.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use serde_json::{Value, json};
use whatsapp::webhook::{Content, Item, Message, Progress, Sender, Status, parse};

fn change(value: Value) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1029", "changes": [{"field": "messages", "value": value}]}]})
}

fn with(mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": "96522200000", "phone_number_id": "10650001"});
    change(value)
}

fn items(body: &Value) -> Vec<Item> {
    parse(body.to_string().as_bytes()).unwrap().items().map(|(_, item)| item.clone()).collect()
}

fn message(body: &Value) -> Message {
    match &items(body)[0].content {
        Content::Message(message) => (**message).clone(),
        other => panic!("{other:?}"),
    }
}

fn statuses(body: &Value) -> Vec<Status> {
    items(body)
        .into_iter()
        .map(|item| match item.content {
            Content::Status(status) => *status,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_text_from_a_number() {
    let body = with(json!({
        "contacts": [{"profile": {"name": "فاطمة العلي"}, "wa_id": "96550000101"}],
        "messages": [{"from": "96550000101", "id": "wamid.A", "timestamp": "1795358400", "type": "text",
            "text": {"body": "الماي مقطوع"}, "context": {"from": "96522200000", "id": "wamid.Q"}}]}));
    let webhook = parse(body.to_string().as_bytes()).unwrap();
    let (change, item) = webhook.items().next().unwrap();
    assert_eq!(change.phone_number_id.as_deref(), Some("10650001"));
    assert_eq!(change.display_phone_number.as_deref(), Some("96522200000"));
    assert_eq!(change.field.as_deref(), Some("messages"));
    assert_eq!(webhook.entries[0].id.as_deref(), Some("1029"));
    assert_eq!(item.key, r#"["message","wamid.A"]"#);
    let message = message(&body);
    assert_eq!(message.sender, Some(Sender::Phone("96550000101".into())));
    assert_eq!(message.timestamp, Some(1_795_358_400_000));
    assert_eq!((message.kind.as_str(), message.text.as_deref()), ("text", Some("الماي مقطوع")));
    assert_eq!(message.quotes.as_deref(), Some("wamid.Q"));
    assert_eq!(message.contact.unwrap().name.as_deref(), Some("فاطمة العلي"));
}

#[test]
fn a_text_without_a_number() {
    let message = message(&with(json!({
        "contacts": [{"profile": {"name": "حسين", "username": "hussain.d"}, "user_id": "KW.10000000000000000106"}],
        "messages": [{"from_user_id": "KW.10000000000000000106", "id": "wamid.B", "timestamp": "1795358400",
            "type": "text", "text": {"body": "هلا"}}]})));
    assert_eq!(message.sender, Some(Sender::Bsuid("KW.10000000000000000106".into())));
    let contact = message.contact.unwrap();
    assert_eq!((contact.username.as_deref(), contact.phone), (Some("hussain.d"), None));
}

#[test]
fn people_are_joined_by_who_they_are_and_not_by_where_they_stand() {
    let body = with(json!({
        "contacts": [
            {"profile": {"name": "الثاني"}, "wa_id": "96550000102", "user_id": "KW.2"},
            {"profile": {"name": "الأول"}, "wa_id": "96550000101", "user_id": "KW.1"}],
        "messages": [
            {"from": "96550000101", "from_user_id": "KW.1", "id": "wamid.1", "type": "text", "text": {"body": "١"}},
            {"from_user_id": "KW.2", "id": "wamid.2", "type": "text", "text": {"body": "٢"}},
            {"from": "96550000103", "id": "wamid.3", "type": "text", "text": {"body": "٣"}}]}));
    let names: Vec<_> = items(&body)
        .into_iter()
        .map(|item| match item.content {
            Content::Message(message) => (message.sender, message.contact.and_then(|contact| contact.name)),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names[0].0, Some(Sender::Both { phone: "96550000101".into(), bsuid: "KW.1".into() }));
    assert_eq!(names.iter().map(|it| it.1.as_deref()).collect::<Vec<_>>(), [Some("الأول"), Some("الثاني"), None]);
}

#[test]
fn types_that_are_not_text_keep_their_name_and_their_raw() {
    for (kind, part) in [
        ("reaction", json!({"message_id": "wamid.A", "emoji": "👍"})),
        ("image", json!({"id": "77", "mime_type": "image/jpeg", "sha256": "x=", "caption": "العداد"})),
        ("unsupported", json!({"type": "poll_creation"})),
        ("hologram", json!({"depth": [1, 2, {"deep": null}]})),
    ] {
        let raw = json!({"from": "96550000101", "id": "wamid.C", "timestamp": "1", "type": kind, kind: part,
            "errors": [{"code": 131051, "title": "Message type unknown"}]});
        let body = with(json!({ "messages": [raw] }));
        let message = message(&body);
        assert_eq!((message.kind.as_str(), &message.text), (kind, &None));
        assert_eq!(message.errors[0].code, Some(131_051));
        assert_eq!((items(&body)[0].raw.clone(), message.sha256), (raw, None));
    }
}

#[test]
fn a_file_is_known_by_its_hash() {
    let part = json!({"id": "77", "mime_type": "image/jpeg", "sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="});
    for kind in ["image", "video", "audio", "document", "sticker"] {
        let raw = json!({"from": "96550000101", "id": "wamid.C", "timestamp": "1", "type": kind, kind: part});
        let hash = message(&with(json!({ "messages": [raw] }))).sha256.unwrap();
        assert_eq!(hash[..4], [0xe3, 0xb0, 0xc4, 0x42], "{kind}");
    }
    let text =
        json!({"from": "1", "id": "wamid.C", "timestamp": "1", "type": "text", "text": {"body": "x"}, "image": part});
    assert_eq!(message(&with(json!({ "messages": [text] }))).sha256, None, "of its own type alone");
}

#[test]
fn numbers_stand_where_strings_were_promised() {
    let body = json!({"entry": [{"id": 1029, "changes": [{"field": "messages", "value": {
        "metadata": {"display_phone_number": 96522200000_i64, "phone_number_id": 10650001},
        "contacts": [{"profile": {"name": 5}, "wa_id": 96550000101_i64}],
        "messages": [{"from": 96550000101_i64, "id": 42, "timestamp": 1795358400, "type": "text", "text": {"body": 7}}],
        "statuses": [{"id": 43, "status": "sent", "timestamp": 1795358401, "recipient_id": 96550000101_i64}]}}]}]});
    let webhook = parse(body.to_string().as_bytes()).unwrap();
    assert_eq!(webhook.entries[0].changes[0].phone_number_id.as_deref(), Some("10650001"));
    let message = message(&body);
    assert_eq!(
        (message.id.as_str(), message.text.as_deref(), message.timestamp),
        ("42", Some("7"), Some(1_795_358_400_000))
    );
    assert_eq!(message.contact.unwrap().name.as_deref(), Some("5"));
    assert!(matches!(&items(&body)[1].content, Content::Status(status) if status.id == "43"));
}

#[test]
fn statuses_of_every_kind() {
    let body = with(json!({"statuses": [
        {"id": "wamid.S", "status": "sent", "timestamp": "1795358400", "recipient_id": "96550000101",
            "recipient_user_id": "KW.1", "biz_opaque_callback_data": "0190", "pricing": {"category": "service"}},
        {"id": "wamid.S", "status": "failed", "timestamp": "1795358401", "errors": [
            {"code": 131047, "title": "Re-engagement message", "error_data": {"details": "More than 24 hours"}}]},
        {"id": "wamid.S", "status": "read", "recipient_id": "group", "recipient_type": "group",
            "recipient_participant_id": "96550000102"},
        {"id": "wamid.S", "status": "evaporated"}]}));
    let found = statuses(&body);
    assert_eq!(found[0].callback_data.as_deref(), Some("0190"));
    assert_eq!(found[0].recipient, Some(Sender::Both { phone: "96550000101".into(), bsuid: "KW.1".into() }));
    assert_eq!(found[1].progress, Progress::Failed);
    assert_eq!(found[1].errors[0].details.as_deref(), Some("More than 24 hours"));
    assert_eq!(found[2].participant.as_deref(), Some("96550000102"));
    assert_eq!(found[3].progress, Progress::Unknown("evaporated".into()));
    let keys: Vec<String> = items(&body).into_iter().map(|item| item.key).collect();
    assert_eq!(keys[0], r#"["status","wamid.S","sent",null]"#);
    assert_eq!(keys[2], r#"["status","wamid.S","read","96550000102"]"#);
}

#[test]
fn a_batch_of_several_numbers_with_one_broken_message() {
    let text = |id: &str| json!({"from": "96550000101", "id": id, "type": "text", "text": {"body": id}});
    let value = |line: &str, messages: Vec<Value>| json!({"field": "messages", "value": {"metadata": {"phone_number_id": line}, "messages": messages}});
    let body = json!({"entry": [
        {"id": "1", "changes": [
            value("L1", vec![text("a"), json!("not a message"), json!({"type": "text"}), text("b")]),
            value("L2", vec![text("c")])]},
        {"id": "2", "changes": [value("L3", vec![text("d")]), "not a change", {"field": "security", "value": {"event": "PIN_CHANGED"}}]},
        "not an entry"]});
    let webhook = parse(body.to_string().as_bytes()).unwrap();
    let read: Vec<_> = webhook
        .items()
        .map(|(change, item)| {
            let what = match &item.content {
                Content::Message(message) => message.id.clone(),
                Content::Unreadable(reason) => (*reason).to_owned(),
                Content::Other => "other".to_owned(),
                other => panic!("{other:?}"),
            };
            (change.phone_number_id.clone().unwrap_or_default(), what)
        })
        .collect();
    let expected = [
        ("L1", "a"),
        ("L1", "The message has no id"),
        ("L1", "The message has no id"),
        ("L1", "b"),
        ("L2", "c"),
        ("L3", "d"),
        ("", "The change has no value"),
        ("", "other"),
        ("", "The entry has no changes"),
    ];
    assert_eq!(read, expected.map(|(line, what)| (line.to_owned(), what.to_owned())));
    let keys: std::collections::BTreeSet<_> = webhook.items().map(|(_, item)| item.key.clone()).collect();
    assert_eq!(keys.len(), expected.len(), "every item has a key of its own");
}

#[test]
fn lists_that_this_version_does_not_know_are_kept_beside_those_it_does() {
    let body = with(json!({
        "messages": [{"from": "1", "id": "wamid.M", "type": "text", "text": {"body": "x"}}],
        "user_actions": [{"action_type": "marketing_messages_link_click"}]}));
    let items = items(&body);
    assert!(matches!(items[0].content, Content::Message(_)));
    assert_eq!((&items[1].content, &items[1].raw), (&Content::Other, &body["entry"][0]["changes"][0]));
    assert_eq!(items.len(), 2);
}

#[test]
fn a_change_without_an_id_is_known_again_by_what_it_says_and_when() {
    let body = |time: i64, text: &str| {
        let text = format!(
            r#"{{"entry": [{{"id": "1", "time": {time}, "changes": [{{"field": "phone_number_quality_update", "value": {text}}}]}}]}}"#
        );
        parse(text.as_bytes()).unwrap().items().next().unwrap().1.key.clone()
    };
    let first = body(1, r#"{"event": "FLAGGED", "current_limit": "TIER_10K"}"#);
    assert_eq!(
        first,
        body(1, r#"{"current_limit":"TIER_10K","event":"FLAGGED"}"#),
        "the order of members says nothing"
    );
    assert_ne!(first, body(2, r#"{"event": "FLAGGED", "current_limit": "TIER_10K"}"#), "flagged again is news");
    assert_ne!(first, body(1, r#"{"event": "UNFLAGGED", "current_limit": "TIER_10K"}"#));
}

#[test]
fn bodies_without_an_envelope_are_one_unreadable_item() {
    for body in [json!({}), json!([]), json!(null), json!("x"), json!({"entry": {}}), json!({"hello": "world"})] {
        let items = items(&body);
        assert_eq!(items.len(), 1, "{body}");
        assert!(matches!(items[0].content, Content::Unreadable("The body has no entries")));
        assert_eq!(items[0].raw, body);
    }
    assert!(matches!(items(&with(json!({"messages": {"0": {}}})))[0].content, Content::Unreadable(_)));
}

#[test]
fn only_what_is_not_json_fails() {
    for raw in [&b""[..], b"{", b"hello", b"{\"entry\": [}", b"\xff\xfe"] {
        assert!(parse(raw).is_err(), "{raw:?}");
    }
    let cut = br#"{"entry":[{"changes":[{"value":{"contacts":[{"wa_id":"1","profile":{"name":"Ali \ud83d"}}],
        "messages":[{"id":"w","from":"1","type":"text","text":{"body":"\u0633"}}]}}]}]}"#;
    let webhook = parse(cut).unwrap();
    let Content::Message(message) = &webhook.items().next().unwrap().1.content else { panic!() };
    assert_eq!(message.text.as_deref(), Some("س"));
    assert_eq!(message.contact.as_ref().unwrap().name.as_deref(), Some("Ali \u{fffd}"));
}
