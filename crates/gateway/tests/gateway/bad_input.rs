//! Bad input: the right code, a clear message, nothing stored, no panic.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::house::{House, PASSWORD, SECRET, http, text, uuid, wamid, writes};

struct Case {
    what: &'static str,
    request: RequestBuilder,
    status: u16,
    code: &'static str,
}

fn case(what: &'static str, request: RequestBuilder, status: u16, code: &'static str) -> Case {
    Case { what, request, status, code }
}

fn sign(body: &[u8]) -> String {
    whatsapp::signature::sign(SECRET, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_webhooks_leave_nothing_behind() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let url = format!("{}/webhooks/whatsapp", served.address);
    let good = text("96550000001", &wamid(), "السلام عليكم").to_string().into_bytes();
    let post = |body: &[u8]| http().post(&url).header("content-type", "application/json").body(body.to_vec());
    let signed = |body: &[u8]| post(body).header("x-hub-signature-256", sign(body));
    let mut flipped = good.clone();
    flipped[40] ^= 1;
    let mut huge = vec![b' '; (4 << 20) + 1];
    huge[0] = b'{';
    let half = &good[..good.len() / 2];
    let unsaid = reqwest::Body::wrap_stream(futures_util::stream::iter(
        huge.chunks(1 << 16).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect::<Vec<_>>(),
    ));
    let cases = [
        case("unsigned", post(&good), 401, "bad_signature"),
        case("wrongly signed", post(&good).header("x-hub-signature-256", sign(b"other")), 401, "bad_signature"),
        case(
            "another secret",
            post(&good).header("x-hub-signature-256", whatsapp::signature::sign(b"x", &good)),
            401,
            "bad_signature",
        ),
        case("no hex", post(&good).header("x-hub-signature-256", "sha256=zz"), 401, "bad_signature"),
        case("signed twice", signed(&good).header("x-hub-signature-256", sign(b"other")), 401, "bad_signature"),
        case("one bit flipped", post(&flipped).header("x-hub-signature-256", sign(&good)), 401, "bad_signature"),
        case("oversize", signed(&huge), 413, "too_large"),
        case(
            "oversize, its length not said",
            http()
                .post(&url)
                .header("content-type", "application/json")
                .header("x-hub-signature-256", sign(&huge))
                .body(unsaid),
            413,
            "too_large",
        ),
        case("truncated", post(half).header("x-hub-signature-256", sign(&good)), 401, "bad_signature"),
        case("truncated and signed", signed(half), 400, "bad_request"),
        case("not JSON", signed(b"hub.challenge=1"), 400, "bad_request"),
        case("empty", signed(b""), 400, "bad_request"),
        case("encoded", signed(&good).header("content-encoding", "gzip"), 415, "unsupported"),
        case(
            "a form",
            http()
                .post(&url)
                .header("x-hub-signature-256", sign(&good))
                .header("content-type", "application/x-www-form-urlencoded")
                .body("a=b"),
            415,
            "unsupported",
        ),
        case("wrong method", http().put(&url), 405, "method_not_allowed"),
        case("no such endpoint", http().post(format!("{url}2")), 404, "not_found"),
        case(
            "handshake, wrong token",
            http().get(format!("{url}?hub.mode=subscribe&hub.verify_token=guess&hub.challenge=1")),
            403,
            "bad_verify_token",
        ),
        case("handshake, nothing", http().get(&url), 403, "bad_verify_token"),
    ];
    run(cases.into()).await;
    let stored: i64 = house.deliveries().query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 0, "a bad delivery was stored");
    assert_eq!(house.count("message_received"), 0);

    let handshake = format!("{url}?hub.mode=subscribe&hub.verify_token=agreed&hub.challenge=1158201444");
    let answer = http().get(handshake).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "1158201444"));
    assert_eq!(signed(&good).send().await.unwrap().status(), 200, "the good one is taken");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_of_desks_leave_nothing_behind() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let (conversation, case_id) = writes(&served, &admin, "96550000001", "انقطع الماء").await;
    // Somebody of another team, for whom that conversation does not exist.
    let other = admin.add("other", &["agent"], &["emergency"]).await;
    let entries = |house: &House| -> i64 {
        house.journal().query_row("SELECT count(*) FROM entries", [], |row| row.get(0)).unwrap()
    };
    let before = entries(&house);

    let api = format!("{}/api/v1", served.address);
    let with = |method: Method, path: &str| http().request(method, format!("{api}{path}")).bearer_auth(&other.token);
    let post =
        |body: &str| with(Method::POST, "/commands").header("content-type", "application/json").body(body.to_owned());
    let session = |body: Value| http().post(format!("{api}/session")).json(&body);
    let wrong = json!({"agency": "mew", "username": "admin", "password": "not the password at all", "device": "d"});
    let mut nobody = wrong.clone();
    nobody["username"] = "nobody".into();
    let mut nowhere = wrong.clone();
    nowhere["agency"] = "moci".into();
    let mut code = wrong.clone();
    code["code"] = "ABCD-EFGH-JKLM".into();
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let many = json!(vec![json!({"id": uuid(), "kind": "claim", "case": case_id}); 101]).to_string();
    let live = with(Method::GET, "/live?after=999999")
        .header("upgrade", "websocket")
        .header("connection", "upgrade")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let cases = [
        case("no token", http().get(format!("{api}/sync")), 401, "signed_out"),
        case("bad token", http().get(format!("{api}/sync")).bearer_auth("mew.AAAA"), 401, "signed_out"),
        case("token of no agency", http().get(format!("{api}/sync")).bearer_auth("moci.AAAA"), 401, "signed_out"),
        case("not a bearer", http().get(format!("{api}/sync")).basic_auth("admin", Some(PASSWORD)), 401, "signed_out"),
        case("wrong password", session(wrong), 401, "wrong_credentials"),
        case("unknown user", session(nobody), 401, "wrong_credentials"),
        case("unknown agency", session(nowhere), 401, "wrong_credentials"),
        case("wrong code", session(code), 401, "wrong_credentials"),
        case("half a session", session(json!({"agency": "mew"})), 400, "bad_request"),
        case("session that is no JSON", http().post(format!("{api}/session")).body("x"), 415, "unsupported"),
        case("sync by another method", with(Method::POST, "/sync"), 405, "method_not_allowed"),
        case(
            "a cursor of another journal",
            with(Method::GET, "/sync?after=01a203d7-0507-7723-ac28-9b97d7c9f117.cf20b61a731bd842.3.3.0"),
            410,
            "cursor_gone",
        ),
        case("a seq that is not there yet", with(Method::GET, "/sync?after=999999"), 410, "cursor_gone"),
        case("a cursor that is none", with(Method::GET, "/sync?after=nonsense"), 400, "bad_request"),
        case("live without WebSocket", with(Method::GET, "/live"), 400, "bad_request"),
        case("live from another journal", live, 410, "cursor_gone"),
        case("foreign case", with(Method::GET, &format!("/cases/{case_id}/entries")), 404, "not_found"),
        case("no case at all", with(Method::GET, "/cases/nonsense/entries"), 404, "not_found"),
        case("commands that are no JSON", post("{"), 400, "bad_request"),
        case("commands that are no array", post("{}"), 400, "bad_request"),
        case("nested without end", post(&deep), 400, "bad_request"),
        case("a command without id", post(r#"[{"kind":"claim"}]"#), 400, "bad_request"),
        case(
            "an id that is no UUIDv7",
            post(r#"[{"id":"00000000-0000-4000-8000-000000000001","kind":"claim"}]"#),
            400,
            "bad_request",
        ),
        case("too many commands", post(&many), 413, "too_large"),
        case("too long", post(&" ".repeat((1 << 20) + 1)), 413, "too_large"),
        case("commands as text", with(Method::POST, "/commands").body("[]"), 415, "unsupported"),
        case("an old desk", with(Method::GET, "/sync").header("x-shubbak-contract", "0"), 426, "upgrade_required"),
        case("no such path", with(Method::GET, "/nothing"), 404, "not_found"),
    ];
    run(cases.into()).await;

    for (what, command, code) in [
        ("unknown command", json!({"kind": "fly"}), "unknown_command"),
        ("a surplus field", json!({"kind": "claim", "case": case_id, "gently": true}), "invalid"),
        (
            "foreign conversation",
            json!({"kind": "reply", "conversation": conversation, "text": "نعم", "seen": 99}),
            "not_found",
        ),
        (
            "a conversation that is not there",
            json!({"kind": "reply", "conversation": uuid(), "text": "نعم", "seen": 99}),
            "not_found",
        ),
        ("foreign case", json!({"kind": "claim", "case": case_id}), "not_found"),
        ("a note on a foreign case", json!({"kind": "add_note", "case": case_id, "text": "x"}), "not_found"),
        (
            "accounts are an admin's",
            json!({"kind": "add_staff", "username": "x", "name": "x", "roles": ["agent"], "teams": []}),
            "forbidden",
        ),
    ] {
        let answer = other.ask(command).await;
        assert_eq!(answer["refused"]["code"], code, "{what}: {answer}");
        assert!(answer["refused"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{what}: {answer}");
    }
    assert_eq!(entries(&house), before, "something was written");
    let foreign = other.sync("0").await;
    assert!(!json!(foreign).to_string().contains(&case_id), "a foreign case shows");
    assert_eq!(http().get(format!("{}/readyz", served.address)).send().await.unwrap().status(), 200);
    served.stop().await;
    house.verify();
}

async fn run(cases: Vec<Case>) {
    for Case { what, request, status, code } in cases {
        let answer = request.send().await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let got = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let problem: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{what}: {got} {text:?}"));
        assert_eq!((got, problem["code"].as_str()), (status, Some(code)), "{what}: {text}");
        assert!(problem["message"].as_str().is_some_and(|message| message.len() > 10), "{what}: {text}");
    }
}
