//! Clocks that are wrong: the gateway's, by up to 400 days and back while it runs, and those of the desks.

use std::{sync::atomic::Ordering, time::Duration};

use domain::ids::{Clock as _, Ids as _, Millis, System};
use serde_json::{Value, json};

use crate::{
    extent::{chance, count_panics, counted, times},
    graph::{Fate, Graph},
    house::{House, PASSWORD, Person, Served, entries, eventually, http, text, uuid, wamid, writes},
};

const DAY: Millis = 86_400_000;

fn days(chance: &mut fastrand::Rng) -> Millis {
    chance.i64(-400 * DAY..=400 * DAY)
}

/// Somebody guesses a password; what that is answered.
async fn guess(served: &Served, password: &str) -> u16 {
    let body = json!({"agency": "mew", "username": "admin", "password": password, "device": "another desk"});
    let asked = http().post(format!("{}/api/v1/session", served.address)).json(&body);
    asked.send().await.unwrap().status().as_u16()
}

/// Asks as a desk does: a clock that was set back may cost it a moment's patience.
async fn ask(admin: &Person, mut command: Value) -> Value {
    command["id"] = command.get("id").cloned().unwrap_or_else(|| uuid().into());
    eventually("an answer", async || {
        let (status, answers) = admin.commands(&json!([command])).await;
        assert!(status == 200 || status == 429, "{answers}");
        (status == 200).then(|| answers[0].clone())
    })
    .await
}

async fn must(admin: &Person, command: Value) {
    let answer = ask(admin, command).await;
    assert!(answer["accepted"].is_array(), "{answer}");
}

/// A reply that has to be POSTed now.
async fn must_go_out(
    house: &House,
    graph: &Graph,
    admin: &Person,
    (conversation, case): &(String, String),
    words: &str,
) {
    let reply = json!({"kind": "reply", "conversation": conversation, "case": case, "text": words, "seen": 1_000_000});
    must(admin, reply).await;
    eventually(&format!("{words} ({} ms ahead)", house.clock.now() - System.now()), async || {
        graph.texts().contains(&words.to_owned()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_clocks_say_the_order_holds_and_work_goes_on() {
    let panics = count_panics();
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let mut chance = chance();
    let jumps = times(40, 1000, 10_000);
    let mut talk = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let mut written = System.now();
    let (mut replies, mut refusals) = (0, 0);
    for n in 0..jumps {
        // One time in three the clock is right again.
        house.clock.ahead(if chance.u8(0..3) == 0 { 0 } else { days(&mut chance) });
        // Forty at once are within what one person may get; the next is another.
        if n % 40 == 39 {
            talk = writes(&served, &admin, &format!("9655{n:07}"), "السلام عليكم").await;
            written = System.now();
        }
        let (conversation, case) = &talk;
        // The desk's clock is wrong in a way of its own, and so the id bears another time.
        let id = System.next(System.now() + days(&mut chance)).to_string();
        match chance.u8(0..3) {
            0 => {
                written = System.now();
                served.deliver(&text("96550000001", &wamid(), "هل من جديد؟")).await;
                if n < 40 {
                    continue;
                }
            }
            1 => must(&admin, json!({"id": id, "kind": "add_note", "case": case, "text": "ملاحظة"})).await,
            _ => {
                let reply = json!({"id": id, "kind": "reply", "conversation": conversation, "case": case, "text": "نعم", "seen": 1_000_000});
                let answer = ask(&admin, reply).await;
                // The window is 24 hours from what the citizen wrote last, by the gateway's clock as it is now.
                if house.clock.now() < written + DAY - 60_000 {
                    assert!(answer["accepted"].is_array(), "{answer}");
                    replies += 1;
                } else {
                    assert_eq!(answer["refused"]["code"], "window_closed", "{answer}");
                    refusals += 1;
                }
            }
        }
    }
    assert!(replies > jumps / 12 && refusals > jumps / 50, "{replies} replies and {refusals} refusals");
    house.all_taken_in().await;

    // `seq` alone is the order; `at` never goes back, and catch-up keeps to it.
    let conn = house.journal();
    let back = "SELECT count(*) FROM entries a JOIN entries b ON b.seq = a.seq + 1 WHERE b.at < a.at";
    assert_eq!(conn.query_row(back, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "`at` went back");
    let lines = admin.sync("0").await;
    let seqs: Vec<i64> = lines.iter().filter_map(|line| line["entry"]["seq"].as_i64()).collect();
    assert!(seqs.is_sorted() && seqs.len() > jumps / 2);
    counted(json!({"jumps": jumps, "replies": replies, "refused_by_the_window": refusals}));

    // What was paced, held back or counted while the clock was ahead waits for nothing once it is right.
    for (n, fate) in [Fate::Refuse(131_056), Fate::Refuse(130_429), Fate::Swallow].into_iter().enumerate() {
        house.clock.ahead(0);
        let talk = writes(&served, &admin, &format!("9656000000{n}"), "السلام عليكم").await;
        let other = writes(&served, &admin, &format!("9656100000{n}"), "السلام عليكم").await;
        graph.next(&[fate]);
        let (before, words) = (graph.texts().len(), format!("في وقت آخر {n}"));
        let (conversation, case) = &talk;
        let reply =
            json!({"kind": "reply", "conversation": conversation, "case": case, "text": words, "seen": 1_000_000});
        must(&admin, reply).await;
        house.clock.ahead(400 * DAY);
        must(&admin, json!({"kind": "add_note", "case": case, "text": "ملاحظة"})).await;
        eventually("the POST that fails", async || (graph.texts().len() > before).then_some(())).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        house.clock.ahead(0);
        must_go_out(&house, &graph, &admin, &other, &format!("إلى غيره {n}")).await;
        must_go_out(&house, &graph, &admin, &talk, &format!("بعدها {n}")).await;
    }
    house.clock.ahead(400 * DAY);
    for _ in 0..20 {
        guess(&served, "not the password").await;
    }
    assert_eq!(guess(&served, PASSWORD).await, 429);
    house.clock.ahead(0);
    assert_eq!(guess(&served, PASSWORD).await, 201, "locked out until the clock comes round");
    let kinds: Vec<&Value> = entries(&lines, "message_received");
    assert!(!kinds.is_empty());
    assert_eq!(http().get(format!("{}/readyz", served.address)).send().await.unwrap().status(), 200);
    served.stop().await;
    house.verify();
    assert_eq!(panics.load(Ordering::SeqCst), 0, "something panicked");
}
