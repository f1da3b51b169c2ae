//! Values that a home refuses: they cost whoever sent them, and nobody else.

use domain::ids::Clock as _;
use domain::ids::System;
use gateway::home::Storage;
use serde_json::json;

use crate::{
    house::{House, LINE, deliver, entries, eventually, message, text, wamid},
    postgres::on_both_homes,
};

on_both_homes! {
    nul_in_texts_and_names_is_kept_and_shown_alike,
    what_cannot_be_stored_keeps_nothing_else_waiting,
}

async fn nul_in_texts_and_names_is_kept_and_shown_alike() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let named = |kind: &str, content: serde_json::Value| {
        let mut delivery = message(LINE, "96550000001", &wamid(), System.now(), kind, &content);
        delivery["entry"][0]["changes"][0]["value"]["contacts"][0]["profile"]["name"] = "فا\0طمة".into();
        delivery
    };
    let plain = named("text", json!({"body": "قبل\0بعد"}));
    assert!(plain.to_string().contains("\\u0000"), "it goes as it would come from WhatsApp");
    served.deliver(&plain).await;
    served.deliver(&named("hologram\0", json!({"depth\0": "\0"}))).await;
    let mut other = text("965500000\0", &format!("{}\0", wamid()), "\0");
    other["entry"][0]["changes"][0]["value"]["messages"][0]["context"] = json!({"id": "\0"});
    served.deliver(&other).await;
    house.all_taken_in().await;

    let lines = admin.sync("0").await;
    let texts: Vec<_> = entries(&lines, "message_received").iter().map(|entry| entry["body"]["text"].clone()).collect();
    assert_eq!(texts, [json!("قبل\u{fffd}بعد"), json!(null), json!("\u{fffd}")]);
    let received = entries(&lines, "message_received");
    assert_eq!(received[1]["body"]["type"], "hologram\u{fffd}");
    assert!(received[1]["body"]["raw"].to_string().contains("\\u0000"), "what is not understood is kept as it came");
    let named = |line: &&serde_json::Value| line.to_string().contains("فا\u{fffd}طمة");
    assert!(lines.iter().any(|line| named(&line)), "the name is shown");
    let case = &received[0]["body"]["case"];
    admin.must(json!({"kind": "add_note", "case": case, "text": "\0ملاحظة"})).await;
    assert_eq!(house.bodies("note_added")[0]["text"], "\0ملاحظة");
    served.stop().await;
    house.verify();
}

async fn what_cannot_be_stored_keeps_nothing_else_waiting() {
    let house = House::new("http://127.0.0.1:9");
    let sqlite = matches!(house.storage(), Storage::Sqlite(_));
    house.change(&[if sqlite {
        "CREATE TRIGGER refused BEFORE INSERT ON entries WHEN new.body LIKE '%poison%'
         BEGIN SELECT RAISE(ABORT, 'refused'); END"
    } else {
        "ALTER TABLE entries ADD CONSTRAINT refused CHECK (body NOT LIKE '%poison%')"
    }]);
    let served = house.serve().await;
    let sent = (0..40).map(|n| {
        let address = served.address.clone();
        let words = if n % 2 == 0 { "poison" } else { "خبز" };
        tokio::spawn(
            async move { deliver(&address, &text(&format!("965510000{n:02}"), &wamid(), words)).await.unwrap() },
        )
    });
    for sent in sent.collect::<Vec<_>>() {
        assert_eq!(sent.await.unwrap(), 200, "it is kept, whatever comes of it");
    }
    eventually("all the others", async || (house.count("message_received") == 20).then_some(())).await;
    served.deliver(&text("96550000001", &wamid(), "ماء")).await;
    eventually("what comes later", async || (house.count("message_received") == 21).then_some(())).await;
    served.stop().await;
    assert_eq!(house.number_of_deliveries("SELECT count(*) FROM deliveries WHERE state <> 'done'"), 20);

    house.change(&[if sqlite { "DROP TRIGGER refused" } else { "ALTER TABLE entries DROP CONSTRAINT refused" }]);
    let served = house.serve().await;
    house.all_taken_in().await;
    assert_eq!(house.count("message_received"), 41, "each once");
    served.stop().await;
    house.verify();
}
