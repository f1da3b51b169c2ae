//! What can be seen of a gateway at work, and by whom.

use gateway::home::Storage;
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    graph::{Fate, Graph},
    house::{House, deliver, eventually, http, message, status, text, uuid, wamid, writes},
};

/// The samples of a scrape: name and labels, and the value.
fn samples(text: &str) -> Vec<(String, f64)> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().unwrap())).unwrap())
        .collect()
}

async fn scrape(address: &str) -> Vec<(String, f64)> {
    let answer = http().get(format!("{address}/metrics")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    samples(&answer.text().await.unwrap())
}

crate::postgres::on_both_homes! {
    a_scrape_tells_how_the_gateway_stands,
}

async fn a_scrape_tells_how_the_gateway_stands() {
    let graph = Graph::start().await;
    graph.next(&[Fate::Accept, Fate::Refuse(131_026), Fate::Swallow]);
    let house = House::new(&graph.address);
    house.configure("records = \"data\"", "records = \"data\"\nmedia = \"file:media\"");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let mut live = admin.live(&admin.cursor().await).await;
    let (conversation, case) = writes(&served, &admin, "96550000001", "الكهرباء مقطوعة").await;
    for words in ["accepted", "refused", "ambiguous", "behind it"] {
        admin
            .must(
                json!({"kind": "reply", "conversation": conversation, "case": case, "text": words, "seen": 1_000_000}),
            )
            .await;
    }
    let nowhere = message("no such line", "96550000001", &wamid(), 0, "text", &json!({"body": "?"}));
    assert_eq!(deliver(&served.address, &nowhere).await.unwrap(), 200);
    let unsigned = http().post(format!("{}/webhooks/whatsapp", served.address)).json(&json!({})).send().await.unwrap();
    assert_eq!(unsigned.status(), 401);
    let wrong = json!({"agency": "mew", "username": "admin", "password": "a wrong password", "device": "d"});
    for body in [&wrong, &json!({"agency": uuid(), "username": uuid(), "password": "x", "device": "d"})] {
        let answer = http().post(format!("{}/api/v1/session", served.address)).json(body).send().await.unwrap();
        assert_eq!(answer.status(), 401);
    }
    live.entry().await;
    // A reply of ours that went out before an older backup was restored; and what another program sent.
    served.deliver(&status("wamid.lost", "delivered", Some(&uuid()))).await;
    served.deliver(&status("wamid.anothers", "delivered", None)).await;
    served.deliver(&status("wamid.anothers.too", "delivered", Some("order 17"))).await;

    let here = matches!(house.storage(), Storage::Sqlite(_))
        .then_some((r#"shubbak_disk_free_bytes{folder="journal"}"#, 1.0..=1e18));
    let expected = [
        (r#"shubbak_webhooks_total{endpoint="/webhooks/whatsapp",code="200"}"#, 5.0..=5.0),
        (r#"shubbak_lost_reply_reports_total{agency="mew"}"#, 1.0..=1.0),
        (r#"shubbak_webhooks_total{endpoint="/webhooks/whatsapp",code="401"}"#, 1.0..=1.0),
        ("shubbak_deliveries_waiting", 0.0..=0.0),
        ("shubbak_delivery_oldest_seconds", 0.0..=0.0),
        (r#"shubbak_deliveries_aside{reason="the line is not configured"}"#, 1.0..=1.0),
        (r#"shubbak_last_inbound_seconds{agency="mew"}"#, 0.0..=60.0),
        (r#"shubbak_desks{agency="mew"}"#, 1.0..=1.0),
        (r#"shubbak_sends_total{agency="mew",line="100000000000001",outcome="accepted"}"#, 1.0..=1.0),
        (r#"shubbak_sends_total{agency="mew",line="100000000000001",outcome="refused"}"#, 1.0..=1.0),
        (r#"shubbak_sends_total{agency="mew",line="100000000000001",outcome="ambiguous"}"#, 1.0..=1.0),
        (r#"shubbak_messages_waiting{agency="mew"}"#, 1.0..=1.0),
        (r#"shubbak_message_oldest_seconds{agency="mew"}"#, 0.0..=60.0),
        (r#"shubbak_messages_uncertain{agency="mew"}"#, 1.0..=1.0),
        (r#"shubbak_sign_in_failures_total{why="wrong"}"#, 2.0..=2.0),
        ("shubbak_sign_ins_waiting", 0.0..=0.0),
        (r#"shubbak_records_behind{agency="mew"}"#, 0.0..=0.0),
        (r#"shubbak_ready{agency="mew"}"#, 1.0..=1.0),
        (r#"shubbak_sending_held{agency="mew"}"#, 0.0..=0.0),
        (r#"shubbak_disk_free_bytes{folder="records"}"#, 1.0..=1e18),
        (r#"shubbak_disk_free_bytes{folder="media"}"#, 1.0..=1e18),
        ("shubbak_memory_bytes", 1e6..=1e12),
        ("shubbak_uptime_seconds", 0.0..=600.0),
        ("shubbak_deliveries_commit_seconds_count", 2.0..=1e6),
        ("shubbak_deliveries_batch_items_sum", 2.0..=1e6),
        (r#"shubbak_journal_commit_seconds_count{agency="mew"}"#, 8.0..=1e6),
        (r#"shubbak_journal_batch_items_bucket{agency="mew",le="1"}"#, 1.0..=1e6),
    ];
    let mut missing = Vec::new();
    for _ in 0..40 {
        let seen = scrape(&served.address).await;
        missing = expected
            .iter()
            .chain(&here)
            .filter(|(name, range)| !seen.iter().any(|(other, value)| other == name && range.contains(value)))
            .map(|(name, range)| {
                let found = seen.iter().find(|(other, _)| other == name);
                format!("{name}: {:?} is not within {range:?}", found.map(|(_, value)| value))
            })
            .collect();
        if missing.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    assert_eq!(missing, Vec::<String>::new());
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_operator_reads_the_metrics() {
    let house = House::new("http://127.0.0.1:9");
    let ask = async |address: &str, headers: &[(&str, &str)]| {
        let mut request = http().get(format!("{address}/metrics"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status()
    };
    // Without a token: this machine alone, and nothing that a proxy passed on.
    let served = house.serve().await;
    assert_eq!(ask(&served.address, &[]).await, 200);
    for name in ["x-forwarded-for", "forwarded", "x-real-ip", "via", "x-forwarded-host"] {
        assert_eq!(ask(&served.address, &[(name, "127.0.0.1")]).await, 404, "{name}");
    }
    let admin = house.admin(&served.address).await;
    assert_eq!(ask(&served.address, &[("authorization", &format!("Bearer {}", admin.token))]).await, 200, "here");
    served.stop().await;
    // Behind a proxy everybody comes from this machine.
    let served = house.serve_with(|config| config.server.behind_proxy = true).await;
    assert_eq!(ask(&served.address, &[]).await, 404);
    assert_eq!(ask(&served.address, &[("x-forwarded-for", "127.0.0.1")]).await, 404);
    served.stop().await;
    // With a token: whoever bears it, and nobody else, not even here.
    std::fs::write(house.folder.path().join("metrics-token"), "for the eyes of Prometheus\n").unwrap();
    house.configure("[server]", "[server]\nbehind_proxy = true\nmetrics_token_file = \"metrics-token\"");
    let served = house.serve().await;
    let bears = async |token: &str| ask(&served.address, &[("authorization", token)]).await;
    assert_eq!(ask(&served.address, &[]).await, 401);
    assert_eq!(bears(&format!("Bearer {}", admin.token)).await, StatusCode::UNAUTHORIZED, "a desk's token");
    assert_eq!(bears("Bearer ").await, 401);
    assert_eq!(bears("Bearer for the eyes of Prometheu").await, 401);
    assert_eq!(bears("for the eyes of Prometheus").await, 401);
    assert_eq!(bears("Bearer for the eyes of Prometheus").await, 200);
    served.stop().await;
}

/// Other networks reach this machine by another of its addresses.
#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_for_loopback_alone() {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    // Nothing is sent: this asks which address this machine has towards others.
    let Some(own) = socket.connect("192.0.2.1:9").ok().and_then(|()| socket.local_addr().ok()) else {
        println!("Skipped: this machine has no address but loopback");
        return;
    };
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve_with(|config| config.server.listen = std::net::SocketAddr::new(own.ip(), 0)).await;
    let status = async |path: &str| http().get(format!("{}{path}", served.address)).send().await.unwrap().status();
    assert_eq!((status("/healthz").await, status("/metrics").await), (StatusCode::OK, StatusCode::NOT_FOUND));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_takes_nothing_from_the_deciding_thread() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let (_, case) = writes(&served, &admin, "96550000001", "نعم").await;
    // Somebody holds the head, so nothing is decided; what can be seen is seen all the same.
    let mut journal = house.journal();
    let held = journal.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    let note = {
        let (admin, case) = (admin.clone(), case.clone());
        tokio::spawn(async move { admin.must(json!({"kind": "add_note", "case": case, "text": "…"})).await })
    };
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    let asked = tokio::time::timeout(std::time::Duration::from_secs(5), scrape(&served.address));
    assert!(asked.await.is_ok(), "the scrape waited for the deciding thread");
    assert!(!note.is_finished(), "the head was not held: this showed nothing");
    drop(held);
    note.await.unwrap();
    served.deliver(&text("96550000001", &wamid(), "شكرا")).await;
    eventually("both", async || (house.count("message_received") == 2).then_some(())).await;
    served.stop().await;
}
