//! Several gateway processes on one PostgreSQL.

use std::{process::Stdio, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    graph::Graph,
    house::{House, Person, Served, deliver, entries, eventually, http, text, uuid, wamid, writes_at},
    postgres::{self, apart},
    program::Program,
};

/// A house on PostgreSQL.
pub(crate) async fn house(graph: &str) -> House {
    postgres::HERE.scope((), async { House::new(graph) }).await
}

/// The house's second process, within the test.
async fn second(house: &House) -> Served {
    let records = house.folder.path().join("data-b");
    std::fs::create_dir_all(&records).unwrap();
    house
        .serve_with(|config| {
            config.records = records;
            config.times.presence = Duration::from_millis(50);
        })
        .await
}

/// The configuration of the house's second process.
pub(crate) fn second_config(house: &House, graph: Option<(&str, &str)>) -> std::path::PathBuf {
    std::fs::create_dir_all(house.folder.path().join("data-b")).unwrap();
    let mut text = std::fs::read_to_string(&house.config).unwrap();
    text = text.replace("records = \"data\"", "records = \"data-b\"");
    if let Some((from, to)) = graph {
        text = text.replace(from, to);
    }
    let path = house.folder.path().join("gateway-b.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// A connection to the house's database, used on a thread of its own.
pub(crate) fn client(house: &House) -> ::postgres::Client {
    let text = std::fs::read_to_string(&house.config).unwrap();
    let address = text.split('"').find(|text| text.starts_with("postgres://")).unwrap().to_owned();
    ::postgres::Client::connect(&address, ::postgres::NoTls).unwrap()
}

fn sql(house: &House, sql: &str) {
    apart(|| client(house).batch_execute(sql).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_commits_reaches_the_desks_of_the_other() {
    let house = house("http://127.0.0.1:9").await;
    let (a, b) = (house.serve().await, second(&house).await);
    let admin = house.admin(&a.address).await;
    let there = Person::at(&admin, &b.address);
    let mut live = there.live(&there.cursor().await).await;
    let agent = admin.add("agent1", &["agent"], &["customer-service"]).await;
    let (_, case) = writes_at(&a.address, &admin, "96550000001", "السلام عليكم").await;
    let note = json!({"id": uuid(), "kind": "add_note", "case": case, "text": "اتصلت به"});
    let answer = admin.must(note.clone()).await;
    assert_eq!(there.ask(note).await, answer, "the same id, the same answer, from whichever process");
    there.must(json!({"kind": "close_case", "case": case, "outcome": "done"})).await;
    agent.must(json!({"kind": "reopen_case", "case": case})).await;

    // Each once, in order, without a gap, as one who starts afresh is told it.
    let lines = admin.sync("0").await;
    let last = lines.iter().filter_map(|line| line["entry"]["seq"].as_i64()).max().unwrap();
    let (mut got, mut prev) = (vec![], None);
    while got.last() != Some(&last) {
        let line = live.entry().await;
        let entry = &line["entry"];
        assert!(prev.is_none_or(|prev| entry["prev"] == prev), "{line} after {prev:?}");
        prev = entry["seq"].as_i64();
        got.push(prev.unwrap());
    }
    let expected: Vec<i64> =
        lines.iter().filter_map(|line| line["entry"]["seq"].as_i64()).filter(|seq| *seq >= got[0]).collect();
    assert_eq!(got, expected);

    // A cursor of the one is good at the other, however far that has come.
    for _ in 0..20 {
        admin.must(json!({"kind": "add_note", "case": case, "text": "ثم"})).await;
        let cursor = admin.cursor().await;
        assert_eq!(there.get(&format!("/api/v1/sync?after={cursor}")).await.status(), 200);
    }
    a.stop().await;
    b.stop().await;
    house.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_claims_over_two_processes_give_one_owner() {
    let house = house("http://127.0.0.1:9").await;
    let generous = |config: &mut gateway::config::Config| config.limits.commands_per_minute = 100_000;
    let a = house.serve_with(generous).await;
    let records = house.folder.path().join("data-b");
    std::fs::create_dir_all(&records).unwrap();
    let b = house
        .serve_with(|config| {
            generous(config);
            config.records = records;
        })
        .await;
    let admin = house.admin(&a.address).await;
    let mut people = vec![];
    for n in 0..8 {
        people.push(admin.add(&format!("agent{n}"), &["agent"], &["customer-service"]).await);
    }
    for (round, claims) in [1000, 50, 50].into_iter().enumerate() {
        let (_, case) = writes_at(&b.address, &admin, &format!("9655000000{round}"), "مرحبا").await;
        let asked = (0..claims).map(|n| {
            let address = if n % 2 == 0 { &a.address } else { &b.address };
            let other = if n % 2 == 0 { &b.address } else { &a.address };
            let (person, again) = (Person::at(&people[n % 8], address), Person::at(&people[n % 8], other));
            let claim = json!({"id": uuid(), "kind": "claim", "case": case});
            async move {
                let answer = person.ask(claim.clone()).await;
                (person.id.clone(), answer, again, claim)
            }
        });
        let asked: Vec<_> = futures_util::StreamExt::collect(futures_util::StreamExt::buffer_unordered(
            futures_util::stream::iter(asked),
            200,
        ))
        .await;
        let assigned: Vec<Value> =
            house.bodies("case_assigned").into_iter().filter(|body| body["case"] == case).collect();
        assert_eq!(assigned.len(), 1, "{assigned:?}");
        for (who, answer, ..) in &asked {
            let accepted = answer["accepted"].is_array();
            assert!(!accepted || assigned[0]["staff"] == **who, "{who}: {answer}");
            assert!(accepted || answer["refused"]["code"] == "owned", "{answer}");
        }
        for (_, answer, again, claim) in asked.iter().step_by(claims / 25) {
            assert_eq!(again.ask(claim.clone()).await, *answer, "asked again at the other process");
        }
    }
    a.stop().await;
    b.stop().await;
    house.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn citizens_who_write_to_both_at_once_stay_one_each_and_numbers_are_dense() {
    let house = house("http://127.0.0.1:9").await;
    let (a, b) = (house.serve().await, second(&house).await);
    // Two messages of each, and each message to both: WhatsApp repeats where it likes.
    let posts = (0..60).flat_map(|n| {
        let body = text(&format!("965500010{:02}", n / 2), &wamid(), "الكهرباء مقطوعة");
        [&a.address, &b.address].map(|address| {
            let body = body.clone();
            async move { deliver(address, &body).await.unwrap() }
        })
    });
    assert!(join_all(posts).await.iter().all(|status| *status == 200));
    house.all_taken_in().await;
    assert_eq!(house.count("message_received"), 60);
    assert_eq!(house.count("conversation_opened"), 30);
    let numbers: Vec<Value> = house.bodies("case_opened").into_iter().map(|body| body["number"].clone()).collect();
    assert_eq!(numbers.len(), 30);
    for (number, place) in numbers.iter().zip(1..) {
        assert!(number.to_string().ends_with(&format!("-{place:06}\"")), "{numbers:?}");
    }
    a.stop().await;
    b.stop().await;
    house.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_at_one_process_closes_the_socket_at_the_other() {
    let house = house("http://127.0.0.1:9").await;
    let (a, b) = (house.serve().await, second(&house).await);
    let admin = house.admin(&a.address).await;
    let there = Person::at(&admin, &b.address);
    let mut live = there.live(&there.cursor().await).await;
    let out = http().delete(format!("{}/api/v1/session", a.address)).bearer_auth(&admin.token).send().await.unwrap();
    assert!(out.status().is_success());
    tokio::time::timeout(Duration::from_secs(5), async { while live.next().await.is_some() {} }).await.unwrap();
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_at_one_process_is_shown_at_the_other() {
    let house = house("http://127.0.0.1:9").await;
    let (a, b) = (house.serve().await, second(&house).await);
    let admin = house.admin(&a.address).await;
    let agent = admin.add("agent1", &["agent"], &["customer-service"]).await;
    let (_, case) = writes_at(&a.address, &admin, "96550000001", "السلام عليكم").await;
    let there = Person::at(&admin, &b.address);
    let mut watching = there.live(&there.cursor().await).await;
    let mut reading = agent.live(&agent.cursor().await).await;
    assert!(reading.say(&json!({"viewing": case}).to_string()).await);
    let told = watching.presence().await;
    assert_eq!((&told["staff"], &told["case"]), (&json!(agent.id), &json!(case)));
    assert!(told["viewing"].as_i64().unwrap() > 0);
    drop(reading);
    assert_eq!(watching.presence().await["viewing"], 0, "gone");
    // How far a person has seen a case reaches their desks at the other process too.
    admin.must(json!({"kind": "seen_up_to", "case": case, "seq": 5})).await;
    while watching.next().await.unwrap().get("position").is_none() {}
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_word_came_of_is_found_by_looking() {
    let house = house("http://127.0.0.1:9").await;
    let (a, b) = (house.serve().await, second(&house).await);
    let admin = house.admin(&a.address).await;
    let there = Person::at(&admin, &b.address);
    let mut live = there.live(&there.cursor().await).await;
    // Nobody hears anything: whoever listens is cut off again and again.
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let mut client = apart(|| client(&house));
    let deaf = std::thread::spawn(move || {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'
                   AND datname = current_database()";
        while stopped.recv_timeout(Duration::from_millis(20)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            client.batch_execute(cut).unwrap();
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    for n in 0..5 {
        let id = wamid();
        a.deliver(&text("96550000001", &id, &format!("{n}"))).await;
        while live.entry().await["entry"]["body"]["wamid"] != id {}
    }
    drop(stop);
    deaf.join().unwrap();
    assert_eq!(http().get(format!("{}/readyz", b.address)).send().await.unwrap().status(), 200);
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_is_lost_on_its_way_is_made_up_for_by_looking() {
    let house = house("http://127.0.0.1:9").await;
    let (a, b) = (house.serve().await, second(&house).await);
    let admin = house.admin(&a.address).await;
    let there = Person::at(&admin, &b.address);
    let mut live = there.live(&there.cursor().await).await;
    for n in 0..3 {
        // Whoever has called is cut off before the next call, which then comes to nothing; whoever listens is not, and
        // hears nothing.
        admin.must(json!({"kind": "change_staff", "staff": admin.id, "name": format!("{n}")})).await;
        eventually("a connection that has called", async || {
            let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                       WHERE query LIKE 'SELECT pg_notify%' AND state = 'idle' AND datname = current_database()";
            tokio::time::sleep(Duration::from_millis(300)).await;
            let cut: i64 = apart(|| client(&house).query_one(cut, &[]).unwrap().get(0));
            (cut > 0).then_some(())
        })
        .await;
        let id = wamid();
        a.deliver(&text("96550000001", &id, &format!("{n}"))).await;
        while live.entry().await["entry"]["body"]["wamid"] != id {}
    }
    a.stop().await;
    b.stop().await;
}

async fn reply(person: &Person, conversation: &str, case: &str, text: &str) -> String {
    let id = uuid();
    let reply = json!({"id": id, "kind": "reply", "conversation": conversation, "case": case, "text": text,
        "seen": 1_000_000});
    person.must(reply).await;
    id
}

async fn words(person: &Person, message: &str) -> Vec<String> {
    let lines = person.sync("0").await;
    let changes = entries(&lines, "message_status_changed").into_iter();
    let of = changes.filter(|entry| entry["body"]["message"] == message);
    of.map(|entry| entry["body"]["status"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_taken_over_when_its_process_dies() {
    let graph = Graph::start().await;
    let house = house(&graph.address).await;
    let a = Program::start(&house.config, "error", Stdio::inherit());
    let b = Program::start(&second_config(&house, None), "error", Stdio::inherit());
    let there = Person::at(&house.admin(&a.address).await, &b.address);
    let (conversation, case) = writes_at(&a.address, &there, "96550000001", "السلام عليكم").await;
    let (other, other_case) = writes_at(&a.address, &there, "96550000002", "السلام عليكم").await;
    graph.next(&[crate::graph::Fate::Slow(Duration::from_secs(60))]);
    let broken_off = reply(&there, &conversation, &case, "أولى").await;
    eventually("the POST", async || (graph.texts() == ["أولى"]).then_some(())).await;
    a.kill();
    let began = std::time::Instant::now();
    let next = reply(&there, &other, &other_case, "ثانية").await;
    eventually("the other process sends", async || (graph.texts() == ["أولى", "ثانية"]).then_some(())).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(12), "taking over took {took:?}");
    eventually("both stand", async || {
        let stand = (words(&there, &broken_off).await, words(&there, &next).await);
        (stand.0 == ["sending", "uncertain"] && stand.1 == ["sending", "sending"]).then_some(())
    })
    .await;
    b.kill();
    house.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sleeps_while_another_takes_the_line_sends_nothing_on_waking() {
    let (graph_a, graph_b) = (Graph::start().await, Graph::start().await);
    let house = house(&graph_a.address).await;
    let a = Program::start(&house.config, "error", Stdio::inherit());
    let b =
        Program::start(&second_config(&house, Some((&graph_a.address, &graph_b.address))), "error", Stdio::inherit());
    let there = Person::at(&house.admin(&a.address).await, &b.address);
    let (conversation, case) = writes_at(&b.address, &there, "96550000001", "السلام عليكم").await;
    house.change(&["INSERT INTO holds (what, since) VALUES ('sending', 1)"]);
    let message = reply(&there, &conversation, &case, "أولى").await;

    // The head is locked while the first process asks for the entry that permits its POST; then it is stopped.
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let (mut locks, mut looks) = apart(|| (client(&house), client(&house)));
    let locked = std::thread::spawn(move || {
        let mut transaction = locks.transaction().unwrap();
        transaction.batch_execute("SELECT * FROM agency_mew.head FOR UPDATE").unwrap();
        let _ = gone.recv();
        transaction.commit().unwrap();
    });
    sql(&house, "SELECT pg_sleep(0.2); DELETE FROM agency_mew.holds");
    let waits = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let mut looks = tokio::task::spawn_blocking(move || {
        while looks.query(waits, &[]).unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(10));
        }
        looks
    })
    .await
    .unwrap();
    a.signal("STOP");
    sql(&house, "UPDATE deliveries.leases SET until = 0 WHERE what LIKE 'line %'");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let held = apart(move || {
        let held =
            "SELECT count(*) FROM deliveries.leases l JOIN deliveries.leases p ON p.what = 'process ' || l.holder
                    WHERE l.what LIKE 'line %' AND l.until > extract(epoch FROM clock_timestamp()) * 1000";
        looks.query_one(held, &[]).unwrap().get::<_, i64>(0)
    });
    assert_eq!(held, 1, "the other process has taken the line");
    a.signal("CONT");
    drop(go);
    locked.join().unwrap();
    eventually("the other process sends", async || (graph_b.texts() == ["أولى"]).then_some(())).await;
    let expected = ["sending", "queued", "sending", "sending"];
    eventually("it stands", async || (words(&there, &message).await == expected).then_some(())).await;
    assert_eq!(graph_a.texts(), [""; 0], "whoever woke up has POSTed nothing");
    a.kill();
    b.kill();
    house.verify();
}
