//! A whole run of the real program, in which everything that could be personal or secret bears a mark: none of the marks
//! comes out in what is logged at whatever level, in the metrics, or in what strangers are told.

use std::{fs::File, sync::Mutex, time::Duration};

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::{
    canaries::Canaries,
    graph::{Fate, Graph},
    house::{House, LINE, PASSWORD, SECRET, deliver, eventually, http, message, status, text, uuid, writes_at},
    program::Program,
};

const PHONE: &str = "96566041187";
const OTHER_PHONE: &str = "96566041188";
const BSUID: &str = "KW.1348229012345678";
const NAME: &str = "Dalal CanaryName دلال";
const WORDS: &str = "CanaryWords كلمات لا يراها أحد";
const NOTE: &str = "CanaryNote ملاحظة بين الزملاء";
const STAFF: &str = "Canary Colleague زميلة";
const USERNAME: &str = "canary-username";
const GUESS: &str = "canary guess of a password";
const STRANGER: &str = "CanaryStranger";
const REPLY: &str = "CanaryReply الرد على المواطن";
const VERIFY: &str = "canary verify token";
const LINE_TOKEN: &str = "EAAGcanarytokenoftheline";
const METRICS: &str = "canary metrics token";
const INSIDE: &str = "CanaryInside قيد تالف";

/// What strangers were told.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Asks as a stranger, and keeps what is answered.
async fn stranger(request: reqwest::RequestBuilder) -> u16 {
    let Ok(answer) = request.send().await else { return 0 };
    let (status, headers) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
    let body = answer.text().await.unwrap_or_default();
    assert!(status >= 400, "a stranger was let in: {body}");
    TOLD.lock().unwrap().push(format!("{status} {headers} {body}"));
    status
}

fn wamid(n: usize) -> String {
    // As Meta makes them: the number stands in it.
    format!("wamid.{}", BASE64.encode(format!("\u{1d}\u{b}{PHONE}\u{15}canary-{n}").as_bytes()))
}

/// Webhooks of every kind that goes wrong, and some that go well.
async fn webhooks(address: &str) {
    let mut named = text(PHONE, &wamid(1), WORDS);
    let value = &mut named["entry"][0]["changes"][0]["value"];
    value["contacts"] = json!([{"profile": {"name": NAME, "username": USERNAME}, "wa_id": PHONE, "user_id": BSUID}]);
    let mut odd = text(PHONE, &wamid(2), WORDS);
    odd["entry"][0]["changes"][0]["value"]["messages"][0]["id"] = json!([WORDS, PHONE]);
    let failed = json!({"code": 131_026, "title": WORDS, "message": PHONE, "error_data": {"details": format!("{NAME} {BSUID}")}});
    let mut early = status(&wamid(3), "failed", None);
    early["entry"][0]["changes"][0]["value"]["statuses"][0]["errors"] = json!([failed]);
    early["entry"][0]["changes"][0]["value"]["statuses"][0]["recipient_id"] = PHONE.into();
    let mut of_no_message = text(PHONE, &wamid(4), WORDS);
    of_no_message["entry"][0]["changes"][0]["value"]["errors"] = json!([failed]);
    let bodies = [
        named,
        odd,
        early,
        of_no_message,
        message(STRANGER, PHONE, &wamid(5), 0, "text", &json!({"body": WORDS})),
        message(LINE, OTHER_PHONE, &wamid(6), 0, WORDS, &json!({"name": NAME, "deep": [WORDS]})),
        message(LINE, OTHER_PHONE, &wamid(7), 0, "image", &json!({"id": WORDS, "caption": WORDS, "sha256": PHONE})),
        status(&wamid(8), WORDS, Some(WORDS)),
        json!({"entry": WORDS}),
        json!({"object": WORDS, "entry": [{"id": PHONE, "changes": [{"field": WORDS, "value": {"messages": [PHONE]}}]}]}),
        json!([[[[[[WORDS]]]]]]),
    ];
    for body in &bodies {
        assert_eq!(deliver(address, body).await.unwrap(), 200);
    }
    let url = format!("{address}/webhooks/whatsapp");
    let post = |kind: &str, signature: String, body: String| {
        let request = http().post(&url).header("content-type", kind).header("x-hub-signature-256", signature);
        stranger(request.body(body))
    };
    let said = format!("{WORDS} {PHONE} {NAME}");
    let signature = whatsapp::signature::sign(SECRET, said.as_bytes());
    assert_eq!(post("application/json", signature.clone(), said.clone()).await, 400, "not JSON");
    assert_eq!(post("application/json", format!("sha256={PHONE}"), said.clone()).await, 401);
    assert_eq!(post(STRANGER, signature.clone(), said.clone()).await, 415);
    stranger(http().put(&url).body(said.clone())).await;
    let hello = |token: &str, challenge: &str| {
        let query = [("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", challenge)];
        http().get(reqwest::Url::parse_with_params(&url, query).unwrap())
    };
    assert_eq!(stranger(hello(STRANGER, WORDS)).await, 403);
    assert_eq!(hello(VERIFY, "7").send().await.unwrap().text().await.unwrap(), "7");
}

