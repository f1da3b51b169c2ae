//! What an older version left raw is understood after an upgrade.

use domain::ids::{Clock, System};
use serde_json::{Value, json};

use crate::house::{House, LINE, entries, eventually, message, writes};

#[tokio::test(flavor = "multi_thread")]
async fn after_an_upgrade_what_was_left_raw_is_understood_once() {
    let house = House::new("http://127.0.0.1:9");
    let older = |config: &mut gateway::config::Config| config.reader = 1;
    let served = house.serve_with(older).await;
    let admin = house.admin(&served.address).await;
    let tapped = [
        ("button", json!({"payload": "yes", "text": "نعم، أؤكد"}), Some("نعم، أؤكد")),
        ("interactive", json!({"type": "list_reply", "list_reply": {"id": "1", "title": "شكوى"}}), Some("شكوى")),
        ("interactive", json!({"type": "nfm_reply", "nfm_reply": {"response_json": "{}"}}), None),
        ("hologram", json!({"depth": 3}), None),
    ];
    for (n, (kind, content, _)) in tapped.iter().enumerate() {
        served.deliver(&message(LINE, "96550000001", &format!("wamid.{n}"), System.now(), kind, content)).await;
    }
    house.all_taken_in().await;
    let raw = |lines: &[Value]| -> Vec<Value> {
        entries(lines, "message_received").iter().map(|entry| entry["body"]["reader"].clone()).collect()
    };
    assert_eq!(raw(&admin.sync("0").await), [json!(1), json!(1), json!(1), json!(1)]);
    served.stop().await;

    // The same program again understands no more than before; the newer one does, and says so once.
    house.serve_with(older).await.stop().await;
    assert_eq!(house.count("message_understood"), 0);
    for _ in 0..2 {
        let served = house.serve().await;
        eventually("both understood", async || (house.count("message_understood") >= 2).then_some(())).await;
        let admin = crate::house::Person::at(&admin, &served.address);
        writes(&served, &admin, "96550000002", "لا ينتظر أحد").await;
        let lines = admin.sync("0").await;
        let received = entries(&lines, "message_received");
        let texts: Vec<(Value, Value)> = entries(&lines, "message_understood")
            .iter()
            .map(|entry| (entry["body"]["message"].clone(), entry["body"]["text"].clone()))
            .collect();
        let wanted: Vec<(Value, Value)> = received
            .iter()
            .zip(&tapped)
            .filter_map(|(entry, (.., text))| Some((entry["body"]["message"].clone(), json!(text.as_ref()?))))
            .collect();
        assert_eq!(texts, wanted);
        served.stop().await;
    }
    house.verify();
    // What comes from now on is understood at once.
    let served = house.serve().await;
    let later = message(LINE, "96550000001", "wamid.later", System.now(), "button", &tapped[0].1);
    served.deliver(&later).await;
    house.all_taken_in().await;
    let admin = crate::house::Person::at(&admin, &served.address);
    let lines = admin.sync("0").await;
    let body = entries(&lines, "message_received").last().unwrap()["body"].clone();
    assert_eq!((&body["text"], body.get("raw"), body.get("reader")), (&json!("نعم، أؤكد"), None, None));
    served.stop().await;
}
