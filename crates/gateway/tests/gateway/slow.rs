//! Connections that are held instead of used: closed in time, and nobody else is kept waiting by them.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::house::{House, Served, deliver, http, text, wamid};

fn authority(served: &Served) -> String {
    let port = served.address.rsplit_once(':').unwrap().1;
    format!("127.0.0.1:{port}")
}

/// Everything until the gateway closes, and how long that took. A connection that stays open fails the test.
async fn until_closed(stream: &mut TcpStream) -> (String, Duration) {
    let began = Instant::now();
    let mut answer = vec![];
    let read = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the connection stays open");
    (String::from_utf8_lossy(&answer).into_owned(), began.elapsed())
}

/// Sends a byte now and then, until the gateway closes.
async fn drip(address: String, head: &'static [u8]) -> Duration {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let began = Instant::now();
    stream.write_all(head).await.unwrap();
    let (mut read, mut write) = stream.split();
    let dripping = async {
        while write.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = vec![];
    tokio::select! {
        () = dripping => {}
        _ = read.read_to_end(&mut answer) => {}
        () = tokio::time::sleep(Duration::from_secs(15)) => panic!("the connection stays open"),
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_slow_heads_and_bodies_are_closed_and_others_are_not_disturbed() {
    let house = House::new("http://127.0.0.1:9");
    let served = house
        .serve_with(|config| {
            config.limits.header_seconds = 1;
            config.limits.body_seconds = 2;
        })
        .await;
    let mut slow = JoinSet::new();
    let mut wait = Duration::ZERO;
    for head in [
        &b"P"[..],
        b"GET /healthz HTTP/1.1\r\nx-slow: ",
        // A first request that is whole, and then a second one that is not.
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /heal",
        // HTTP/2, which begins and asks for nothing.
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 900000\r\n\r\n{",
        b"POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n{",
    ] {
        for _ in 0..60 {
            slow.spawn(drip(authority(&served), head));
        }
    }
    let undisturbed = async {
        for _ in 0..20 {
            let began = Instant::now();
            assert_eq!(deliver(&served.address, &text("96550000001", &wamid(), "نعم")).await.unwrap(), 200);
            wait = wait.max(began.elapsed());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let all_closed = async {
        let mut slowest = Duration::ZERO;
        while let Some(took) = slow.join_next().await {
            slowest = slowest.max(took.unwrap());
        }
        slowest
    };
    let ((), slowest) = tokio::join!(undisturbed, all_closed);
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    assert!(wait < Duration::from_secs(5), "somebody else waited {wait:?}");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_told_why_it_is_refused_and_nothing_is_stored() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve_with(|config| config.limits.body_seconds = 1).await;
    let mut stream = TcpStream::connect(authority(&served)).await.unwrap();
    let head =
        "POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (answer, took) = until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"too_slow\""), "{answer}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let stored: i64 = house.deliveries().query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 0);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_on_which_nothing_moves_is_closed() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve_with(|config| config.limits.idle_seconds = 1).await;
    let admin = house.admin(&served.address).await;
    // A socket whose other end went without a word: the heartbeat comes after 25 seconds, so nothing moves.
    let mut stream = TcpStream::connect(authority(&served)).await.unwrap();
    let head = format!(
        "GET /api/v1/live HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        admin.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (answer, took) = until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_told_so() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve_with(|config| config.limits.connections_per_address = 5).await;
    let get = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut held = vec![];
    for _ in 0..5 {
        let mut stream = TcpStream::connect(authority(&served)).await.unwrap();
        stream.write_all(get).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        held.push(stream);
    }
    let mut more = TcpStream::connect(authority(&served)).await.unwrap();
    more.write_all(get).await.unwrap();
    let (answer, _) = until_closed(&mut more).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"not_ready\""), "{answer}");
    assert!(answer.contains("retry-after: 5"), "{answer}");
    // Whoever has a place keeps it, and a place that is given back is given on.
    held[0].write_all(get).await.unwrap();
    let mut answer = vec![0; 4096];
    assert!(held[0].read(&mut answer).await.unwrap() > 0);
    held.pop();
    crate::house::eventually("a place", async || {
        let answer = http().get(format!("{}/healthz", served.address)).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_tls_it_is_the_same() {
    let house = House::new("http://127.0.0.1:9");
    let client = house.with_tls();
    let served = house
        .serve_with(|config| {
            config.limits.header_seconds = 1;
            config.limits.connections = 3;
        })
        .await;
    let url = format!("{}/healthz", served.address.replace("127.0.0.1", "localhost"));
    // A handshake that never comes, and one that stops in its middle.
    let mut held = vec![];
    for begun in [&b""[..], b"\x16\x03\x01", b"\x16\x03\x01\x02\0\x01"] {
        let mut stream = TcpStream::connect(authority(&served)).await.unwrap();
        stream.write_all(begun).await.unwrap();
        held.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(client.get(&url).send().await.unwrap().status(), 503, "one too many");
    for mut stream in held {
        let (_, took) = until_closed(&mut stream).await;
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_nothing_is_closed_in_time() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve_with(|config| config.limits.header_seconds = 1).await;
    let mut held = vec![];
    // Not even which HTTP it will be, or HTTP/2 without a request.
    for begun in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"] {
        let mut stream = TcpStream::connect(authority(&served)).await.unwrap();
        stream.write_all(begun).await.unwrap();
        held.push(stream);
    }
    for mut stream in held {
        let (_, took) = until_closed(&mut stream).await;
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
    served.stop().await;
}
