//! The program dies between every two steps: whatever it was about to do to its files next, it does not do any more.
//!
//! That is finer than the steps of the code (delivery stored, items handed in, journal committed, records committed,
//! delivery settled): each of them is several writes. Every other time the power goes as well.

use std::process::Stdio;

use domain::ids::{Clock as _, System};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    disk_faults::{DiskFaults, Image, Unsynced},
    extent::{chance, counted, times},
    graph::Graph,
    house::{House, LINE, Person, deliver, eventually, message, status, text, uuid, wamid, writes},
    program::Program,
};

/// A house at rest, in which a citizen has written and was answered, and the points at which to die.
struct Rehearsal {
    house: House,
    graph: Graph,
    faults: DiskFaults,
    before: Image,
    admin: Person,
    conversation: String,
    case: String,
    sent: String,
}

impl Rehearsal {
    async fn new() -> Option<Self> {
        let faults = DiskFaults::new()?;
        let graph = Graph::start().await;
        let house = House::new(&graph.address);
        let served = house.serve().await;
        let admin = house.admin(&served.address).await;
        let (conversation, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
        let sent = uuid();
        let reply = json!({"id": sent, "kind": "reply", "conversation": conversation, "case": case, "text": "وعليكم", "seen": 99});
        admin.must(reply).await;
        eventually("accepted", async || (changes(&house, &sent) == ["sending", "sending"]).then_some(())).await;
        served.stop().await;
        let before = Image::take(&house);
        Some(Self { house, graph, faults, before, admin, conversation, case, sent })
    }

    /// Puts everything back, does something with a program that dies at the n-th thing it does to its files, and starts
    /// another one. `false`: it did not die before `done`.
    async fn die_at(
        &self,
        n: usize,
        chance: &mut fastrand::Rng,
        act: impl AsyncFnOnce(&str),
        done: impl Fn() -> bool,
    ) -> Option<Program> {
        self.before.put(&self.house);
        let mut program = self.faults.start(&self.house, Stdio::inherit());
        self.faults.kill_at(n);
        act(&program.address).await;
        let died = eventually("its end, or the end of the work", async || {
            let gone = program.gone();
            (gone || done()).then_some(gone)
        })
        .await;
        program.kill();
        if chance.bool() {
            let fate = if chance.bool() { Unsynced::Lost } else { Unsynced::Torn };
            self.before.clone().after_power_cut(&self.faults, fate, chance).put(&self.house);
        }
        died.then(|| Program::start(&self.house.config, "error", Stdio::inherit()))
    }
}

/// What became of a message, in order.
fn changes(house: &House, message: &str) -> Vec<String> {
    let sql = "SELECT json_extract(body, '$.status') FROM entries
               WHERE kind = 'message_status_changed' AND json_extract(body, '$.message') = ?1 ORDER BY seq";
    let conn = house.journal();
    let mut select = conn.prepare(sql).unwrap();
    select.query_map([message], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn number(conn: &Connection, sql: &str) -> i64 {
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_taken_in_exactly_once_wherever_the_program_dies() {
    let Some(rehearsal) = Rehearsal::new().await else { return };
    let house = &rehearsal.house;
    let mut chance = chance();
    let (every, mut points) = (times(17, 1, 1), 0);
    let mut n = 1 + chance.usize(0..every);
    loop {
        // A new citizen, one who is known, and a report on what was sent: all in one POST.
        let (new, known) = (wamid(), wamid());
        let mut body = text("96550000002", &new, "الكهرباء مقطوعة");
        let more = message(LINE, "96550000001", &known, System.now(), "text", &json!({"body": "ما الجديد؟"}));
        let part = |body: &Value, list: &str| body["entry"][0]["changes"][0]["value"][list][0].clone();
        let value = &mut body["entry"][0]["changes"][0]["value"];
        value["messages"].as_array_mut().unwrap().push(part(&more, "messages"));
        value["statuses"] = json!([part(&status("wamid.out.1", "delivered", Some(&rehearsal.sent)), "statuses")]);

        let mut answered = false;
        let settled = || {
            let deliveries = house.deliveries();
            number(&deliveries, "SELECT count(*) FROM deliveries WHERE state = 'done'") == 2
        };
        let act = async |address: &str| answered = deliver(address, &body).await.is_ok_and(|status| status == 200);
        let Some(program) = rehearsal.die_at(n, &mut chance, act, settled).await else { break };
        if !answered {
            // Meta repeats.
            assert_eq!(deliver(&program.address, &body).await.unwrap(), 200);
        }
        house.all_taken_in().await;
        program.kill();
        let conn = house.journal();
        for id in [&new, &known] {
            let sql = format!("SELECT count(*) FROM entries WHERE kind = 'message_received' AND body LIKE '%{id}%'");
            assert_eq!(number(&conn, &sql), 1, "dead at {n}, answered: {answered}");
        }
        assert_eq!((house.count("message_received"), house.count("conversation_opened")), (3, 2), "dead at {n}");
        assert_eq!(house.count("case_opened"), 2, "dead at {n}");
        assert_eq!(changes(house, &rehearsal.sent), ["sending", "sending", "delivered"], "dead at {n}");
        house.verify();
        points += 1;
        n += every;
    }
    counted(json!({"points": points}));
    assert!(points >= 2 && n > 30, "it was done after {n} steps, and died {points} times: this showed nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_posted_at_most_once_wherever_the_program_dies() {
    let Some(rehearsal) = Rehearsal::new().await else { return };
    let (house, graph) = (&rehearsal.house, &rehearsal.graph);
    let mut chance = chance();
    let (every, mut points, mut uncertain) = (times(17, 1, 1), 0, 0);
    let mut n = 1 + chance.usize(0..every);
    loop {
        let id = uuid();
        let reply = json!({"id": id, "kind": "reply", "conversation": rehearsal.conversation, "case": rehearsal.case,
            "text": "تم", "seen": 99});
        let posted = || graph.posts().iter().filter(|post| post["biz_opaque_callback_data"] == *id).count();
        let commands = json!([reply]);
        let act = async |address: &str| {
            let http = crate::house::http().post(format!("{address}/api/v1/commands"));
            let _ = http.bearer_auth(&rehearsal.admin.token).json(&commands).send().await;
        };
        let accepted = || changes(house, &id) == ["sending", "sending"];
        let Some(program) = rehearsal.die_at(n, &mut chance, act, accepted).await else { break };
        // The desk asks again, since nobody answered; or because it was killed before it could keep the answer.
        Person::at(&rehearsal.admin, &program.address).must(reply).await;
        let came = eventually("an outcome", async || {
            let last = changes(house, &id).pop()?;
            let known = last == "uncertain" || posted() == 1 && changes(house, &id).len() >= 2;
            known.then_some(last)
        })
        .await;
        assert!(posted() <= 1, "dead at {n}: POSTed {} times", posted());
        if posted() == 1 {
            // Its report settles what nobody knew.
            let report = status(&format!("wamid.late.{n}"), "delivered", Some(&id));
            assert_eq!(deliver(&program.address, &report).await.unwrap(), 200);
            eventually("the report", async || changes(house, &id).contains(&"delivered".to_owned()).then_some(()))
                .await;
        }
        uncertain += usize::from(came == "uncertain");
        program.kill();
        assert!(posted() <= 1, "dead at {n}: POSTed {} times", posted());
        house.verify();
        points += 1;
        n += every;
    }
    counted(json!({"points": points, "uncertain": uncertain}));
    assert!(points >= 2 && n > 30, "it was done after {n} steps, and died {points} times: this showed nothing");
}
