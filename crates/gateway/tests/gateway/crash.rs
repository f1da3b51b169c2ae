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

use crate::{
    house::{House, deliver, eventually, http, text, wamid},
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
    eventually("every delivery is done", async || {
        let left: i64 = house
            .deliveries()
            .query_row("SELECT count(*) FROM deliveries WHERE state <> 'done'", [], |row| row.get(0))
            .unwrap();
        (left == 0).then_some(())
    })
    .await;
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
