//! Bodies that nobody has seen before: whatever Meta changes, nothing is dropped.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};

use crate::{
    extent::{chance, counted, times},
    house::{House, LINE, Person, SECRET, entries, http, value},
};

/// Our own bodies, one of each shape.
fn fixtures() -> Vec<Value> {
    let message = |kind: &str, content: Value| {
        let mut message =
            json!({"from": "96550000101", "id": "wamid.fixture", "timestamp": "1795358400", "type": kind});
        message[kind] = content;
        let contact = json!({"profile": {"name": "فاطمة"}, "wa_id": "96550000101", "user_id": "KW.101"});
        value(LINE, json!({"contacts": [contact], "messages": [message]}))
    };
    let mut several = message("text", json!({"body": "الأولى"}));
    let mut next = several["entry"][0]["changes"][0]["value"]["messages"][0].clone();
    next["from_user_id"] = "KW.101".into();
    next["context"] = json!({"id": "wamid.quoted", "from": "96522200000"});
    let list = several["entry"][0]["changes"][0]["value"]["messages"].as_array_mut().unwrap();
    list.extend([next.clone(), next]);
    vec![
        message("text", json!({"body": "السلام عليكم"})),
        message("image", json!({"id": "1", "mime_type": "image/jpeg", "sha256": "x", "caption": "صورة"})),
        message("location", json!({"latitude": 29.3, "longitude": 47.9, "name": "الكويت"})),
        message("interactive", json!({"type": "button_reply", "button_reply": {"id": "1", "title": "نعم"}})),
        message("contacts", json!([{"name": {"formatted_name": "خالد"}, "phones": [{"phone": "+96550000102"}]}])),
        message("reaction", json!({"message_id": "wamid.other", "emoji": "👍"})),
        message("hologram", json!({"depth": 3, "id": "9"})),
        message("unsupported", json!({"errors": [{"code": 131_051, "title": "Message type is not supported"}]})),
        value(
            LINE,
            json!({"statuses": [{"id": "wamid.fixture", "status": "read", "timestamp": "1795358400", "recipient_id": "96550000101"}]}),
        ),
        value(LINE, json!({"errors": [{"code": 130_429, "title": "Rate limit hit"}]})),
        several,
    ]
}

/// Bodies from other projects' test suites, where they lie beside this tree.
fn corpus() -> Vec<Value> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/whatsapp/corpus");
    let index = std::fs::read_to_string(corpus.join("INDEX.tsv")).unwrap_or_default();
    let names = index.lines().skip(1).filter_map(|line| line.split('\t').next());
    names.map(|name| serde_json::from_slice(&std::fs::read(corpus.join(name)).unwrap()).unwrap()).collect()
}

fn changes(body: &mut Value) -> impl Iterator<Item = &mut Value> {
    let entries = body.get_mut("entry").and_then(Value::as_array_mut).into_iter().flatten();
    entries.flat_map(|entry| entry.get_mut("changes").and_then(Value::as_array_mut).into_iter().flatten())
}

/// Has each item be another than those of other bodies, and be for our line; the ids of its messages.
fn made_its_own(body: &mut Value, n: usize) -> Vec<String> {
    let (mut ids, mut items) = (vec![], 0);
    for change in changes(body) {
        let Some(value) = change.get_mut("value").and_then(Value::as_object_mut) else { continue };
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("phone_number_id".into(), LINE.into());
        }
        for (list, mut own) in [("messages", Some(&mut ids)), ("statuses", None)] {
            for item in value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                items += 1;
                let id = format!("wamid.{n}.{items}");
                if item.get("id").is_some() {
                    item["id"] = id.clone().into();
                    own.as_mut().into_iter().for_each(|ids| ids.push(id.clone()));
                }
            }
        }
    }
    ids
}

/// Every place in a body, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| {
                places(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found)
            });
        }
        Value::Array(list) => list.iter().enumerate().for_each(|(n, value)| places(value, &format!("{at}/{n}"), found)),
        _ => {}
    }
}

/// Anything; no text twice, since an id could become of it.
fn anything(chance: &mut fastrand::Rng) -> Value {
    let own = chance.u64(..);
    match chance.u8(0..9) {
        0 => json!(chance.i64(..)),
        1 => json!(chance.f64() * 1e300),
        2 => json!(format!("\u{202e}نص\u{0} \u{fffd}{own}")),
        3 => json!({"id": {"id": [null]}, "type": 7}),
        4 => json!([[], {}, "x"]),
        5 => json!(format!("{own}{}", "x".repeat(chance.usize(0..5000)))),
        6 => (0..60).fold(json!(1), |inner, _| json!([inner])),
        7 => json!(true),
        _ => json!(format!("hologram{own}")),
    }
}

