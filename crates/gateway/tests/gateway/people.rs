//! Who wrote, as WhatsApp shows it more or less of; and much in one POST, as WhatsApp batches it. Real signed webhooks.

use std::collections::BTreeSet;

use domain::ids::{Clock, System};
use serde_json::{Value, json};

use crate::house::{House, LINE, Person, SECRET, Served, entries, http, message, sign_in, text, wamid};

/// A message by whatever of a person WhatsApp shows.
fn shown(phone: Option<&str>, bsuid: Option<&str>, body: &str) -> Value {
    let mut delivery = text("", &wamid(), body);
    let value = &mut delivery["entry"][0]["changes"][0]["value"];
    let absent = |part: &mut Value, name: &str| drop(part.as_object_mut().unwrap().remove(name));
    absent(&mut value["messages"][0], "from");
    absent(&mut value["contacts"][0], "wa_id");
    if let Some(phone) = phone {
        value["messages"][0]["from"] = phone.into();
        value["contacts"][0]["wa_id"] = phone.into();
    }
    if let Some(bsuid) = bsuid {
        value["messages"][0]["from_user_id"] = bsuid.into();
        value["contacts"][0]["user_id"] = bsuid.into();
    }
    delivery
}

async fn conversation_of(house: &House, served: &Served, reader: &Person, delivery: &Value) -> (Value, Value) {
    served.deliver(delivery).await;
    house.all_taken_in().await;
    let wamid = &delivery["entry"][0]["changes"][0]["value"]["messages"][0]["id"];
    let lines = reader.sync("0").await;
    let found = entries(&lines, "message_received").into_iter().find(|entry| entry["body"]["wamid"] == *wamid).unwrap();
    (found["body"]["conversation"].clone(), found["body"]["case"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_is_one_however_whatsapp_names_them_and_no_audience_grows() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let (phone, bsuid) = ("96550000001", "KW.13491208655302741918");
    let (by_phone, first_case) = conversation_of(&house, &served, &admin, &shown(Some(phone), None, "بالرقم")).await;
    let (hidden, second_case) = conversation_of(&house, &served, &admin, &shown(None, Some(bsuid), "بلا رقم")).await;
    assert_ne!(by_phone, hidden, "nothing shows yet that this is one person");
    // The first case is another team's business from now on.
    let team = "billing";
    let pack = std::fs::read_to_string(crate::house::pack()).unwrap();
    let other_team = pack.split("[[team]]").skip(1).find_map(|part| {
        let slug = part.split("slug = \"").nth(1)?.split('"').next()?;
        (slug != "customer-service").then(|| slug.to_owned())
    });
    let team = other_team.unwrap_or_else(|| team.to_owned());
    admin.must(json!({"kind": "transfer", "case": first_case, "team": team})).await;
    let colleague = admin.add("colleague", &["agent"], &[&team]).await;
    let both = || shown(Some(phone), Some(bsuid), "بكليهما");
    assert_eq!(conversation_of(&house, &served, &admin, &both()).await.0, hidden, "the BSUID knows best");
    assert_eq!(conversation_of(&house, &served, &admin, &shown(Some(phone), None, "بالرقم من جديد")).await.0, hidden);
    assert_eq!(conversation_of(&house, &served, &admin, &shown(None, Some(bsuid), "بلا رقم من جديد")).await.0, hidden);
    let lines = admin.sync("0").await;
    let joined: Vec<_> = entries(&lines, "contact_changed")
        .into_iter()
        .filter(|entry| entry["body"]["merged_into"].is_string())
        .collect();
    assert!(
        !joined.is_empty()
            && joined.iter().all(|entry| entry["scope"] == format!("case:{}", first_case.as_str().unwrap()))
    );
    // Who sees the one case sees nothing of the other, joined or not.
    let theirs = colleague.sync("0").await;
    let scopes: BTreeSet<_> = theirs.iter().filter_map(|line| line["entry"]["scope"].as_str()).collect();
    assert!(scopes.contains(&*format!("case:{}", first_case.as_str().unwrap())));
    assert!(!scopes.contains(&*format!("case:{}", second_case.as_str().unwrap())), "{scopes:?}");
    assert!(!json!(theirs).to_string().contains("بكليهما"));
    served.stop().await;
    house.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_changed_hands_is_another_persons() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let number = "96550000001";
    let (before, case) = conversation_of(&house, &served, &admin, &shown(Some(number), Some("KW.1"), "الأول")).await;
    let (after, _) = conversation_of(&house, &served, &admin, &shown(Some(number), Some("KW.2"), "الثاني")).await;
    assert_ne!(before, after);
    assert_eq!(conversation_of(&house, &served, &admin, &shown(Some(number), None, "الثاني")).await.0, after);
    assert_eq!(conversation_of(&house, &served, &admin, &shown(None, Some("KW.1"), "الأول")).await.0, before);
    // A reply to the former holder does not go to the number.
    let seen = 1_000_000;
    admin.must(json!({"kind": "reply", "conversation": before, "case": case, "text": "رد", "seen": seen})).await;
    let lines = admin.sync("0").await;
    let queued = entries(&lines, "message_queued");
    assert_eq!(queued[0]["body"]["recipient"], json!({"kind": "bsuid", "value": "KW.1"}));
    served.stop().await;
    house.verify();
}

/// JSON as Meta sends it: everything but ASCII escaped, in small hex digits, and each slash too.
fn escaped(body: &Value) -> String {
    let text = body.to_string().replace('/', "\\/");
    text.encode_utf16().map(|c| if c < 128 { char::from(c as u8).to_string() } else { format!("\\u{c:04x}") }).collect()
}

async fn post(address: &str, path: &str, secret: &[u8], body: String) -> u16 {
    let signature = whatsapp::signature::sign(secret, body.as_bytes());
    let request = http().post(format!("{address}{path}")).header("content-type", "application/json");
    request.header("x-hub-signature-256", signature).body(body).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_megabytes_of_everything_in_one_post_are_taken_in_whole() {
    let graph = crate::graph::Graph::start().await;
    let house = House::new(&graph.address);
    let other_line = "200000000000001";
    let code = house.add_agency("moci", other_line);
    let served = house.serve().await;
    let mew = house.admin(&served.address).await;
    let body =
        json!({"agency": "moci", "username": "admin", "password": crate::house::PASSWORD, "device": "d", "code": code});
    let moci = sign_in(&served.address, &body).await;
    let (conversation, case) = conversation_of(&house, &served, &mew, &shown(Some("96550000001"), None, "أولًا")).await;
    let reply = crate::house::uuid();
    mew.must(json!({"id": reply, "kind": "reply", "conversation": conversation, "case": case, "text": "رد", "seen": 1_000_000})).await;
    crate::house::eventually("a POST", async || (!graph.texts().is_empty()).then_some(())).await;

    // Entries of two accounts, several changes each, messages and statuses side by side: 240 long texts.
    let long = |n: usize| format!("{n}: {}", "السلام عليكم / 😀 ".repeat(160));
    let mut entry = json!([]);
    for n in 0..24 {
        let line = if n % 3 == 0 { other_line } else { LINE };
        let mut change =
            message(line, "96550000001", "", System.now(), "text", &json!({"body": ""}))["entry"][0]["changes"][0]
                .clone();
        change["value"]["messages"] = (0..10)
            .map(|m| {
                let from = format!("9655000{:04}", n * 10 + m);
                json!({"from": from, "id": format!("wamid.{n}.{m}"), "timestamp": (System.now() / 1000).to_string(),
                    "type": "text", "text": {"body": long(n * 10 + m)}})
            })
            .collect();
        change["value"]["contacts"] = json!([]);
        if n == 1 {
            change["value"]["statuses"] = json!([
                {"id": "wamid.out.1", "status": "read", "timestamp": "1", "recipient_id": "96550000001", "biz_opaque_callback_data": reply},
                {"id": "wamid.out.1", "status": "sent", "timestamp": "1", "recipient_id": "96550000001", "biz_opaque_callback_data": reply},
                {"id": "wamid.nobody", "status": "delivered", "timestamp": "1", "recipient_id": "96550000001"}]);
        }
        if n % 2 == 0 {
            entry.as_array_mut().unwrap().push(json!({"id": n.to_string(), "changes": []}));
        }
        entry.as_array_mut().unwrap().last_mut().unwrap()["changes"].as_array_mut().unwrap().push(change);
    }
    let whole = escaped(&json!({"object": "whatsapp_business_account", "entry": entry}));
    assert!((2_900_000..4_000_000).contains(&whole.len()) && whole.is_ascii(), "{}", whole.len());
    let path = "/webhooks/whatsapp";
    assert_eq!(post(&served.address, path, b"another secret", whole.clone()).await, 401);
    for _ in 0..2 {
        assert_eq!(post(&served.address, path, SECRET, whole.clone()).await, 200);
    }
    house.all_taken_in().await;
    let texts = async |who: &Person| -> BTreeSet<String> {
        let lines = who.sync("0").await;
        let received = entries(&lines, "message_received");
        let texts: Vec<_> = received.iter().map(|entry| entry["body"]["text"].as_str().unwrap().to_owned()).collect();
        let distinct: BTreeSet<String> = texts.iter().cloned().collect();
        assert_eq!(texts.len(), distinct.len(), "one was taken in twice");
        distinct
    };
    let wanted = |of_moci: bool| (0..240).filter(move |n| ((n / 10) % 3 == 0) == of_moci).map(long);
    assert_eq!(texts(&moci).await, wanted(true).collect());
    assert_eq!(texts(&mew).await, wanted(false).chain(["أولًا".to_owned()]).collect());
    let lines = mew.sync("0").await;
    let last = entries(&lines, "message_status_changed").last().unwrap()["body"]["status"].clone();
    assert_eq!(last, "read", "and what came after it in the list does not take it back");
    served.stop().await;
    house.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_is_rotated_both_sign() {
    let house = House::new("http://127.0.0.1:9");
    for (name, secret) in [("new", "the new secret"), ("old", "the old secret")] {
        std::fs::write(house.folder.path().join(name), secret).unwrap();
    }
    let text_of = std::fs::read_to_string(&house.config).unwrap();
    let more = format!(
        "[[webhook]]\npath = \"/webhooks/mew\"\nkind = \"meta\"\nsecret_files = [\"new\", \"old\"]\nlines = [{LINE:?}]\n"
    );
    std::fs::write(&house.config, text_of + &more).unwrap();
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let mut wanted = vec![];
    for (secret, status) in
        [(&b"the new secret"[..], 200), (b"the old secret", 200), (b"the older secret", 401), (SECRET, 401)]
    {
        let body = format!("«{}»", String::from_utf8_lossy(secret));
        assert_eq!(
            post(&served.address, "/webhooks/mew", secret, escaped(&text("96550000001", &wamid(), &body))).await,
            status
        );
        if status == 200 {
            wanted.push(body);
        }
    }
    house.all_taken_in().await;
    let lines = admin.sync("0").await;
    let texts: Vec<_> = entries(&lines, "message_received").iter().map(|entry| entry["body"]["text"].clone()).collect();
    assert_eq!(texts, wanted);
    served.stop().await;
}
