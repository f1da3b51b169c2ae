//! `kill -9` under load: each webhook that was answered 200 is in the journal exactly once.

use std::{
    collections::HashSet,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    graph::{Fate, Graph},
    house::{House, Person, deliver, entries, eventually, http, status, text, uuid, wamid, writes_at},
    program::Program,
};

const CYCLES: u64 = 20;
const SENDERS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_200_is_in_the_journal_exactly_once() {
    let house = House::new("http://127.0.0.1:9");
    let answered = Arc::new(Mutex::new(HashSet::<String>::new()));
    let mut slowest = Duration::ZERO;
    for cycle in 0..CYCLES {
        let began = Instant::now();
        let program = Program::start(&house.config, "error", Stdio::inherit());
        let address = program.address.clone();
        slowest = slowest.max(began.elapsed());
        let stop = Arc::new(AtomicBool::new(false));
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (address, answered, stop) = (address.clone(), Arc::clone(&answered), Arc::clone(&stop));
                tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        let id = wamid();
                        let body = text(&format!("9655000{sender:04}"), &id, "الكهرباء مقطوعة");
                        // Each twice, as Meta does.
                        for _ in 0..2 {
                            if deliver(&address, &body).await.is_ok_and(|status| status == 200) {
                                answered.lock().unwrap().insert(id.clone());
                            }
                        }
                    }
                })
            })
            .collect();
        // 50 to 400 ms, another in each cycle.
        tokio::time::sleep(Duration::from_millis(50 + cycle * 350 / CYCLES)).await;
        program.kill();
        stop.store(true, Ordering::Relaxed);
        for sender in senders {
            sender.await.unwrap();
        }
    }
    let program = Program::start(&house.config, "error", Stdio::inherit());
    house.all_taken_in().await;
    assert_eq!(http().get(format!("{}/readyz", program.address)).send().await.unwrap().status(), 200);
    program.kill();

    let conn = house.journal();
    let mut select =
        conn.prepare("SELECT json_extract(body, '$.wamid') FROM entries WHERE kind = 'message_received'").unwrap();
    let journal: Vec<String> = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let once: HashSet<String> = journal.iter().cloned().collect();
    assert_eq!(once.len(), journal.len(), "a message is in the journal twice");
    let answered = answered.lock().unwrap();
    assert!(answered.len() > 50, "only {} deliveries were answered: this showed nothing", answered.len());
    let lost: Vec<_> = answered.difference(&once).collect();
    assert!(lost.is_empty(), "{} of {} answered deliveries are lost", lost.len(), answered.len());
    assert!(slowest < Duration::from_secs(10), "serving again took {slowest:?}");
    house.verify();
}

#[tokio::test(flavor = "multi_thread")]
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
