//! Whoever may see less from now on, or may not be here at all, is told at once; and how a quiet connection keeps time.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::house::{House, Live, PASSWORD, Person, Served, http, sign_in, writes};

/// What a connection is told until it is closed, and how long that took.
async fn until_closed(live: &mut Live) -> (Vec<Value>, Duration) {
    let began = Instant::now();
    let mut lines = vec![];
    while let Some(line) = live.next().await {
        lines.push(line);
    }
    (lines, began.elapsed())
}

async fn open(person: &Person) -> Live {
    let mut live = person.live(&person.cursor().await).await;
    assert!(live.next().await.unwrap().get("cursor").is_some());
    live
}

async fn agent(served: &Served, admin: &Person, username: &str) -> (Person, Live) {
    let person = admin.add(username, &["agent"], &["customer-service"]).await;
    let live = open(&Person::at(&person, &served.address)).await;
    (person, live)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_takes_a_right_away_closes_the_connection_at_once() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let mut closed = vec![];

    let (person, mut live) = agent(&served, &admin, "signs-out").await;
    http().delete(format!("{}/api/v1/session", served.address)).bearer_auth(&person.token).send().await.unwrap();
    closed.push(("sign-out", until_closed(&mut live).await, false));

    let (person, mut live) = agent(&served, &admin, "leaves").await;
    admin.must(json!({"kind": "change_staff", "staff": person.id, "active": false})).await;
    closed.push(("deactivation", until_closed(&mut live).await, true));

    let (_, mut live) = agent(&served, &admin, "resets").await;
    let code = tokio::process::Command::new(env!("CARGO_BIN_EXE_shubbak-gateway"))
        .args(["staff", "code", "resets", "--json", "--config"])
        .arg(&house.config)
        .output()
        .await
        .unwrap();
    let code: Value = serde_json::from_slice(&code.stdout).unwrap();
    let body = json!({"agency": "mew", "username": "resets", "password": "seven camels on a bridge", "device": "new", "code": code["code"]});
    let anew = sign_in(&served.address, &body).await;
    closed.push(("new password", until_closed(&mut live).await, false));
    assert_eq!(anew.get("/api/v1/sync").await.status(), 200);

    let (_, mut live) = agent(&served, &admin, "again").await;
    let body = json!({"agency": "mew", "username": "again", "password": PASSWORD, "device": "desk-again"});
    sign_in(&served.address, &body).await;
    closed.push(("a new session on the same workstation", until_closed(&mut live).await, false));

    for (username, change) in [
        ("other-role", json!({"roles": ["admin"]})),
        ("more-roles", json!({"roles": ["agent", "lead"]})),
        ("other-team", json!({"teams": ["emergency"]})),
        ("more-teams", json!({"teams": ["customer-service", "emergency"]})),
    ] {
        let (person, mut live) = agent(&served, &admin, username).await;
        let mut command = change;
        command["kind"] = "change_staff".into();
        command["staff"] = person.id.clone().into();
        admin.must(command).await;
        let (lines, took) = until_closed(&mut live).await;
        assert_eq!(lines.last(), Some(&json!({"catch_up": true})), "{username}");
        let sees = json!(person.sync("0").await).to_string().contains(&case);
        assert_eq!(sees, username.starts_with("more"), "{username}");
        closed.push((username, (lines, took), true));
    }
    for (what, (lines, took), may_be_told) in closed {
        // Far more than it takes, on a machine with neighbours.
        assert!(took < Duration::from_secs(5), "{what}: {took:?}");
        println!("{what}: closed after {took:?}");
        assert!(may_be_told || lines.iter().all(|line| line.get("entry").is_some()), "{what}: {lines:?}");
        let (none, known) =
            (!json!(lines).to_string().contains("السلام"), !lines.iter().any(|line| line.get("case").is_some()));
        assert!(none && known, "{what}: {lines:?}");
    }
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_connection_is_given_a_cursor_now_and_then_and_the_head_that_was_signed() {
    let house = House::new("http://127.0.0.1:9");
    let text = std::fs::read_to_string(&house.config).unwrap();
    std::fs::write(&house.config, text.replacen("[server]", "[server]\nsigning_key_file = \"signing.key\"", 1))
        .unwrap();
    crate::tampering::run(&house.config, &["init"]);
    let served = house
        .serve_with(|config| {
            config.times.ping = Duration::from_millis(50);
            config.times.heartbeat = Duration::from_millis(200);
        })
        .await;
    let admin = house.admin(&served.address).await;
    crate::house::eventually("a signed head", async || {
        admin.sync("0").await.last().unwrap()["cursor"]["witness"].is_object().then_some(())
    })
    .await;
    let mut live = admin.live(&admin.cursor().await).await;
    let mut cursors = vec![];
    while cursors.len() < 4 {
        let line = live.next().await.unwrap();
        cursors.push(line["cursor"].clone());
    }
    assert!(cursors.iter().all(|cursor| cursor["token"].is_string()), "{cursors:?}");
    assert!(cursors.windows(2).all(|two| two[0]["now"].as_i64() < two[1]["now"].as_i64()), "{cursors:?}");
    assert!(cursors[1]["witness"]["signature"].is_string(), "the first heartbeat has no witness");
    assert!(cursors[3].get("witness").is_none(), "it is said once: {cursors:?}");
    // A cursor from a heartbeat is one from which a desk resumes.
    writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let since = admin.sync(cursors[3]["token"].as_str().unwrap()).await;
    assert_eq!(crate::house::entries(&since, "message_received").len(), 1);
    served.stop().await;
}
