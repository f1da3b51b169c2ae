//! Codes, passwords, devices.

use serde_json::{Value, json};

use crate::house::{House, PASSWORD, http, sign_in};

crate::postgres::on_both_homes! {
    a_code_from_the_console_resets_a_password,
    control_characters_name_nobody_and_no_workstation,
}

async fn try_sign_in(address: &str, body: &Value) -> (u16, Value, Option<u64>) {
    let answer = http().post(format!("{address}/api/v1/session")).json(body).send().await.unwrap();
    let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    (answer.status().as_u16(), answer.json().await.unwrap(), wait)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_once_and_for_three_days() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let added = admin
        .must(json!({"kind": "add_staff", "username": "noura", "name": "نورة", "roles": ["agent"], "teams": ["customer-service"]}))
        .await;
    let code = added["code"].as_str().unwrap();
    let ask = |code: &str, password: &str| json!({"agency": "mew", "username": "noura", "password": password, "device": "d", "code": code});
    let (status, problem, _) = try_sign_in(&served.address, &ask(code, "123456789012345")).await;
    assert_eq!((status, problem["code"].as_str()), (422, Some("weak_password")), "the code is not used up by it");
    // As a person types it.
    let (status, answer, _) =
        try_sign_in(&served.address, &ask(&code.to_lowercase().replace('-', " "), PASSWORD)).await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(answer["staff"]["name"], "نورة");
    assert_eq!(answer["agency"], json!({"id": "mew", "name": "وزارة الكهرباء والماء"}));
    assert_eq!(answer["lease_until"].as_i64().unwrap() - answer["now"].as_i64().unwrap(), 14 * 24 * 3_600_000);
    assert_eq!(data_encoding::BASE64.decode(answer["device_secret"].as_str().unwrap().as_bytes()).unwrap().len(), 32);
    let (status, _, _) = try_sign_in(&served.address, &ask(code, "another four blue doors")).await;
    assert_eq!(status, 401, "used");

    let secret = |answer: &Value| answer["device_secret"].clone();
    let plain = json!({"agency": "mew", "username": "noura", "password": PASSWORD, "device": "d"});
    let (status, again, _) = try_sign_in(&served.address, &plain).await;
    assert_eq!(status, 201);
    assert_eq!(secret(&again), secret(&answer), "the same for this person and workstation");
    let mut elsewhere = plain.clone();
    elsewhere["device"] = "e".into();
    assert_ne!(secret(&try_sign_in(&served.address, &elsewhere).await.1), secret(&answer));
    let token = answer["token"].as_str().unwrap();
    let old = http().get(format!("{}/api/v1/sync", served.address)).bearer_auth(token).send().await.unwrap();
    assert_eq!(old.status(), 401, "a new sign-in on the same workstation ends the old one");

    // Two at once with one code: one of them.
    let raced = admin
        .must(json!({"kind": "add_staff", "username": "raced", "name": "سباق", "roles": ["agent"], "teams": []}))
        .await;
    let both = [PASSWORD, "seven camels on a bridge"].map(|password| {
        let body =
            json!({"agency": "mew", "username": "raced", "password": password, "device": "r", "code": raced["code"]});
        let address = served.address.clone();
        tokio::spawn(async move { try_sign_in(&address, &body).await.0 })
    });
    let mut statuses = vec![];
    for one in both {
        statuses.push(one.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401]);

    let late = admin
        .must(json!({"kind": "add_staff", "username": "late", "name": "متأخر", "roles": ["agent"], "teams": []}))
        .await;
    house.clock.forward(73 * 3_600_000);
    let body = json!({"agency": "mew", "username": "late", "password": PASSWORD, "device": "d", "code": late["code"]});
    let (status, problem, _) = try_sign_in(&served.address, &body).await;
    assert_eq!((status, problem["code"].as_str()), (410, Some("code_expired")), "too late, and right");
    let mut guessed = body.clone();
    guessed["code"] = code.into();
    let (status, problem, _) = try_sign_in(&served.address, &guessed).await;
    assert_eq!((status, problem["code"].as_str()), (401, Some("wrong_credentials")), "who guesses is not told");
    served.stop().await;

    // Nothing secret stands where it could be read.
    let everything = std::fs::read(house.folder.path().join("data/mew/journal.db")).unwrap();
    for secret in
        [code.as_bytes(), PASSWORD.as_bytes(), admin.token.as_bytes(), again["token"].as_str().unwrap().as_bytes()]
    {
        assert!(!everything.windows(secret.len()).any(|window| window == secret), "a secret is in the journal's file");
    }
}

