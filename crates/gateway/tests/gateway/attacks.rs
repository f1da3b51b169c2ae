//! Attacks: forged webhooks, guesses from outside, floods, old TLS.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    house::{House, PASSWORD, SECRET, http, text, uuid, wamid},
    program::Program,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_with_any_byte_changed_is_refused_and_leaves_nothing() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let url = format!("{}/webhooks/whatsapp", served.address);
    let body = text("96550000001", &wamid(), "نعم").to_string().into_bytes();
    let signature = whatsapp::signature::sign(SECRET, &body);
    let client = reqwest::Client::new();
    let post = async |body: Vec<u8>, signature: String| {
        let request = client.post(&url).header("content-type", "application/json");
        request.header("x-hub-signature-256", signature).body(body).send().await.unwrap().status().as_u16()
    };
    for place in 0..body.len() {
        let mut forged = body.clone();
        forged[place] ^= 1 << (place % 8);
        assert_eq!(post(forged, signature.clone()).await, 401, "byte {place} of the body");
    }
    for (place, digit) in signature.char_indices().skip("sha256=".len()) {
        let other = if digit == '0' { "1" } else { "0" };
        let mut forged = signature.clone();
        forged.replace_range(place..=place, other);
        assert_eq!(post(body.clone(), forged).await, 401, "digit {place} of the signature");
    }
    let stored = || house.deliveries().query_row("SELECT count(*) FROM deliveries", [], |row| row.get::<_, i64>(0));
    assert_eq!(stored().unwrap(), 0);
    assert_eq!(post(body, signature).await, 200);
    assert_eq!(stored().unwrap(), 1);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_from_outside_do_not_lock_a_clerk_out() {
    let house = House::new("http://127.0.0.1:9");
    house.configure("127.0.0.1:0\"", "127.0.0.1:0\"\nbehind_proxy = true");
    let served = house.serve().await;
    house.admin(&served.address).await;
    let attempt = async |username: &str, password: &str, from: &str| {
        let body = json!({"agency": "mew", "username": username, "password": password, "device": "d"});
        let request = http().post(format!("{}/api/v1/session", served.address)).header("x-forwarded-for", from);
        request.json(&body).send().await.unwrap().status().as_u16()
    };
    house.clock.stop();
    // Whatever else the guesser writes into the header, the proxy's own word comes last.
    for (n, username) in (0..8).flat_map(|n| [(n, "admin"), (n, "nobody")]) {
        let said = attempt(username, "a wrong password, long", &format!("10.0.0.{n}, 203.0.113.7")).await;
        assert_eq!(said, if n < 5 { 401 } else { 429 }, "{username}, guess {n}");
    }
    assert_eq!(attempt("admin", PASSWORD, "203.0.113.7").await, 429, "not even with the right one");
    assert_eq!(attempt("admin", PASSWORD, "10.0.0.5").await, 201, "the clerk at their own desk");
    assert_eq!(attempt("admin", PASSWORD, "203.0.113.7").await, 429, "which does not help the guesser");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_networks_together_guess_no_faster_and_lock_nobody_out() {
    let house = House::new("http://127.0.0.1:9");
    house.configure("127.0.0.1:0\"", "127.0.0.1:0\"\nbehind_proxy = true");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let attempt = async |body: &Value, from: &str| {
        let request = http().post(format!("{}/api/v1/session", served.address)).header("x-forwarded-for", from);
        request.json(body).send().await.unwrap().status().as_u16()
    };
    let with = |username: &str, password: &str, device: &str| json!({"agency": "mew", "username": username, "password": password, "device": device});
    let add = json!({"kind": "add_staff", "username": "noura", "name": "نورة", "roles": ["agent"], "teams": []});
    let mut first = with("noura", PASSWORD, "her desk");
    first["code"] = admin.must(add).await["code"].clone();
    assert_eq!(attempt(&first, "10.0.0.5").await, 201);
    house.clock.stop();
    let guess = |username: &str| with(username, "a wrong password, long", "guesser");
    let mut nowhere = guess("noura");
    nowhere["agency"] = "nowhere".into();
    let guesses = [guess("noura"), guess("nobody"), nowhere];
    for (n, guess) in (0..40).flat_map(|n| guesses.iter().map(move |guess| (n, guess))) {
        let said = attempt(guess, &format!("203.0.113.{n}")).await;
        assert_eq!(said, if n < 30 { 401 } else { 429 }, "{guess}, guess {n}");
    }
    assert_eq!(
        attempt(&with("noura", PASSWORD, "x"), "198.51.100.1").await,
        429,
        "from a network of which nothing is known"
    );
    assert_eq!(attempt(&with("noura", PASSWORD, "another desk"), "10.0.0.5").await, 201, "where she signed in before");
    assert_eq!(
        attempt(&with("noura", PASSWORD, "her desk"), "198.51.100.2").await,
        201,
        "at the desk that she had before"
    );
    for n in 0..7 {
        let said = attempt(&with("noura", "a wrong password, long", "her desk"), "198.51.100.3").await;
        assert_eq!(said, if n < 5 { 401 } else { 429 }, "which opens no door to guessing");
    }
    // A code from the console opens from anywhere, and waiting ends by itself.
    let given = tokio::process::Command::new(env!("CARGO_BIN_EXE_shubbak-gateway"))
        .args(["staff", "code", "noura", "--json", "--config"])
        .arg(&house.config)
        .output()
        .await
        .unwrap();
    let given: Value = serde_json::from_slice(&given.stdout).unwrap();
    let mut anew = with("noura", "seven camels on a bridge", "a new desk");
    anew["code"] = given["code"].clone();
    assert_eq!(attempt(&anew, "198.51.100.4").await, 201);
    house.clock.forward(6 * 60_000);
    assert_eq!(attempt(&guess("noura"), "203.0.113.77").await, 401);
    assert_eq!(attempt(&guess("noura"), "203.0.113.78").await, 429, "one, and the next one waits again");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_sends_without_pause_waits_and_others_do_not() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve_with(|config| config.limits.commands_per_minute = 60).await;
    let admin = house.admin(&served.address).await;
    let agent = admin.add("agent1", &["agent"], &["customer-service"]).await;
    let nothing = |count: usize| -> Value {
        (0..count).map(|_| json!({"id": uuid(), "kind": "claim", "case": uuid()})).collect()
    };
    house.clock.stop();
    let (status, answers) = agent.commands(&nothing(80)).await;
    assert_eq!((status, answers.as_array().unwrap().len()), (200, 80), "an outbox comes whole");
    let (status, problem) = agent.commands(&nothing(1)).await;
    assert_eq!((status, problem["code"].as_str()), (429, Some("too_many")));
    assert_eq!(admin.commands(&nothing(1)).await.0, 200, "another device");
    house.clock.forward(1100);
    assert_eq!(agent.commands(&nothing(1)).await.0, 200);
    assert_eq!(agent.commands(&nothing(1)).await.0, 429);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_and_deep_bodies_are_refused_and_cost_little_memory() {
    let house = House::new("http://127.0.0.1:9");
    let program = Program::start(&house.config, "error", std::process::Stdio::inherit());
    let admin = house.admin(&program.address).await;
    // What as many requests cost that are neither deep nor huge (threads, their readers of the files) is there before.
    for _ in 0..4 {
        let few = (0..62).map(|_| async { assert_eq!(admin.commands(&json!([])).await.0, 200) });
        futures_util::future::join_all(few).await;
    }
    let before = program.most_memory();
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..60 {
        let (body, expected) = match n % 3 {
            0 => (format!("[{}{{}}]", "{},".repeat(340_000)), 413),
            1 => ("[".repeat(1 << 20), 400),
            _ => ("{\"a\":".repeat(200_000), 400),
        };
        let request = http().post(format!("{}/api/v1/commands", program.address)).bearer_auth(&admin.token);
        let request = request.header("content-type", "application/json").body(body);
        asked.spawn(async move { (request.send().await.unwrap().status().as_u16(), expected) });
    }
    let url = format!("{}/webhooks/whatsapp", program.address);
    for body in ["[".repeat(4 << 20), format!("{{\"entry\":{}", "[{\"changes\":".repeat(300_000))] {
        let signature = whatsapp::signature::sign(SECRET, body.as_bytes());
        let request = http().post(&url).header("content-type", "application/json");
        let request = request.header("x-hub-signature-256", signature).body(body);
        asked.spawn(async move { (request.send().await.unwrap().status().as_u16(), 400) });
    }
    while let Some(done) = asked.join_next().await {
        let (status, expected) = done.unwrap();
        // Beyond what has room at once, it is to come again.
        assert!(status == expected || status == 503, "{status} instead of {expected}");
    }
    let more = program.most_memory() - before;
    assert!(more < 50 << 10, "{more} KiB more");
    assert_eq!(http().get(format!("{}/readyz", program.address)).send().await.unwrap().status(), 200);
    program.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sign_ins_at_once_take_the_memory_of_two() {
    let house = House::new("http://127.0.0.1:9");
    let program = Program::start(&house.config, "error", std::process::Stdio::inherit());
    let _ = house.admin(&program.address).await;
    let before = program.most_memory();
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..40 {
        let address = program.address.clone();
        asked.spawn(async move {
            let device = format!("desk-{n}");
            let body = json!({"agency": "mew", "username": "admin", "password": PASSWORD, "device": device});
            crate::house::sign_in(&address, &body).await
        });
    }
    assert_eq!(asked.join_all().await.len(), 40);
    // Each thread that ever hashed keeps its 19 MiB: 40 of them would be 760.
    let more = program.most_memory().saturating_sub(before);
    assert!(more < 80 << 10, "{more} KiB more");
    program.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_is_cut_off_within_a_second() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let agent = admin.add("agent1", &["agent"], &["customer-service"]).await;
    let mut live = agent.live(&agent.cursor().await).await;
    let mut admins = admin.live(&admin.cursor().await).await;
    assert!(live.next().await.is_some() && admins.next().await.is_some());
    // Another sign-in with the same device ends the one before, and nothing else tells its socket.
    let began = Instant::now();
    let body = json!({"agency": "mew", "username": "admin", "password": PASSWORD, "device": "desk-admin"});
    let admin = crate::house::sign_in(&served.address, &body).await;
    while admins.next().await.is_some() {}
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let began = Instant::now();
    admin.must(json!({"kind": "change_staff", "staff": agent.id, "active": false})).await;
    while live.next().await.is_some() {}
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(agent.get("/api/v1/sync").await.status(), 401);
    served.stop().await;
}

/// A ClientHello that offers one version and one suite which go together.
fn hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let mut body = vec![version[0], version[1]];
    body.extend([7; 32]);
    body.extend([0, 0, 2, suite[0], suite[1], 1, 0]);
    // Groups and signature schemes that everybody knows.
    let extensions: &[u8] = &[0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 6, 0, 4, 4, 3, 8, 4];
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let mut handshake = vec![1, length[1], length[2], length[3]];
    handshake.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend(u16::try_from(handshake.len()).unwrap().to_be_bytes());
    record.extend(handshake);
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_1_1_is_refused_and_1_2_is_spoken() {
    let house = House::new("http://127.0.0.1:9");
    house.with_tls();
    let served = house.serve().await;
    let address = served.address.strip_prefix("https://").unwrap();
    // ECDHE-ECDSA with AES: as TLS 1.1 knew it, and as 1.2 does. The certificate is ECDSA.
    for (version, suite, answer) in [([3, 2], [0xc0, 0x09], 21), ([3, 3], [0xc0, 0x2b], 22)] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&hello(version, suite)).await.unwrap();
        let mut record = [0; 7];
        stream.read_exact(&mut record).await.unwrap();
        assert_eq!(record[0], answer, "TLS {version:?} is answered {record:?}");
        if answer == 21 {
            // Fatal: protocol_version.
            assert_eq!(record[5..], [2, 70]);
        }
    }
    served.stop().await;
}
