//! No personal data and no secret in the logs, however much is logged.

use std::{fs::File, time::Duration};

use serde_json::json;

use crate::{
    graph::{Fate, Graph},
    house::{House, PASSWORD, http, message, status, text, uuid, wamid, writes_at},
    program::Program,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_run_logs_nothing_personal() {
    let graph = Graph::start().await;
    graph.next(&[Fate::Refuse(131_026), Fate::Swallow, Fate::Refuse(131_056), Fate::Refuse(190)]);
    let house = House::new(&graph.address);
    let log = house.folder.path().join("log");
    let program = Program::start(&house.config, "info,gateway=trace", File::create(&log).unwrap().into());
    let address = program.address.clone();
    let admin = house.admin(&address).await;
    let (phone, words) = ("96566041187", "كلمات لا يراها أحد");
    let (conversation, case) = writes_at(&address, &admin, phone, words).await;
    for fate in ["refused", "unknown", "too fast", "bad token"] {
        let reply = json!({"kind": "reply", "conversation": conversation, "case": case, "text": format!("{words} {fate}"), "seen": 1_000_000});
        admin.must(reply).await;
    }
    admin.must(json!({"kind": "add_note", "case": case, "text": words})).await;
    let odd = json!({"name": words, "deep": [words]});
    let mut bodies = vec![
        message("no such line", phone, &wamid(), 0, "text", &json!({"body": words})),
        message(crate::house::LINE, phone, &wamid(), 0, words, &odd),
        status(&format!("wamid.{phone}"), "failed", None),
        json!({"entry": words}),
        text(phone, &wamid(), words),
    ];
    bodies[4]["entry"][0]["changes"][0]["value"]["messages"][0]["id"] = json!([words]);
    for body in &bodies {
        crate::house::deliver(&address, body).await.unwrap();
    }
    let session = |body: serde_json::Value| http().post(format!("{address}/api/v1/session")).json(&body).send();
    session(json!({"agency": "mew", "username": "admin", "password": format!("{PASSWORD} {words}"), "device": words}))
        .await
        .unwrap();
    session(json!({"agency": words, "username": words, "password": [words]})).await.unwrap();
    admin.ask(json!({"id": uuid(), "kind": "add_note", "case": words, "text": 7})).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    program.kill();

    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(logged.lines().count() >= 6, "hardly anything was logged: {logged}");
    let file = |name: &str| std::fs::read_to_string(house.folder.path().join(name)).unwrap().trim().to_owned();
    let secrets = [
        phone.to_owned(),
        words.to_owned(),
        "مراجع".to_owned(),
        "wamid.".to_owned(),
        PASSWORD.to_owned(),
        house.code.clone(),
        admin.token.clone(),
        file("app-secret"),
        file("token"),
    ];
    for secret in secrets {
        // As it is, and as JSON writes it.
        for text in [secret.clone(), json!(secret).to_string().trim_matches('"').to_owned()] {
            assert!(!logged.contains(&text), "{text} is in the log: {logged}");
        }
    }
}