/// Whoever has no business here.
async fn strangers(address: &str) {
    let url = |path: &str| format!("{address}{path}");
    // An agency that decides nothing lets nobody in either.
    let turned_away = |status: u16| assert!([401, 503].contains(&status), "{status}");
    let sign_in = |body: Value| stranger(http().post(url("/api/v1/session")).json(&body));
    for (agency, username, device) in [("mew", "admin", STRANGER), ("mew", NAME, NAME), (STRANGER, NAME, PHONE)] {
        turned_away(
            sign_in(json!({"agency": agency, "username": username, "password": GUESS, "device": device})).await,
        );
    }
    let coded = json!({"agency": "mew", "username": "admin", "password": GUESS, "device": "d", "code": STRANGER});
    turned_away(sign_in(coded).await);
    assert_eq!(sign_in(json!({"agency": STRANGER, "username": NAME, "password": [GUESS], "device": {}})).await, 400);
    assert_eq!(sign_in(json!({"agency": "mew", "username": "admin", "password": GUESS, "device": ""})).await, 400);
    for _ in 0..8 {
        sign_in(json!({"agency": "mew", "username": STRANGER, "password": GUESS, "device": "d"})).await;
    }
    stranger(http().post(url("/api/v1/session")).header("content-type", "application/json").body(GUESS)).await;
    for path in ["/api/v1/sync", "/api/v1/live", "/api/v1/cases/1/entries", "/metrics"] {
        let request = http().get(url(&format!("{path}?after={STRANGER}"))).bearer_auth(format!("mew.{STRANGER}"));
        assert_eq!(stranger(request).await, 401);
        assert_eq!(stranger(http().get(url(path)).bearer_auth(STRANGER)).await, 401);
    }
    stranger(http().get(url("/api/v1/sync")).header("x-shubbak-contract", STRANGER)).await;
    stranger(http().post(url("/api/v1/commands")).json(&json!([{"id": STRANGER, "text": WORDS}]))).await;
    assert_eq!(stranger(http().get(url(&format!("/{STRANGER}/{PHONE}?{NAME}={WORDS}")))).await, 404);
    stranger(http().delete(url("/api/v1/commands")).bearer_auth(STRANGER)).await;
}

