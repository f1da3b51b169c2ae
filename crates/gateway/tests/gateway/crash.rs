//! `kill -9` under load: each webhook that was answered 200 is in the journal exactly once.

use std::{
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    extent::{chance, counted, times},
    graph::{Fate, Graph},
    house::{House, Person, deliver, entries, eventually, http, status, uuid, writes_at},
    load::{Desk, Load, Promises},
    program::Program,
};

crate::postgres::on_both_homes! {
    what_was_answered_200_is_in_the_journal_exactly_once,
    killed_while_whatsapp_takes_its_time_nothing_is_sent_twice,
}

/// The real program is started, gets load, is killed; in the end everything that it answered for is there once.
async fn what_was_answered_200_is_in_the_journal_exactly_once() {
    let house = House::new("http://127.0.0.1:9");
    let least = times(20, 100, 2000);
    let mut chance = chance();
    let promises = Arc::new(Promises::default());
    let mut cycles = 0;
    let (mut desk, mut slowest) = (None, Duration::ZERO);
    while cycles < least || promises.fewer_than(51, 6) {
        cycles += 1;
        let began = Instant::now();
        let program = Program::start(&house.config, "error", Stdio::inherit());
        slowest = slowest.max(began.elapsed());
        if desk.is_none() {
            desk = Some(Desk::sit_down(&program.address, &house.admin(&program.address).await).await);
        }
        let load = Load::start(&program.address, desk.as_ref().unwrap(), &promises);
        tokio::time::sleep(Duration::from_millis(chance.u64(50..400))).await;
        program.kill();
        load.stop().await;
    }
    let program = Program::start(&house.config, "error", Stdio::inherit());
    house.all_taken_in().await;
    assert_eq!(http().get(format!("{}/readyz", program.address)).send().await.unwrap().status(), 200);
    program.kill();

    let (webhooks, notes) = promises.count();
    let lost = promises.lost(&house);
    let slowest_ms = u64::try_from(slowest.as_millis()).unwrap();
    counted(
        json!({"cycles": cycles, "webhooks": webhooks, "notes": notes, "lost": lost, "slowest_start_ms": slowest_ms}),
    );
    assert!(webhooks > 50 && notes > 5, "{webhooks} webhooks and {notes} notes were answered: this showed nothing");
    assert_eq!(lost, 0, "of {webhooks} webhooks and {notes} notes");
    assert!(slowest < Duration::from_secs(10), "serving again took {slowest:?}");
    house.verify();
}

async fn killed_while_whatsapp_takes_its_time_nothing_is_sent_twice() {
    let graph = Graph::start().await;
    graph.next(&[Fate::Slow(Duration::from_secs(60))]);
    let house = House::new(&graph.address);
    let program = Program::start(&house.config, "error", Stdio::inherit());
    let admin = house.admin(&program.address).await;
    let (conversation, case) = writes_at(&program.address, &admin, "96550000001", "السلام عليكم").await;
    let id = uuid();
    let reply =
        json!({"id": id, "kind": "reply", "conversation": conversation, "case": case, "text": "وعليكم", "seen": 99});
    let answer = admin.must(reply.clone()).await;
    eventually("the POST", async || (graph.texts().len() == 1).then_some(())).await;
    program.kill();

    let program = Program::start(&house.config, "error", Stdio::inherit());
    let admin = Person::at(&admin, &program.address);
    assert_eq!(admin.ask(reply).await, answer, "the desk asks again, and is told what it was told");
    let words = async || -> Vec<String> {
        let lines = admin.sync("0").await;
        let changes = entries(&lines, "message_status_changed").into_iter();
        changes.map(|entry| entry["body"]["status"].as_str().unwrap().to_owned()).collect()
    };
    eventually("nobody knows", async || (words().await == ["sending", "uncertain"]).then_some(())).await;
    deliver(&program.address, &status("wamid.out.1", "sent", Some(&id))).await.unwrap();
    eventually("its status", async || (words().await == ["sending", "uncertain", "sent"]).then_some(())).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(graph.texts(), ["وعليكم"]);
    program.kill();
    house.verify();
}
