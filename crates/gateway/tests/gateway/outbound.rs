//! A Graph API that fails in every way there is: no reply goes out twice, and whatever went out is known in the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    extent::{chance, counted, times},
    graph::{Fate, Graph, Posted},
    house::{House, Person, Served, deliver, eventually, status, text, uuid, wamid},
};

/// What befalls one message in four.
fn fate(chance: &mut fastrand::Rng, hangs: usize, hung: &mut usize) -> Fate {
    match chance.u8(..) {
        0..8 => Fate::Swallow,
        8..16 => Fate::Lose,
        16..24 => Fate::Break { taken: true },
        24..32 => Fate::Break { taken: false },
        32..36 => Fate::Refuse(131_056),
        36..39 => Fate::Refuse(130_429),
        39..41 => Fate::Refuse(80_007),
        41..45 => Fate::Refuse(131_026),
        45..60 => Fate::Slow(Duration::from_millis(chance.u64(10..400))),
        60..64 if *hung < hangs => {
            *hung += 1;
            Fate::Hang
        }
        _ => Fate::Accept,
    }
}

/// Reports of what goes out: late, more than once, in no order, and some never come.
async fn report(graph: Graph, address: String, mut chance: fastrand::Rng) {
    let mut known = 0;
    loop {
        let new = graph.posted(known);
        known += new.len();
        let mut reports = vec![];
        for Posted { message, wamid, .. } in new.iter().filter(|posted| posted.fate.takes()) {
            for word in ["sent", "delivered", "delivered"] {
                if word == "delivered" || chance.u8(0..4) > 0 {
                    reports.push(status(wamid, word, Some(message)));
                }
            }
        }
        chance.shuffle(&mut reports);
        for report in reports {
            while deliver(&address, &report).await.ok() != Some(200) {}
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Each citizen writes, and gets replies.
async fn reply_to_all(house: &House, served: &Served, admin: &Person, count: usize) -> BTreeSet<String> {
    // Meta takes 45 at once; each that nobody knows holds the later ones back.
    let citizens = count.div_ceil(times(8, 40, 40));
    for n in 0..citizens {
        served.deliver(&text(&format!("9655{n:07}"), &wamid(), "السلام عليكم")).await;
    }
    house.all_taken_in().await;
    let talks: Vec<(String, String)> = {
        let sql = "SELECT json_extract(body, '$.conversation'), json_extract(body, '$.case') FROM entries
                   WHERE kind = 'case_opened' ORDER BY seq";
        let conn = house.journal();
        let mut select = conn.prepare(sql).unwrap();
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(talks.len(), citizens);
    let mut ids = BTreeSet::new();
    let mut batch: Vec<Value> = vec![];
    for n in 0..count {
        let (conversation, case) = &talks[n % citizens];
        let id = uuid();
        batch.push(json!({"id": id, "kind": "reply", "conversation": conversation, "case": case, "text": format!("رد {n}"), "seen": 1_000_000}));
        ids.insert(id);
        if batch.len() == 100 || n + 1 == count {
            let (status, answers) = admin.commands(&json!(std::mem::take(&mut batch))).await;
            assert_eq!(status, 200, "{answers}");
            assert!(answers.as_array().unwrap().iter().all(|answer| answer["accepted"].is_array()), "{answers}");
        }
    }
    ids
}

/// Where each message stands.
fn stands(house: &House) -> BTreeMap<String, String> {
    let sql = "SELECT json_extract(body, '$.message'), json_extract(body, '$.status') FROM entries
               WHERE kind = 'message_status_changed' ORDER BY seq";
    let conn = house.journal();
    let mut select = conn.prepare(sql).unwrap();
    select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_out_twice_and_what_went_out_is_known() {
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    house.configure("token_file = \"token\"\n", "token_file = \"token\"\nmessages_per_second = 1000\n");
    let served = house.serve_with(|config| config.limits.commands_per_minute = 1_000_000).await;
    let admin = house.admin(&served.address).await;
    let (mut chance, count) = (chance(), times(240, 10_000, 100_000));
    let (mut dice, mut hung, hangs) = (chance.fork(), 0, times(0, 100, 1000));
    graph.choose(move || fate(&mut dice, hangs, &mut hung));
    let reports = tokio::spawn(report(graph.clone(), served.address.clone(), chance.fork()));
    // What Meta slows down waits for seconds, and what nobody knows for a minute: time passes twenty times as fast.
    let clock = house.clock.clone();
    let time = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(25)).await;
            clock.forward(475);
        }
    });
    let ids = reply_to_all(&house, &served, &admin, count).await;

    let mut left = usize::MAX;
    loop {
        let waits = async {
            eventually("some progress", async || {
                let (stands, posted) = (stands(&house), graph.posted(0));
                let taken: BTreeSet<&str> =
                    posted.iter().filter(|posted| posted.fate.takes()).map(|posted| posted.message.as_str()).collect();
                let settled = |id: &String| match stands.get(id).map(String::as_str) {
                    Some("delivered") => true,
                    Some("failed" | "uncertain") => !taken.contains(id.as_str()),
                    _ => false,
                };
                let now = ids.iter().filter(|id| !settled(id)).count();
                (now < left).then_some(now)
            })
            .await
        };
        left = waits.await;
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    time.abort();
    reports.abort();

    let posted = graph.posted(0);
    let mut by_message: BTreeMap<&str, Vec<Fate>> = BTreeMap::new();
    posted.iter().for_each(|posted| by_message.entry(&posted.message).or_default().push(posted.fate));
    assert_eq!(by_message.len(), ids.len(), "each was POSTed");
    for (message, fates) in &by_message {
        assert!(fates.iter().filter(|fate| fate.takes()).count() <= 1, "{message} went out twice");
        let (_, repeated) = fates.split_last().unwrap();
        assert!(repeated.iter().all(|fate| fate.may_be_repeated()), "{message} was repeated blindly");
    }
    assert_eq!(graph.overlaps(), 0, "two to one citizen were under way at once");
    let stands = stands(&house);
    let number = |word: &str| stands.values().filter(|stand| *stand == word).count();
    let doubted = "SELECT count(*) FROM entries WHERE kind = 'message_status_changed' AND json_extract(body, '$.status') = 'uncertain'";
    let doubted: u32 = house.journal().query_row(doubted, [], |row| row.get(0)).unwrap();
    counted(
        json!({"replies": count, "posts": posted.len(), "delivered": number("delivered"), "failed": number("failed"),
        "doubted": doubted, "left_uncertain": number("uncertain"), "sent_twice": 0}),
    );
    assert!(
        usize::try_from(doubted).unwrap() > number("uncertain") && number("uncertain") > 0,
        "too little went wrong"
    );
    served.stop().await;
    house.verify();
}