async fn scrape(address: &str) -> String {
    let answer = http().get(format!("{address}/metrics")).bearer_auth(METRICS).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let ready = http().get(format!("{address}/readyz")).bearer_auth(METRICS).send().await.unwrap();
    answer.text().await.unwrap() + &ready.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_run_lets_nothing_personal_out() {
    let graph = Graph::start().await;
    graph.next(&[
        Fate::Accept,
        Fate::Echo(131_026),
        Fate::Swallow,
        Fate::Echo(131_056),
        Fate::Echo(2),
        Fate::Echo(190),
        Fate::Babble,
    ]);
    let house = House::new(&graph.address);
    let write = |name: &str, text: &str| std::fs::write(house.folder.path().join(name), text).unwrap();
    write("token", LINE_TOKEN);
    write("verify-token", VERIFY);
    write("metrics-token", METRICS);
    house.configure("[server]", "[server]\nmetrics_token_file = \"metrics-token\"");
    let everything = "info,gateway=trace,records=trace,domain=trace,whatsapp=trace";
    let logs: Vec<_> = (0..4).map(|n| house.folder.path().join(format!("log-{n}"))).collect();
    let start = |n: usize, level: &str| Program::start(&house.config, level, File::create(&logs[n]).unwrap().into());
    let mut scraped = Vec::new();

    // Everything that may come, with every word of our own that can be had.
    let program = start(0, everything);
    let address = program.address.clone();
    let admin = house.admin(&address).await;
    let (conversation, case) = writes_at(&address, &admin, PHONE, WORDS).await;
    webhooks(&address).await;
    strangers(&address).await;
    let (other, other_case) = writes_at(&address, &admin, OTHER_PHONE, WORDS).await;
    for (n, (conversation, case)) in
        [(&conversation, &case), (&other, &other_case), (&conversation, &case), (&other, &other_case)]
            .iter()
            .enumerate()
    {
        admin
            .must(json!({"kind": "reply", "conversation": conversation, "case": case, "text": format!("{REPLY} {n}"), "seen": 1_000_000}))
            .await;
    }
    eventually("what came of the replies", async || (graph.posts().len() >= 3).then_some(())).await;
    admin.must(json!({"kind": "add_note", "case": case, "text": NOTE})).await;
    let roles =
        json!({"kind": "add_staff", "username": USERNAME, "name": STAFF, "roles": ["agent"], "teams": ["emergency"]});
    let code = admin.must(roles).await["code"].as_str().unwrap().to_owned();
    let weak = json!({"agency": "mew", "username": USERNAME, "password": "canary", "device": STAFF, "code": code});
    assert_eq!(stranger(http().post(format!("{address}/api/v1/session")).json(&weak)).await, 422);
    for command in [
        json!({"kind": "add_note", "case": NOTE, "text": NOTE}),
        json!({"kind": "add_note", "case": uuid(), "text": NOTE}),
        json!({"kind": WORDS, "text": NOTE}),
        json!({"kind": "reply", "conversation": conversation, "text": 7, WORDS: PHONE}),
        json!({"kind": "erase_contact", "contact": uuid(), "reason": WORDS}),
        json!({"kind": "add_staff", "username": USERNAME, "name": STAFF, "roles": [NAME], "teams": [NAME]}),
    ] {
        admin.ask(command).await;
    }
    let (status, _) = admin.commands(&json!([{"id": WORDS, "kind": NOTE}])).await;
    assert_eq!(status, 400);
    for path in [format!("/api/v1/cases/{WORDS}/entries?before={PHONE}"), format!("/api/v1/sync?after={WORDS}")] {
        assert!(admin.get(&path).await.status().is_client_error());
    }
    let mut live = admin.live(&admin.cursor().await).await;
    for frame in [WORDS.to_owned(), json!({"viewing": WORDS}).to_string(), json!({"typing": [PHONE]}).to_string()] {
        live.say(&frame).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    scraped.push(scrape(&address).await);
    program.kill();

    // A restart takes up what was set aside and what was being sent, and the first alarms come.
    let program = start(1, "info");
    scraped.push(
        eventually("alarms", async || {
            Some(scrape(&program.address).await).filter(|text| text.contains("alarm: delivery_aside"))
        })
        .await,
    );
    program.kill();

    // A journal that takes nothing, and says why.
    let refuse = "CREATE TRIGGER no BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'no entry today'); END";
    house.journal().execute_batch(refuse).unwrap();
    let program = start(2, everything);
    assert_eq!(deliver(&program.address, &text(PHONE, &wamid(20), WORDS)).await.unwrap(), 200);
    let late = crate::house::Person::at(&admin, &program.address);
    late.commands(&json!([{"id": uuid(), "kind": "add_note", "case": case, "text": NOTE}])).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    scraped.push(scrape(&program.address).await);
    program.kill();

    // And one in which an entry cannot be read.
    let spoilt = json!({"note": INSIDE, "case": INSIDE, "text": [INSIDE]}).to_string();
    let spoil = "UPDATE entries SET body = ?1 WHERE kind = 'note_added'";
    let journal = house.journal();
    journal.execute_batch("DROP TRIGGER no").unwrap();
    assert!(journal.execute(spoil, [&spoilt]).unwrap() > 0);
    drop(journal);
    for name in ["records.db", "records.db-wal", "records.db-shm"] {
        let _ = std::fs::remove_file(house.folder.path().join("data/mew").join(name));
    }
    let program = start(3, everything);
    assert_eq!(deliver(&program.address, &text(PHONE, &wamid(21), WORDS)).await.unwrap(), 200);
    strangers(&program.address).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    scraped.push(scrape(&program.address).await);
    program.kill();

    let logged: Vec<String> = logs.iter().map(|log| std::fs::read_to_string(log).unwrap()).collect();
    let whole = logged.concat();
    // What this test is about has really happened.
    for said in [
        "A message was not accepted",
        "A delivery was set aside",
        "Meta reports an error",
        "A batch could not be committed",
        "Deliveries are set aside",
        "The agency is not ready",
    ] {
        assert!(whole.contains(said), "{said:?} was never logged: {whole}");
    }
    for line in whole.lines() {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not structured: {line}"));
        assert!(parsed["fields"]["message"].is_string() && parsed["level"].is_string(), "{line}");
    }
    let told = TOLD.lock().unwrap().join("\n");
    assert!(told.lines().count() >= 50, "strangers were told hardly anything");

    let own_code = house.code.replace('-', "");
    let new_code = code.replace('-', "");
    let secret = String::from_utf8(SECRET.to_vec()).unwrap();
    let token = admin.token.split_once('.').unwrap().1.to_owned();
    let (bsuid, spoken) = (BSUID.trim_start_matches("KW."), wamid(1));
    let canaries = Canaries::new([
        ("a telephone number", PHONE),
        ("another", OTHER_PHONE),
        ("a BSUID", bsuid),
        ("a name", NAME),
        ("half a name", "CanaryName"),
        ("a text", WORDS),
        ("half a text", "CanaryWords"),
        ("a reply", "CanaryReply"),
        ("a note", "CanaryNote"),
        ("a body", "CanaryInside"),
        ("a colleague", STAFF),
        ("a username", USERNAME),
        ("a password", PASSWORD),
        ("a guess", GUESS),
        ("a stranger's word", STRANGER),
        ("a wamid", spoken.trim_start_matches("wamid.")),
        ("any wamid of ours", "wamid.out"),
        ("a token", &token),
        ("a one-time code", &house.code),
        ("the same, plain", &own_code),
        ("another code", &code),
        ("the same again", &new_code),
        ("the app's secret", &secret),
        ("the line's token", LINE_TOKEN),
        ("the verify token", VERIFY),
        ("the metrics' token", METRICS),
    ]);
    for (what, text) in logged.iter().map(|log| ("log", log)).chain(scraped.iter().map(|text| ("metrics", text))) {
        let found = canaries.found_in(text.as_bytes());
        assert!(found.is_empty(), "In the {what}: {found:#?}");
    }
    let found = canaries.found_in(told.as_bytes());
    assert!(found.is_empty(), "Strangers were told: {found:#?}");
}
