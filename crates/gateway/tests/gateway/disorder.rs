//! Everything comes more than once and in no order: messages, reports, and both together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use domain::words::Status;
use serde_json::{Value, json};

use crate::{
    extent::{chance, counted, times},
    graph::Graph,
    house::{House, LINE, Person, deliver, entries, eventually, status, text, uuid, value, wamid, writes},
};

const AT_ONCE: usize = 16;

/// Posts all of them, sixteen at once.
async fn deliver_all(address: &str, bodies: Vec<Value>) {
    let (bodies, next) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
    let senders: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (address, bodies, next) = (address.to_owned(), Arc::clone(&bodies), Arc::clone(&next));
            tokio::spawn(async move {
                while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                    assert_eq!(deliver(&address, body).await.unwrap(), 200);
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
}

/// Replies to every citizen; each message's wamid.
async fn replies(
    house: &House,
    graph: &Graph,
    admin: &Person,
    talks: &[(String, String)],
    each: usize,
) -> BTreeMap<String, String> {
    let mut queued = BTreeSet::new();
    for (conversation, case) in talks {
        for n in 0..each {
            let id = uuid();
            let reply = json!({"id": id, "kind": "reply", "conversation": conversation, "case": case,
                "text": format!("رد {n}"), "seen": 1_000_000});
            admin.must(reply).await;
            queued.insert(id);
        }
    }
    eventually("every POST", async || (graph.posted(0).len() == queued.len()).then_some(())).await;
    assert_eq!(house.count("message_queued"), i64::try_from(queued.len()).unwrap());
    graph.posted(0).into_iter().map(|posted| (posted.message, posted.wamid)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_doubled_and_no_tick_goes_back() {
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    house.configure("token_file = \"token\"\n", "token_file = \"token\"\nmessages_per_second = 1000\n");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let mut chance = chance();
    let (people, messages) = (times(10, 100, 1000), times(120, 3000, 50_000));
    let from = |n: usize| format!("9655{n:07}");
    let mut talks = vec![];
    for n in 0..people / 5 {
        talks.push(writes(&served, &admin, &from(n), "السلام عليكم").await);
    }
    let before = people / 5;
    let sent = replies(&house, &graph, &admin, &talks, times(5, 20, 20)).await;

    // Each message and each report, alone or with others in one POST, one to five times.
    let mut items: Vec<(&str, Value)> = vec![];
    let inner = |body: &Value, list: &str| body["entry"][0]["changes"][0]["value"][list][0].clone();
    let wamids: Vec<String> = (0..messages).map(|_| wamid()).collect();
    for (n, id) in wamids.iter().enumerate() {
        items.push(("messages", inner(&text(&from(n % people), id, &format!("رسالة {n}")), "messages")));
    }
    for (message, id) in &sent {
        for word in ["sent", "delivered", "read"] {
            // Some reports name our id, and all of them WhatsApp's.
            let named = chance.bool().then_some(message.as_str());
            items.push(("statuses", inner(&status(id, word, named), "statuses")));
        }
    }
    let mut all: Vec<_> =
        items.iter().flat_map(|item| std::iter::repeat_n(item.clone(), chance.usize(1..=5))).collect();
    chance.shuffle(&mut all);
    let mut bodies = vec![];
    let mut rest = all.as_slice();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(chance.usize(1..=4).min(rest.len()));
        let list = |name: &str| now.iter().filter(|item| item.0 == name).map(|item| &item.1).collect::<Vec<_>>();
        bodies.push(value(LINE, json!({"messages": list("messages"), "statuses": list("statuses")})));
        rest = later;
    }
    let posts = bodies.len();
    deliver_all(&served.address, bodies).await;
    house.all_taken_in().await;

    let lines = admin.sync("0").await;
    let received = entries(&lines, "message_received");
    let once: BTreeSet<&str> = received.iter().map(|entry| entry["body"]["wamid"].as_str().unwrap()).collect();
    assert_eq!((received.len(), once.len()), (messages + before, messages + before), "each message once");
    assert!(wamids.iter().all(|id| once.contains(id.as_str())));
    assert_eq!(entries(&lines, "conversation_opened").len(), people, "one conversation a person");
    assert_eq!(entries(&lines, "case_opened").len(), people);
    let mut stands: BTreeMap<&str, Status> = sent.keys().map(|id| (id.as_str(), Status::Queued)).collect();
    let mut accepted = BTreeSet::new();
    for entry in entries(&lines, "message_status_changed") {
        let message = entry["body"]["message"].as_str().unwrap();
        let next: Status = serde_json::from_value(entry["body"]["status"].clone()).unwrap();
        let stand = stands.get_mut(message).unwrap();
        let onward = stand.moves_to(next) || (next == Status::Sending && *stand == next && accepted.insert(message));
        assert!(onward, "{message} went from {stand:?} to {next:?}");
        *stand = next;
    }
    assert!(stands.values().all(|stand| *stand == Status::Read), "{stands:?}");
    assert_eq!(graph.posted(0).len(), sent.len(), "each reply once");
    // The number stands in a wamid, so what is kept to recognise it is keyed.
    let sql = "SELECT count(*) FROM seen WHERE length(item) <> 32 OR item LIKE '%wamid%'";
    assert_eq!(house.journal().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    counted(json!({"messages": messages, "reports": 3 * sent.len(), "items_delivered": all.len(), "posts": posts}));
    served.stop().await;
    house.verify();
}
