//! The simulator as a gateway sees it: a webhook server that checks signatures, and the client that the gateway uses.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use domain::entry::{IdentifierKind, Recipient};
use serde_json::{Value, json};
use simulator::{Config, Running};
use whatsapp::{
    client::{Again, Client, SendFailure, Timeouts},
    signature,
    webhook::{Content, Message, Sender, Status, parse},
};

const SECRET: &str = "app secret";

/// What arrived, and what to answer before answering 200.
#[derive(Clone, Default)]
struct Gateway {
    bodies: Arc<Mutex<Vec<Bytes>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

async fn receive(State(gateway): State<Gateway>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = headers.get(signature::HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert!(signature::verify(header, &body, &[SECRET]), "every webhook is signed");
    assert!(body.is_ascii());
    let answer = gateway.answers.lock().unwrap().pop_front().unwrap_or(200);
    gateway.bodies.lock().unwrap().push(body);
    StatusCode::from_u16(answer).unwrap()
}

impl Gateway {
    async fn start() -> (Self, SocketAddr) {
        let gateway = Self::default();
        let app = Router::new().route("/webhooks/whatsapp", post(receive)).with_state(gateway.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        (gateway, address)
    }

    fn items(&self) -> Vec<Content> {
        let bodies = self.bodies.lock().unwrap();
        bodies
            .iter()
            .flat_map(|body| parse(body).unwrap().items().map(|(_, item)| item.content.clone()).collect::<Vec<_>>())
            .collect()
    }

    fn statuses(&self) -> Vec<Status> {
        let status = |content| if let Content::Status(status) = content { Some(*status) } else { None };
        self.items().into_iter().filter_map(status).collect()
    }

    fn messages(&self) -> Vec<Message> {
        let message = |content| if let Content::Message(message) = content { Some(*message) } else { None };
        self.items().into_iter().filter_map(message).collect()
    }

    fn words(&self) -> Vec<String> {
        self.statuses().iter().map(|status| status.progress.as_str().to_owned()).collect()
    }
}

struct Town {
    gateway: Gateway,
    running: Running,
    http: reqwest::Client,
}

impl Town {
    async fn new() -> Self {
        let (gateway, address) = Gateway::start().await;
        let webhook = format!("http://{address}/webhooks/whatsapp");
        let mut config = Config::new(&webhook, SECRET, "TOKEN", "10650001", "+965 2220 0000");
        config.pace = Duration::from_millis(20);
        config.retry = Duration::from_millis(20);
        config.retry_most = Duration::from_millis(100);
        let running = Running::start(config).await.unwrap();
        Self { gateway, running, http: reqwest::Client::new() }
    }

    fn client(&self, token: &str) -> Client {
        let timeouts = Timeouts { connect: Duration::from_secs(1), answer: Duration::from_millis(700) };
        let http = whatsapp::client::http(timeouts).unwrap();
        Client::new(http, &format!("http://{}", self.running.address), "v26.0", "10650001", token)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address)
    }

    async fn get(&self, path: &str) -> Value {
        self.http.get(self.url(path)).send().await.unwrap().json().await.unwrap()
    }

    async fn put(&self, path: &str, body: Value) {
        assert_eq!(self.http.put(self.url(path)).json(&body).send().await.unwrap().status(), 200);
    }

    async fn write(&self, telephone: &str, body: Value) -> String {
        let answer = self.http.post(self.url(&format!("/telephones/{telephone}/messages"))).json(&body).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 201);
        answer.json::<Value>().await.unwrap()["wamid"].as_str().unwrap().to_owned()
    }

    async fn reply(&self, text: &str) -> Result<String, SendFailure> {
        let to = Recipient { kind: IdentifierKind::Phone, value: "96550000101".into() };
        self.client("TOKEN").send_text(&to, text, None, "0190").await.map(|accepted| accepted.wamid)
    }

    async fn ticks(&self, telephone: &str) -> Vec<String> {
        let thread = self.get(&format!("/telephones/{telephone}")).await;
        thread["messages"].as_array().unwrap().iter().map(|it| it["tick"].as_str().unwrap().to_owned()).collect()
    }
}

/// Waits until it is so.
macro_rules! until {
    ($what:expr) => {{
        let mut tries = 0;
        while !$what {
            tries += 1;
            if tries > 400 {
                panic!("Never came true: {}", stringify!($what));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }};
}

#[tokio::test]
async fn a_citizens_text_arrives_signed_and_its_ticks_turn() {
    let town = Town::new().await;
    let wamid = town.write("1", json!({"text": "الماي مقطوع 😀"})).await;
    until!(town.gateway.messages().len() == 1);
    let message = town.gateway.messages().remove(0);
    assert_eq!(message.id, wamid);
    assert!(
        matches!(&message.sender, Some(Sender::Both { phone, bsuid }) if phone == "96550000101" && bsuid.starts_with("KW."))
    );
    assert_eq!((message.kind.as_str(), message.text.as_deref()), ("text", Some("الماي مقطوع 😀")));
    assert_eq!(message.contact.unwrap().name.as_deref(), Some("فاطمة العلي"));
    assert!(message.timestamp.is_some());
    let raw: Value = serde_json::from_slice(&town.gateway.bodies.lock().unwrap()[0]).unwrap();
    let metadata = &raw["entry"][0]["changes"][0]["value"]["metadata"];
    assert_eq!(metadata, &json!({"display_phone_number": "96522200000", "phone_number_id": "10650001"}));

    until!(town.ticks("1").await == ["delivered"]);
    town.client("TOKEN").mark_read(&wamid).await.unwrap();
    assert_eq!(town.ticks("1").await, ["read"]);
    let unknown = town.client("TOKEN").mark_read("wamid.nothing").await.unwrap_err();
    assert_eq!(unknown.error().code, Some(131_009));
}

#[tokio::test]
async fn a_citizen_without_a_number_is_known_by_bsuid_alone() {
    let town = Town::new().await;
    town.write("6", json!({"text": "هلا"})).await;
    until!(town.gateway.messages().len() == 1);
    let raw: Value = serde_json::from_slice(&town.gateway.bodies.lock().unwrap()[0]).unwrap();
    let value = &raw["entry"][0]["changes"][0]["value"];
    assert!(value["messages"][0].get("from").is_none() && value["contacts"][0].get("wa_id").is_none(), "{value}");
    let Some(Sender::Bsuid(bsuid)) = town.gateway.messages().remove(0).sender else { panic!() };

    let to = Recipient { kind: IdentifierKind::Bsuid, value: bsuid.clone() };
    town.client("TOKEN").send_text(&to, "أهلاً", None, "0191").await.unwrap();
    until!(town.gateway.words() == ["sent", "delivered"]);
    assert_eq!(town.gateway.statuses()[0].recipient, Some(Sender::Bsuid(bsuid)));
}

#[tokio::test]
async fn statuses_come_in_order_and_bring_the_callback_data_back() {
    let town = Town::new().await;
    town.write("1", json!({"text": "سؤال"})).await;
    let wamid = town.reply("جواب").await.unwrap();
    until!(town.gateway.words() == ["sent", "delivered"]);
    let thread = town.get("/telephones/1").await;
    assert_eq!((&thread["messages"][1]["text"], &thread["unread"]), (&json!("جواب"), &json!(1)));
    let answer = town.http.post(town.url("/telephones/1/read")).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    until!(town.gateway.words() == ["sent", "delivered", "read"]);
    for status in town.gateway.statuses() {
        assert_eq!((status.id, status.callback_data.as_deref()), (wamid.clone(), Some("0190")));
    }
    assert_eq!(town.get("/telephones/1").await["unread"], 0);
}

#[tokio::test]
async fn an_open_chat_reads_at_once_and_closes_with_its_page() {
    let town = Town::new().await;
    town.write("1", json!({"text": "سؤال"})).await;
    let mut page = town.http.get(town.url("/events?open=1")).send().await.unwrap();
    assert!(String::from_utf8(page.chunk().await.unwrap().unwrap().to_vec()).unwrap().contains("data: *"));
    town.reply("جواب").await.unwrap();
    until!(town.gateway.words() == ["sent", "read"]);
    drop(page);
    tokio::time::sleep(Duration::from_millis(200)).await;
    town.reply("جواب ثان").await.unwrap();
    until!(town.gateway.words() == ["sent", "read", "sent", "delivered"]);
}

#[tokio::test]
async fn a_webhook_is_repeated_until_it_is_taken_and_the_failure_is_listed() {
    let town = Town::new().await;
    town.gateway.answers.lock().unwrap().extend([503, 201, 500]);
    town.write("1", json!({"text": "أول"})).await;
    town.write("1", json!({"text": "ثان"})).await;
    until!(town.ticks("1").await == ["delivered", "delivered"]);
    let texts: Vec<_> = town.gateway.messages().into_iter().map(|message| message.text.unwrap()).collect();
    assert_eq!(texts, ["أول", "أول", "أول", "أول", "ثان"]);
    let bodies = town.gateway.bodies.lock().unwrap().clone();
    assert!(bodies[..4].iter().all(|body| *body == bodies[0]), "a repetition is the same, byte for byte");
    let webhook = &town.get("/state").await["webhook"];
    let reasons: Vec<_> = webhook["failures"].as_array().unwrap().iter().map(|it| it["reason"].clone()).collect();
    assert_eq!(reasons, ["HTTP 500", "HTTP 201", "HTTP 503"]);
    assert_eq!((&webhook["waiting"], &webhook["delivered"], &webhook["failing"]), (&json!(0), &json!(2), &Value::Null));
}

#[tokio::test]
async fn what_waits_goes_where_the_gateway_has_moved() {
    let town = Town::new().await;
    let webhook = town.get("/state").await["webhook"]["url"].as_str().unwrap().to_owned();
    town.running.aim("http://127.0.0.1:9/");
    town.write("1", json!({"text": "أول"})).await;
    until!(town.get("/state").await["webhook"]["failing"]["reason"] == "no connection");
    assert_eq!(town.ticks("1").await, ["waiting"]);
    let answer = town.http.put(town.url("/webhook")).json(&json!({ "url": webhook })).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    until!(town.ticks("1").await == ["delivered"]);
}

#[tokio::test]
async fn raw_messages_of_any_type_are_sent_as_they_are() {
    let town = Town::new().await;
    let image = json!({"type": "image", "image": {"id": "77", "mime_type": "image/jpeg", "sha256": "x="}});
    town.write("1", json!({ "raw": image })).await;
    town.write("1", json!({"raw": {"type": "hologram", "from": null, "timestamp": 1}})).await;
    until!(town.gateway.messages().len() == 2);
    let messages = town.gateway.messages();
    assert_eq!((messages[0].kind.as_str(), messages[1].kind.as_str()), ("image", "hologram"));
    assert!(matches!(messages[1].sender, Some(Sender::Bsuid(_))), "null takes a member away");
    assert_eq!(messages[1].timestamp, Some(1000));
    assert_eq!(town.get("/telephones/1").await["messages"][0]["kind"], "image");
}

#[tokio::test]
async fn metas_refusals() {
    let town = Town::new().await;
    let to = |value: &str| Recipient { kind: IdentifierKind::Phone, value: value.into() };
    let bad_token = town.client("OTHER").send_text(&to("96550000101"), "x", None, "0190").await.unwrap_err();
    assert!(matches!(bad_token, SendFailure::Stop(error) if error.code == Some(190)));
    let too_long = town.reply(&"ب".repeat(4097)).await.unwrap_err();
    assert!(matches!(too_long, SendFailure::Refused(error) if error.code == Some(100)));
    town.reply("قبل أن يكتب").await.unwrap();
    town.client("TOKEN").send_text(&to("96599999999"), "x", None, "0192").await.unwrap();
    until!(town.gateway.statuses().len() == 2);
    let mut codes: Vec<_> = town.gateway.statuses().iter().map(|status| status.errors[0].code.unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [131_026, 131_047]);
    assert!(town.get("/telephones/1").await["messages"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn faults_befall_sends() {
    let town = Town::new().await;
    town.write("1", json!({"text": "سؤال"})).await;
    for (code, http) in [(130_429, 429), (131_056, 400), (131_000, 500), (190, 401)] {
        town.put("/faults", json!({"send": {"code": code, "http": http, "times": 1}})).await;
        let failure = town.reply("جواب").await.unwrap_err();
        let right = match code {
            130_429 => matches!(failure, SendFailure::NotSent(Again::Rate, _)),
            131_056 => matches!(failure, SendFailure::NotSent(Again::PairRate, _)),
            131_000 => matches!(failure, SendFailure::Ambiguous(_)),
            _ => matches!(failure, SendFailure::Stop(_)),
        };
        assert!(right, "{code}: {failure:?}");
    }
    assert_eq!(town.ticks("1").await.len(), 1, "none of them was accepted");

    town.put("/faults", json!({"send": {"accept": true, "hang": true, "times": 1}})).await;
    assert!(matches!(town.reply("جواب").await, Err(SendFailure::Ambiguous(_))));
    until!(town.gateway.words() == ["sent", "delivered"]);
    assert_eq!(town.gateway.statuses()[0].callback_data.as_deref(), Some("0190"), "this is how it becomes known");
    assert!(town.reply("جواب آخر").await.is_ok(), "the fault is over");
}

#[tokio::test]
async fn faults_befall_webhooks() {
    let town = Town::new().await;
    town.put("/faults", json!({"duplicate_webhooks": true})).await;
    town.write("1", json!({"text": "سؤال"})).await;
    until!(town.gateway.messages().len() == 2);
    let messages = town.gateway.messages();
    assert_eq!(messages[0], messages[1]);

    town.put("/faults", json!({"lose_statuses": true})).await;
    town.reply("بلا أثر").await.unwrap();
    until!(town.ticks("1").await == ["delivered", "delivered"]);

    town.put("/faults", json!({"shuffle_webhooks": true})).await;
    for text in ["1", "2", "3"] {
        town.write("2", json!({ "text": text })).await;
    }
    until!(town.gateway.messages().len() == 5);
    let texts: Vec<_> = town.gateway.messages().into_iter().skip(2).map(|message| message.text.unwrap()).collect();
    assert_eq!(texts, ["3", "2", "1"]);
    assert!(town.gateway.statuses().is_empty());
}

#[tokio::test]
async fn telephones_are_added_and_bad_requests_answered_in_words() {
    let town = Town::new().await;
    assert_eq!(town.get("/telephones").await.as_array().unwrap().len(), 6);
    let post = |path: &str, body: Value| town.http.post(town.url(path)).json(&body).send();
    let added: Value =
        post("/telephones", json!({"name": "سارة", "phone": "+965 5000 0777"})).await.unwrap().json().await.unwrap();
    assert_eq!((&added["id"], &added["phone"]), (&json!("7"), &json!("96550000777")));
    town.write("7", json!({"text": "مرحبا"})).await;
    for (path, body, status, code) in [
        ("/telephones", json!({"name": " "}), 400, "no_name"),
        ("/telephones", json!({"name": "س", "phone": "12"}), 400, "not_a_number"),
        ("/telephones", json!({"name": "س", "phone": "96550000777"}), 409, "taken"),
        ("/telephones/99/messages", json!({"text": "x"}), 404, "no_telephone"),
        ("/telephones/1/messages", json!({"text": "  "}), 400, "not_a_message"),
    ] {
        let answer = post(path, body).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], code);
    }
}

#[tokio::test]
async fn it_listens_on_loopback_only_and_stops_when_told() {
    let mut config = Config::new("http://127.0.0.1:9/", SECRET, "TOKEN", "1", "1");
    config.listen = "0.0.0.0:0".parse().unwrap();
    let error = Running::start(config).await.err().unwrap();
    assert!(error.to_string().contains("not a loopback address"), "{error}");

    let town = Town::new().await;
    let address = town.running.address;
    let page = town.http.get(town.url("/events?open=1")).send().await.unwrap();
    town.put("/faults", json!({"send": {"hang": true}})).await;
    let client = town.client("TOKEN");
    let hanging = tokio::spawn(async move {
        let to = Recipient { kind: IdentifierKind::Phone, value: "96550000101".into() };
        client.send_text(&to, "x", None, "0190").await
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::time::timeout(Duration::from_secs(3), town.running.stop()).await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    drop((page, hanging));
}

#[tokio::test]
async fn the_page_is_served_under_a_strict_policy() {
    let town = Town::new().await;
    for path in ["/", "/page.css", "/page.js", "/words.js", "/arabic-400.woff2"] {
        let answer = town.http.get(town.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(!answer.bytes().await.unwrap().is_empty(), "{path}");
    }
    for script in [include_str!("../src/page/page.js"), include_str!("../src/page/words.js")] {
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!script.contains(forbidden), "{forbidden}");
        }
    }
}