async fn a_code_from_the_console_resets_a_password() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    // The gateway runs meanwhile.
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_shubbak-gateway"))
        .args(["staff", "code", "admin", "--json", "--config"])
        .arg(&house.config)
        .output()
        .await
        .unwrap();
    let given: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(given["username"], "admin");
    let body = json!({"agency": "mew", "username": "admin", "password": "seven camels on a bridge", "device": "x", "code": given["code"]});
    let fresh = sign_in(&served.address, &body).await;
    assert_eq!(fresh.id, admin.id);
    assert_eq!(admin.get("/api/v1/sync").await.status(), 401, "whoever was signed in has to do it again");
    let (status, ..) = try_sign_in(
        &served.address,
        &json!({"agency": "mew", "username": "admin", "password": PASSWORD, "device": "x"}),
    )
    .await;
    assert_eq!(status, 401, "the old password holds no longer");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_and_tells_nothing() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    house.admin(&served.address).await;
    house.clock.stop();
    let (mut told, long) = (vec![], "n".repeat(64));
    for (agency, username) in
        [("mew", "admin"), ("mew", "nobody"), ("moci", "admin"), ("nowhere", "admin"), ("mew", &long), ("moci", &long)]
    {
        let guess =
            json!({"agency": agency, "username": username, "password": "a wrong password, long", "device": "d"});
        for _ in 0..5 {
            let (status, problem, _) = try_sign_in(&served.address, &guess).await;
            assert_eq!(status, 401);
            told.push(problem);
        }
        let (status, problem, wait) = try_sign_in(&served.address, &guess).await;
        assert_eq!((status, problem["code"].as_str()), (429, Some("too_many")));
        assert!((1..=2).contains(&wait.unwrap()), "{wait:?}");
    }
    assert!(told.iter().all(|problem| *problem == told[0]), "known and unknown are told apart: {told:?}");
    // Longer than any username is: nobody's, and not worth counting, at whichever agency.
    for agency in ["mew", "moci"] {
        let guess =
            json!({"agency": agency, "username": "n".repeat(65), "password": "a wrong password, long", "device": "d"});
        for _ in 0..7 {
            assert_eq!(try_sign_in(&served.address, &guess).await.0, 401, "{agency}");
        }
    }
    // Waiting ends by itself, and the right password then opens.
    house.clock.forward(1100);
    let right = json!({"agency": "mew", "username": "admin", "password": PASSWORD, "device": "d"});
    assert_eq!(try_sign_in(&served.address, &right).await.0, 201);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_taken_as_it_was_typed_or_pasted() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let long = "سبعة جمال 🐪 تعبر الجسر عند الظهيرة، ولا يراها أحد إلا الحارس الواقف".to_owned();
    assert!(long.chars().count() >= 64);
    // What is set, and how else the same may come from a keyboard, a manager or a file.
    let passwords = [
        ("fifteen", "fifteen letters".to_owned(), "fifteen letters".to_owned()),
        ("spaces", "  four blue  doors ".to_owned(), "  four blue  doors ".to_owned()),
        ("long", long.clone(), long),
        ("digits", "٩٧٣ ثلاثة أبواب زرقاء".to_owned(), "٩٧٣ ثلاثة أبواب زرقاء".to_owned()),
        ("composed", "caf\u{e9} of the blue doors".to_owned(), "cafe\u{301} of the blue doors".to_owned()),
        ("decomposed", "الا\u{653}ن عند الباب الأزرق".to_owned(), "الآن عند الباب الأزرق".to_owned()),
        ("forms", "\u{fefb} أحد عند الباب الأزرق".to_owned(), "لا أحد عند الباب الأزرق".to_owned()),
    ];
    for (username, set, typed) in passwords {
        let add = json!({"kind": "add_staff", "username": username, "name": username, "roles": ["agent"], "teams": []});
        let code = admin.must(add).await["code"].clone();
        let body = |password: &str| json!({"agency": "mew", "username": username, "password": password, "device": "d"});
        let mut first = body(&set);
        first["code"] = code;
        assert_eq!(try_sign_in(&served.address, &first).await.0, 201, "{username}");
        assert_eq!(try_sign_in(&served.address, &body(&typed)).await.0, 201, "{username}");
        assert_eq!(try_sign_in(&served.address, &body(&format!("{typed}."))).await.0, 401, "{username}");
    }
    // No rule of composition; too short, or what is tried first, however it is written.
    let code = admin
        .must(json!({"kind": "add_staff", "username": "weak", "name": "weak", "roles": ["agent"], "teams": []}))
        .await;
    for weak in ["Sh0rt!Sh0rt!14", "passwordpassword", "ＰＡＳＳＷＯＲＤＰＡＳＳＷＯＲＤ", "\u{fefb}\u{fefb}\u{fefb}"]
    {
        let body = json!({"agency": "mew", "username": "weak", "password": weak, "device": "d", "code": code["code"]});
        let (status, problem, _) = try_sign_in(&served.address, &body).await;
        assert_eq!((status, problem["code"].as_str()), (422, Some("weak_password")), "{weak}");
    }
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_closes_the_socket() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let agent = admin.add("agent1", &["agent"], &["customer-service"]).await;
    let elsewhere = sign_in(
        &served.address,
        &json!({"agency": "mew", "username": "agent1", "password": PASSWORD, "device": "elsewhere"}),
    )
    .await;
    let after = agent.cursor().await;
    let (mut first, mut second) = (agent.live(&after).await, elsewhere.live(&after).await);
    assert!(first.next().await.is_some() && second.next().await.is_some());

    let out =
        http().delete(format!("{}/api/v1/session", served.address)).bearer_auth(&agent.token).send().await.unwrap();
    assert_eq!(out.status(), 204);
    assert_eq!(first.next().await, None, "closed");
    assert_eq!(agent.get("/api/v1/sync").await.status(), 401);
    assert_eq!(elsewhere.get("/api/v1/sync").await.status(), 200, "the other workstation stays");

    // An account that is put out of use loses every device.
    admin.must(json!({"kind": "change_staff", "staff": agent.id, "active": false})).await;
    while let Some(line) = second.next().await {
        assert_eq!(line, json!({"catch_up": true}));
    }
    assert_eq!(elsewhere.get("/api/v1/sync").await.status(), 401);
    let body = json!({"agency": "mew", "username": "agent1", "password": PASSWORD, "device": "d"});
    assert_eq!(try_sign_in(&served.address, &body).await.0, 401);
    served.stop().await;
}

async fn control_characters_name_nobody_and_no_workstation() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    house.admin(&served.address).await;
    let body = |username: &str, device: &str| json!({"agency": "mew", "username": username, "password": PASSWORD, "device": device});
    for (username, device) in
        [("admin\0", "x"), ("ad\u{7}min", "x"), ("admin", "a\0b"), ("admin", "\n"), ("admin", "\u{85}")]
    {
        let (status, answer, _) = try_sign_in(&served.address, &body(username, device)).await;
        assert_eq!((status, answer["code"].as_str()), (400, Some("bad_request")), "{username:?} {device:?}: {answer}");
    }
    let (status, ..) = try_sign_in(&served.address, &body("admin", "حاسوب ١")).await;
    assert_eq!(status, 201);
    served.stop().await;
}
