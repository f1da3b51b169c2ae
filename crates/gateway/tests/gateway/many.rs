//! Thousands of live connections, and among them some that do not read.

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

use crate::{
    extent::{counted, times},
    house::{House, Person, deliver, http, text, wamid},
    program::Program,
};

type Desk = WebSocketStream<TcpStream>;

fn server(address: &str) -> SocketAddr {
    address.rsplit_once('/').unwrap().1.parse().unwrap()
}

/// A connection from one of several loopback addresses: one has not ports enough, and may not hold so many.
async fn connect(address: &str, number: usize, buffer: Option<u32>) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    if let Some(buffer) = buffer {
        socket.set_recv_buffer_size(buffer).unwrap();
    }
    let from = u8::try_from(2 + number % 8).unwrap();
    socket.bind((Ipv4Addr::new(127, 0, 0, from), 0).into()).unwrap();
    socket.connect(server(address)).await.unwrap()
}

/// A desk that is live: it has been given its cursor.
async fn desk(person: &Person, number: usize, after: &str) -> Desk {
    let url = format!("ws://{}/api/v1/live?after={after}", server(&person.address));
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", person.token).parse().unwrap());
    let config = WebSocketConfig::default().read_buffer_size(1024);
    let stream = connect(&person.address, number, None).await;
    let (mut desk, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await.unwrap();
    loop {
        match desk.next().await.unwrap().unwrap() {
            Message::Text(text) if text.starts_with("{\"cursor\"") => return desk,
            _ => {}
        }
    }
}

/// A live connection of which nothing is read unless told so.
async fn raw(person: &Person, number: usize, after: &str) -> TcpStream {
    let mut stream = connect(&person.address, number, Some(4096)).await;
    let head = format!(
        "GET /api/v1/live?after={after} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nupgrade: websocket\r\n\
         connection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        person.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Reads until the text with this mark has come; when that was.
async fn has(desk: &mut Desk, mark: &str) -> Instant {
    loop {
        match desk.next().await.expect("a desk was sent away").unwrap() {
            Message::Text(text) if text.contains(mark) => return Instant::now(),
            Message::Close(why) => panic!("a desk was sent away: {why:?}"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_desks_as_are_allowed_cost_little_and_one_more_is_told_so() {
    let most = times(500, 10_000, 10_000);
    let house = House::new("http://127.0.0.1:9");
    house.configure("[storage]", &format!("[limits]\nconnections = {most}\n[storage]"));
    let program = Program::start(&house.config, "error", Stdio::inherit());
    let admin = house.admin(&program.address).await;
    let after = admin.cursor().await;
    let before = program.memory();
    let opened = stream::iter(0..most - 1).map(|number| desk(&admin, number, &after)).buffer_unordered(32);
    let mut desks: Vec<_> = opened.collect().await;
    // What the first of them cost is not theirs alone.
    let bound = if most > 5000 { 20.0 } else { 40.0 };
    // What opening them took is given back within seconds.
    let (memory, each) = crate::house::eventually("memory as it is at rest", async || {
        let memory = program.memory() - before;
        let each = memory as f64 / desks.len() as f64;
        (each <= bound).then_some((memory, each))
    })
    .await;
    counted(json!({"sockets": desks.len(), "KiB": memory, "KiB a socket": each}));

    // There is one place left: what comes through it reaches everybody.
    assert_eq!(deliver(&program.address, &text("96550000001", &wamid(), "إلى الجميع")).await.unwrap(), 200);
    let mut told = JoinSet::new();
    for mut desk in desks.drain(..) {
        told.spawn(async move {
            tokio::time::timeout(Duration::from_secs(60), has(&mut desk, "إلى الجميع")).await.expect("not told");
            desk
        });
    }
    desks.extend(told.join_all().await);
    // The place that the delivery had is given back a moment after its answer.
    let last = crate::house::eventually("the last place", async || {
        let mut stream = connect(&program.address, 1, None).await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.ok()?;
        (&answer == b"HTTP/1.1 200").then_some(stream)
    })
    .await;
    for _ in 0..3 {
        let answer = http().get(format!("{}/healthz", program.address)).send().await.unwrap();
        assert_eq!(answer.status(), 503, "one too many");
        assert_eq!(answer.headers()["retry-after"], "5");
        assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["code"], "not_ready");
    }
    drop((last, desks.pop()));
    crate::house::eventually("a place that was given back", async || {
        let answer = http().get(format!("{}/healthz", program.address)).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
    program.kill();
}

/// How long texts took to reach a desk, in milliseconds: the one that 99 of 100 do not exceed.
fn p99(mut took: Vec<f64>) -> f64 {
    took.sort_unstable_by(f64::total_cmp);
    took[(took.len() * 99).div_ceil(100) - 1]
}

/// Sends texts of about 1 KB at a rate, and says how long each took to each desk.
async fn send(address: &str, desks: Vec<Desk>, count: usize, a_second: u32) -> (Vec<Desk>, Vec<f64>) {
    let marks: Arc<[String]> = (0..count).map(|_| wamid()).collect();
    let mut reading = JoinSet::new();
    for mut desk in desks {
        let marks = Arc::clone(&marks);
        reading.spawn(async move {
            let mut came = Vec::with_capacity(marks.len());
            for mark in &*marks {
                came.push(has(&mut desk, mark).await);
            }
            (desk, came)
        });
    }
    let mut sent = vec![];
    let mut tick = tokio::time::interval(Duration::from_secs(1) / a_second);
    for mark in &*marks {
        tick.tick().await;
        sent.push(Instant::now());
        let body = text("96550000001", mark, &"الكهرباء مقطوعة ".repeat(30));
        assert_eq!(deliver(address, &body).await.unwrap(), 200);
    }
    let (mut desks, mut took) = (vec![], vec![]);
    while let Some(done) = reading.join_next().await {
        let (desk, came) = done.unwrap();
        desks.push(desk);
        took.extend(came.iter().zip(&sent).map(|(came, sent)| (*came - *sent).as_secs_f64() * 1000.0));
    }
    (desks, took)
}

/// When the other side has closed, though nothing is read: what is written then comes to nothing.
async fn closed(mut stream: TcpStream, every: Duration, reads: bool) -> Duration {
    let began = Instant::now();
    // A ping with nothing in it, masked.
    let ping = [0x89, 0x80, 1, 2, 3, 4];
    while began.elapsed() < Duration::from_secs(60) && stream.write_all(&ping).await.is_ok() {
        tokio::time::sleep(every).await;
        if reads && stream.read_u8().await.is_err() {
            break;
        }
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_sent_away_and_nobody_else_notices() {
    let full = times(0, 1, 1) == 1;
    let (readers, texts) = (times(40, 1000, 1000), times(60, 600, 600));
    let house = House::new("http://127.0.0.1:9");
    // At full length it is the program as it is; shortened, a twentieth of its times.
    let program = full.then(|| Program::start(&house.config, "error", Stdio::inherit()));
    let served = match &program {
        Some(_) => None,
        None => Some(
            house
                .serve_with(|config| {
                    config.times.ping = Duration::from_millis(500);
                    config.times.silence = Duration::from_millis(950);
                    config.times.write = Duration::from_millis(1400);
                })
                .await,
        ),
    };
    let address = program.as_ref().map_or_else(|| served.as_ref().unwrap().address.clone(), |one| one.address.clone());
    let admin = house.admin(&address).await;
    let after = admin.cursor().await;
    let opened = stream::iter(0..readers).map(|number| desk(&admin, number, &after)).buffer_unordered(32);
    let desks: Vec<_> = opened.collect().await;
    let (desks, alone) = send(&address, desks, texts, 20).await;
    let before = program.as_ref().map_or(0, Program::memory);

    let after = admin.cursor().await;
    // No more often than anybody may say something: nobody is to be shut out for that.
    let every = if full { Duration::from_secs(1) } else { Duration::from_millis(500) };
    let mut slow = JoinSet::new();
    for (number, reads) in [(0, false), (1, true), (2, false), (3, true)] {
        let stream = raw(&admin, number, &after).await;
        slow.spawn(closed(stream, every, reads));
    }
    let ((desks, beside), gone) = tokio::join!(send(&address, desks, texts, 20), slow.join_all());
    let grown = program.as_ref().map_or(0, Program::memory).saturating_sub(before);
    assert_eq!((desks.len(), beside.len()), (readers, readers * texts), "somebody else was sent away");
    let (alone, beside) = (p99(alone), p99(beside));
    counted(
        json!({"readers": readers, "p99 ms alone": alone, "p99 ms beside slow ones": beside, "ratio": beside / alone,
        "closed after s": gone.iter().map(Duration::as_secs_f64).collect::<Vec<_>>(), "KiB grown": grown}),
    );
    let bound = Duration::from_secs(if full { 32 } else { 10 });
    assert!(gone.iter().all(|after| *after < bound), "{gone:?}");
    assert!(grown < 20 << 10, "{grown} KiB more");
    if let Some(served) = served {
        served.stop().await;
    }
}
