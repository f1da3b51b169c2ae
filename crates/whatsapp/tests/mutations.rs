//! Whatever becomes of one message of a batch, its siblings are read as before.

use proptest::prelude::*;
use serde_json::{Value, json};
use whatsapp::webhook::{Content, parse};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((known_names(), inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn known_names() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "id",
            "from",
            "from_user_id",
            "timestamp",
            "type",
            "text",
            "body",
            "context",
            "errors",
            "entry",
            "changes",
            "value",
            "messages",
            "statuses",
            "contacts",
            "metadata",
            "status",
            "profile",
            "name",
            "wa_id",
            "code",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ]
}

fn message(index: usize) -> Value {
    json!({"from": "96550000101", "from_user_id": "KW.1", "id": format!("wamid.{index}"), "timestamp": "1795358400",
        "type": "text", "text": {"body": "نص"}, "context": {"id": "wamid.Q"}, "errors": [{"code": 1}]})
}

fn body(messages: Vec<Value>) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
        "metadata": {"phone_number_id": "L"},
        "contacts": [{"wa_id": "96550000101", "profile": {"name": "فاطمة"}}],
        "messages": messages,
        "statuses": [{"id": "wamid.S", "status": "sent", "timestamp": "1"}]}}]}]})
}

proptest! {
    #[test]
    fn siblings_survive(count in 2_usize..6, at in any::<prop::sample::Index>(), whole in any::<bool>(), name in known_names(), part in any_json()) {
        let at = at.index(count);
        let sound = body((0..count).map(message).collect());
        let mut broken = sound.clone();
        let target = &mut broken["entry"][0]["changes"][0]["value"]["messages"][at];
        if whole { *target = part } else { target[name] = part }

        let sound = parse(sound.to_string().as_bytes()).unwrap();
        let broken = parse(broken.to_string().as_bytes()).unwrap();
        let (sound, broken): (Vec<_>, Vec<_>) = (sound.items().collect(), broken.items().collect());
        prop_assert_eq!(broken.len(), count + 1);
        for index in (0..=count).filter(|index| *index != at) {
            prop_assert_eq!(&broken[index].1, &sound[index].1);
        }
    }

    #[test]
    fn any_value_beside_or_above_the_messages_is_survived(depth in 0_usize..4, name in known_names(), part in any_json()) {
        let mut raw = body((0..3).map(message).collect());
        let target = match depth {
            0 => &mut raw,
            1 => &mut raw["entry"][0],
            2 => &mut raw["entry"][0]["changes"][0],
            _ => &mut raw["entry"][0]["changes"][0]["value"],
        };
        target[name] = part;
        let listed: usize = raw.pointer("/entry/0/changes/0/value/messages").and_then(Value::as_array).map_or(0, Vec::len);
        let webhook = parse(raw.to_string().as_bytes()).unwrap();
        let from_first = webhook.entries.first().and_then(|entry| entry.changes.first()).map_or(0, |change| {
            change.items.iter().filter(|item| listed > 0 && !matches!(item.content, Content::Status(_) | Content::Error(_) | Content::Other)).count()
        });
        prop_assert!(from_first >= listed, "{} of {} messages in {}", from_first, listed, raw);
    }

    #[test]
    fn any_bytes_are_survived(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), cut in any::<prop::sample::Index>(), keep in any::<bool>()) {
        let mut raw = body((0..3).map(message).collect()).to_string().into_bytes();
        for (at, byte) in flips {
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        if !keep { raw.truncate(cut.index(raw.len())) }
        // Not JSON, or read: a body that a strict reader accepts is never refused here.
        let strict = serde_json::from_slice::<Value>(&raw).is_ok();
        prop_assert!(parse(&raw).is_ok() || !strict);
    }
}
