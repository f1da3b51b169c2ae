//! How fast replies go out: by citizen and by line, and what Meta's own limits do to others.

use std::time::Duration;

use serde_json::json;

use crate::{
    graph::{Fate, Graph},
    house::{House, Person, eventually, writes},
};

const QUIET: Duration = Duration::from_millis(700);

async fn reply(agent: &Person, (conversation, case): &(String, String), text: &str) {
    let reply = json!({"kind": "reply", "conversation": conversation, "case": case, "text": text, "seen": 1_000_000});
    agent.must(reply).await;
}

async fn sent(graph: &Graph, count: usize) {
    eventually(&format!("{count} of what may go"), async || (graph.texts().len() >= count).then_some(())).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(graph.texts().len(), count, "{:?}", graph.texts());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_citizen_gets_a_burst_and_then_one_in_six_seconds_while_others_go_on() {
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    house.configure("token_file = \"token\"\n", "token_file = \"token\"\nmessages_per_second = 1000\n");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let chatty = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let other = writes(&served, &admin, "96550000002", "السلام عليكم").await;
    house.clock.stop();
    for n in 0..48 {
        reply(&admin, &chatty, &n.to_string()).await;
    }
    sent(&graph, 45).await;
    reply(&admin, &other, "other").await;
    sent(&graph, 46).await;
    house.clock.forward(6100);
    sent(&graph, 47).await;
    house.clock.forward(6100);
    sent(&graph, 48).await;
    let order: Vec<_> = graph.texts().into_iter().filter(|text| text != "other").collect();
    assert_eq!(order, (0..47).map(|n| n.to_string()).collect::<Vec<_>>());
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_keeps_to_its_pace() {
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    house.configure("token_file = \"token\"\n", "token_file = \"token\"\nmessages_per_second = 1\n");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let mut citizens = vec![];
    for n in 1..=4 {
        citizens.push(writes(&served, &admin, &format!("9655000000{n}"), "السلام عليكم").await);
    }
    let began = std::time::Instant::now();
    for citizen in &citizens {
        reply(&admin, citizen, "نعم").await;
    }
    eventually("all four", async || (graph.texts().len() == 4).then_some(())).await;
    let took = began.elapsed();
    assert!(took > Duration::from_millis(2900), "four messages in {took:?} at one in a second");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_meta_slows_down_is_that_citizen_or_that_line_and_no_more() {
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let first = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let second = writes(&served, &admin, "96550000002", "السلام عليكم").await;
    house.clock.stop();
    // Twice too fast for this citizen: 1 s, then 4 s.
    graph.next(&[Fate::Refuse(131_056)]);
    reply(&admin, &first, "first").await;
    sent(&graph, 1).await;
    reply(&admin, &second, "second").await;
    sent(&graph, 2).await;
    graph.next(&[Fate::Refuse(131_056)]);
    house.clock.forward(1100);
    sent(&graph, 3).await;
    house.clock.forward(2000);
    tokio::time::sleep(QUIET).await;
    assert_eq!(graph.texts().len(), 3, "the second pause is longer than the first");
    house.clock.forward(2000);
    sent(&graph, 4).await;
    assert_eq!(graph.texts(), ["first", "second", "first", "first"]);

    // Too fast for the line: everybody on it waits.
    for code in [130_429, 80_007, 4] {
        let before = graph.texts().len();
        graph.next(&[Fate::Refuse(code)]);
        reply(&admin, &first, "slow").await;
        sent(&graph, before + 1).await;
        reply(&admin, &second, "behind").await;
        tokio::time::sleep(QUIET).await;
        assert_eq!(graph.texts().len(), before + 1, "{code}: another citizen's went out in the pause");
        house.clock.forward(3_600_000);
        sent(&graph, before + 3).await;
    }
    served.stop().await;
}