/// Changes one thing somewhere. What stands above the messages is renamed or replaced but never left out: a citizen's
/// words that were not sent cannot be kept.
fn mutate(body: &mut Value, chance: &mut fastrand::Rng) {
    let mut all = vec![];
    places(body, "", &mut all);
    let place = all[chance.usize(1..all.len())].clone();
    let (above, name) = place.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    match chance.u8(0..4) {
        0 if place.contains("/messages/") || place.contains("/statuses/") => {
            if let Some(Value::Object(members)) = body.pointer_mut(above) {
                members.remove(&name);
            }
        }
        1 => {
            if let Some(Value::Object(members)) = body.pointer_mut(above) {
                let value = members.remove(&name).unwrap();
                members.insert(format!("{name}_v2"), value);
            }
        }
        2 => {
            if let Some(value) = body.pointer_mut(above).filter(|value| value.is_object()) {
                value[format!("new_{}", chance.u8(..))] = anything(chance);
            }
        }
        _ => *body.pointer_mut(&place).unwrap() = anything(chance),
    }
}

/// Breaks texts as Meta does: half an emoji at the end of a name that was cut.
fn half_an_emoji(text: &str) -> String {
    text.replacen("فاطمة", "فاطمة\\ud83d", 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_is_kept_and_shown_or_set_aside() {
    let panics = crate::extent::count_panics();
    let house = House::new("http://127.0.0.1:9");
    let mut served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let mut chance = chance();
    let (fixtures, corpus) = (fixtures(), corpus());
    let bodies = times(150, 1000, 20_000);
    // Each body as it was posted, and the ids of the messages that stood in it before it was changed.
    let mut posted: Vec<(Vec<u8>, Vec<String>)> = vec![];
    for n in 0..bodies {
        let from = if n % 2 == 0 || corpus.is_empty() { &fixtures } else { &corpus };
        let mut body = from[chance.usize(0..from.len())].clone();
        let ids = made_its_own(&mut body, n);
        mutate(&mut body, &mut chance);
        let mut text = body.to_string();
        if chance.u8(0..10) == 0 {
            text = half_an_emoji(&text);
        }
        posted.push((text.into_bytes(), ids));
    }
    for (body, _) in &posted {
        let request =
            http().post(format!("{}/webhooks/whatsapp", served.address)).header("content-type", "application/json");
        let signed = request.header("x-hub-signature-256", whatsapp::signature::sign(SECRET, body));
        let answer = signed.body(body.clone()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", String::from_utf8_lossy(body));
    }
    type Kept = BTreeMap<i64, (String, Vec<u8>, String, String)>;
    let kept = async || -> Kept {
        crate::house::eventually("all was read", async || {
            let conn = house.deliveries();
            let mut select = conn.prepare("SELECT n, id, body, state, reason FROM deliveries ORDER BY n").unwrap();
            let all = select
                .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))))
                .unwrap()
                .collect::<Result<Kept, _>>()
                .unwrap();
            all.values().all(|(_, _, state, _)| state != "waiting").then_some(all)
        })
        .await
    };
    let mut counts = vec![];
    for again in [false, true] {
        if again {
            // What was set aside is read again, and comes to the same.
            served.stop().await;
            served = house.serve().await;
        }
        let kept = kept().await;
        assert_eq!(kept.len(), posted.len());
        let lines = Person::at(&admin, &served.address).sync("0").await;
        let received = entries(&lines, "message_received");
        let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in &received {
            *shown.entry(entry["cause"].as_str().unwrap()).or_default() += 1;
            let body = &entry["body"];
            assert!(body["text"].is_string() || !body["raw"].is_null(), "nothing can be shown of {body}");
        }
        let mut aside = 0;
        for ((id, raw, state, reason), (body, ids)) in kept.values().zip(&posted) {
            assert_eq!(raw, body, "kept as it came");
            let shown = shown.get(id.as_str()).copied().unwrap_or_default();
            let text = String::from_utf8_lossy(body);
            if state == "aside" {
                aside += 1;
                assert!(!reason.is_empty());
            } else {
                assert!(
                    shown >= ids.len(),
                    "{shown} of {} messages are shown, and nothing is set aside: {text}",
                    ids.len()
                );
            }
        }
        counts.push((received.len(), aside));
    }
    assert_eq!(counts[0], counts[1], "read again, it came to something else");
    let (shown, aside) = counts[0];
    counted(json!({"bodies": bodies, "of_others": corpus.len(), "shown": shown, "set_aside": aside}));
    assert!(shown > bodies / 3 && aside > bodies / 50, "{shown} were shown and {aside} set aside");
    assert_eq!(http().get(format!("{}/readyz", served.address)).send().await.unwrap().status(), 200);
    served.stop().await;
    house.verify();
    assert_eq!(panics.load(std::sync::atomic::Ordering::SeqCst), 0, "something panicked");
}
