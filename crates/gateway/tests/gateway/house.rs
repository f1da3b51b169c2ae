//! A gateway in a temporary folder, and everything that speaks to it.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Once, OnceLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::ids::{Clock, Ids, Millis, System};
use futures_util::{SinkExt, StreamExt};
use gateway::{
    config,
    home::{Home, Place, Row, Storage},
    init, serve,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpStream, sync::oneshot, task::JoinHandle};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

use crate::postgres::{self, apart};

pub(crate) const SECRET: &[u8] = b"the app's secret";
pub(crate) const LINE: &str = "100000000000001";
pub(crate) const PASSWORD: &str = "four blue doors at noon";

/// The computer's clock, moved; or one that stands still.
#[derive(Default)]
pub(crate) struct Moved {
    by: AtomicI64,
    still: AtomicI64,
}

impl Moved {
    pub(crate) fn forward(&self, by: Millis) {
        self.by.fetch_add(by, Ordering::SeqCst);
    }

    /// Sets it so far ahead of the true time, or behind it.
    pub(crate) fn ahead(&self, by: Millis) {
        self.by.store(by, Ordering::SeqCst);
    }

    /// From now on only `forward` moves it.
    pub(crate) fn stop(&self) {
        self.still.store(System.now(), Ordering::SeqCst);
    }
}

impl Clock for Moved {
    fn now(&self) -> Millis {
        let still = self.still.load(Ordering::SeqCst);
        self.by.load(Ordering::SeqCst) + if still == 0 { System.now() } else { still }
    }
}

/// A gateway's folder.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) config: PathBuf,
    pub(crate) clock: Arc<Moved>,
    pub(crate) code: String,
}

/// A gateway that runs within the test.
pub(crate) struct Served {
    pub(crate) address: String,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

/// A person who is signed in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) address: String,
}

pub(crate) fn uuid() -> String {
    System.next(System.now()).to_string()
}

pub(crate) fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

pub(crate) fn http() -> reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    install_crypto();
    // No connection outlives its request: the next one may run on another test's runtime.
    CLIENT.get_or_init(|| reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap()).clone()
}

pub(crate) fn pack() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/mew.toml").canonicalize().unwrap()
}

/// A configuration's text, with its storage in a database.
pub(crate) fn on_postgres(config: &Path, database: &str) -> String {
    let text = std::fs::read_to_string(config).unwrap();
    text.replace("\"sqlite:data\"", &format!("{database:?}\nkey_file = \"server.key\""))
}

impl House {
    /// Sets a gateway up with `graph_url` as WhatsApp.
    pub(crate) fn new(graph_url: &str) -> Self {
        install_crypto();
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
        write("app-secret", SECRET);
        write("verify-token", b"agreed");
        write("token", b"token of the line\n");
        let pack = pack();
        write(
            "gateway.toml",
            format!(
                "[server]\nlisten = \"127.0.0.1:0\"\n[storage]\njournal = \"sqlite:data\"\nrecords = \"data\"\n\
                 [whatsapp]\ngraph_url = {graph_url:?}\napp_secret_file = \"app-secret\"\nverify_token_file = \"verify-token\"\n\
                 [[agency]]\nid = \"mew\"\npack = {pack:?}\n\
                 [[agency.line]]\nphone_number_id = {LINE:?}\nwaba_id = \"1\"\ndisplay_number = \"96522200000\"\ntoken_file = \"token\"\n"
            )
            .as_bytes(),
        );
        let path = folder.path().join("gateway.toml");
        let clock = Arc::new(Moved::default());
        if postgres::HERE.try_with(|()| ()).is_ok() {
            write("gateway.toml", on_postgres(&path, &apart(|| postgres::database(postgres::shared()))).as_bytes());
        }
        let made = apart(|| init::init(&config::load(&path).unwrap(), clock.clone(), Arc::new(System)).unwrap());
        Self { folder, config: path, clock, code: made.admins[0].code.clone() }
    }

    /// Changes the configuration's text.
    pub(crate) fn configure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(&self.config).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&self.config, text.replacen(from, to, 1)).unwrap();
    }

    /// A certificate for localhost, configured; the client that trusts it, and no other.
    pub(crate) fn with_tls(&self) -> reqwest::Client {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(self.folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(self.folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        self.configure("127.0.0.1:0\"", "127.0.0.1:0\"\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"");
        let certificate = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
        reqwest::Client::builder().tls_certs_only([certificate]).pool_max_idle_per_host(0).build().unwrap()
    }

    /// Another agency with one line; its first account's code.
    pub(crate) fn add_agency(&self, id: &str, line: &str) -> String {
        let text = std::fs::read_to_string(&self.config).unwrap();
        let pack = pack();
        let more = format!(
            "[[agency]]\nid = {id:?}\npack = {pack:?}\n[[agency.line]]\nphone_number_id = {line:?}\n\
             display_number = \"96522300000\"\ntoken_file = \"token\"\n"
        );
        std::fs::write(&self.config, text + &more).unwrap();
        let config = config::load(&self.config).unwrap();
        let made = apart(|| init::init(&config, self.clock.clone(), Arc::new(System)).unwrap());
        made.admins[0].code.clone()
    }

    pub(crate) async fn serve(&self) -> Served {
        self.serve_with(|_| {}).await
    }

    /// Serves with a configuration that a test has changed.
    pub(crate) async fn serve_with(&self, change: impl FnOnce(&mut config::Config)) -> Served {
        let (listening, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut config = config::load(&self.config).unwrap();
        change(&mut config);
        let clock = self.clock.clone();
        let task = tokio::spawn(async move {
            let stop = async {
                let _ = stopped.await;
            };
            serve::serve(config, clock, Arc::new(System), listening, stop).await.unwrap();
        });
        Served { address: address.await.unwrap(), stop: Some(stop), task: Some(task) }
    }

    /// The first account, signed in for the first time.
    pub(crate) async fn admin(&self, address: &str) -> Person {
        let body = json!({"agency": "mew", "username": "admin", "password": PASSWORD, "device": "desk-admin", "code": self.code});
        sign_in(address, &body).await
    }

    pub(crate) fn journal(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("data/mew/journal.db")).unwrap()
    }

    pub(crate) fn deliveries(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("data/deliveries.db")).unwrap()
    }

    /// Where everything is kept.
    pub(crate) fn storage(&self) -> Storage {
        config::load(&self.config).unwrap().storage
    }

    /// Asks the journal, or the deliveries, wherever they are.
    pub(crate) fn ask(&self, place: &Place, sql: &str) -> Vec<Row> {
        apart(|| Home::reader(place).unwrap().query(sql, &[]).unwrap())
    }

    /// Changes the journal behind the gateway's back.
    pub(crate) fn change(&self, statements: &[&str]) {
        match self.storage().journal("mew") {
            Place::Sqlite(_) => self.journal().execute_batch(&statements.join(";")).unwrap(),
            Place::Postgres(..) => {
                let text = std::fs::read_to_string(&self.config).unwrap();
                let address = text.split('"').find(|text| text.starts_with("postgres://")).unwrap();
                let sql = format!("SET search_path TO agency_mew; {}", statements.join(";"));
                apart(|| {
                    let mut client = ::postgres::Client::connect(address, ::postgres::NoTls).unwrap();
                    client.batch_execute(&sql).unwrap();
                });
            }
        }
    }

    /// A number in the journal.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.ask(&self.storage().journal("mew"), sql)[0].integer().unwrap()
    }

    /// A number among the deliveries.
    pub(crate) fn number_of_deliveries(&self, sql: &str) -> i64 {
        self.ask(&self.storage().deliveries(), sql)[0].integer().unwrap()
    }

    /// Waits until intake has done every delivery.
    pub(crate) async fn all_taken_in(&self) {
        eventually("every delivery is done", async || {
            let left = self.number_of_deliveries("SELECT count(*) FROM deliveries WHERE state <> 'done'");
            (left == 0).then_some(())
        })
        .await;
    }

    /// How many entries of a kind the journal has.
    pub(crate) fn count(&self, kind: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM entries WHERE kind = '{kind}'"))
    }

    /// The bodies of a kind of entry, in order.
    pub(crate) fn bodies(&self, kind: &str) -> Vec<Value> {
        let sql = format!("SELECT body FROM entries WHERE kind = '{kind}' ORDER BY seq");
        let rows = self.ask(&self.storage().journal("mew"), &sql).into_iter();
        rows.map(|mut row| serde_json::from_str(&row.text().unwrap()).unwrap()).collect()
    }

    /// Every digest, chain and place in the journal, computed anew.
    pub(crate) fn verify(&self) {
        let journal = self.storage().journal("mew");
        let mut chain = domain::chain::START;
        let rows = self.ask(&journal, "SELECT seq, salt, body, digest, chain FROM entries ORDER BY seq");
        let (entries, head) = apart(|| {
            let reader = gateway::journal::Reader::open(journal).unwrap();
            (reader.entries_after(0, u32::MAX).unwrap(), reader.head().unwrap())
        });
        assert_eq!(rows.len(), entries.len());
        for ((place, mut row), entry) in (1..).zip(rows).zip(entries) {
            let (seq, salt, body) = (row.integer().unwrap(), row.blob().unwrap(), row.text().unwrap());
            let (digest, stored) = (row.bytes().unwrap(), row.bytes().unwrap());
            assert_eq!(seq, place, "seq is dense");
            if !body.is_empty() {
                assert_eq!(digest, domain::chain::digest(&salt.try_into().unwrap(), body.as_bytes()));
            }
            chain = domain::chain::next(&chain, &digest, &entry);
            assert_eq!(chain, stored, "the chain breaks at {seq}");
        }
        assert_eq!(head.chain, chain);
    }
}

impl Served {
    pub(crate) async fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.task.take().unwrap().await.unwrap();
    }

    /// Posts a delivery, signed.
    pub(crate) async fn deliver(&self, body: &Value) {
        assert_eq!(deliver(&self.address, body).await.unwrap(), 200);
    }
}

pub(crate) async fn deliver(address: &str, body: &Value) -> reqwest::Result<u16> {
    let body = body.to_string();
    let signature = whatsapp::signature::sign(SECRET, body.as_bytes());
    let answer = http()
        .post(format!("{address}/webhooks/whatsapp"))
        .header("content-type", "application/json")
        .header("x-hub-signature-256", signature)
        .body(body)
        .send()
        .await?;
    Ok(answer.status().as_u16())
}

pub(crate) async fn sign_in(address: &str, body: &Value) -> Person {
    let answer = http().post(format!("{address}/api/v1/session")).json(body).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let answer: Value = answer.json().await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Person { id: text(&answer["staff"]["id"]), token: text(&answer["token"]), address: address.to_owned() }
}

impl Person {
    /// The same device, after the gateway has moved to another address.
    pub(crate) fn at(other: &Self, address: &str) -> Self {
        Self { address: address.to_owned(), ..other.clone() }
    }

    pub(crate) async fn commands(&self, commands: &Value) -> (u16, Value) {
        let answer = http()
            .post(format!("{}/api/v1/commands", self.address))
            .bearer_auth(&self.token)
            .json(commands)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// One command; its answer.
    pub(crate) async fn ask(&self, mut command: Value) -> Value {
        if command.get("id").is_none() {
            command["id"] = uuid().into();
        }
        let (status, answers) = self.commands(&json!([command])).await;
        assert_eq!(status, 200, "{answers}");
        answers[0].clone()
    }

    pub(crate) async fn must(&self, command: Value) -> Value {
        let answer = self.ask(command).await;
        assert!(answer["accepted"].is_array(), "{answer}");
        answer
    }

    /// A colleague with an account of their own, signed in.
    pub(crate) async fn add(&self, username: &str, roles: &[&str], teams: &[&str]) -> Person {
        let answer = self
            .must(json!({"kind": "add_staff", "username": username, "name": username, "roles": roles, "teams": teams}))
            .await;
        let body = json!({"agency": "mew", "username": username, "password": PASSWORD,
            "device": format!("desk-{username}"), "code": answer["code"]});
        sign_in(&self.address, &body).await
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        http().get(format!("{}{path}", self.address)).bearer_auth(&self.token).send().await.unwrap()
    }

    /// Every line of a catch-up.
    pub(crate) async fn sync(&self, after: &str) -> Vec<Value> {
        let answer = self.get(&format!("/api/v1/sync?after={after}")).await;
        assert_eq!(answer.status(), 200);
        lines(&answer.text().await.unwrap())
    }

    /// The token at the end of a catch-up.
    pub(crate) async fn cursor(&self) -> String {
        token(&self.sync("0").await)
    }

    /// A live connection, if there is somebody to connect to.
    pub(crate) async fn try_live(&self, after: &str) -> Option<Live> {
        let address = self.address.replace("http", "ws");
        let address = format!("{address}/api/v1/live?after={after}");
        let mut request =
            tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(address).unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        Some(Live(tokio_tungstenite::connect_async(request).await.ok()?.0))
    }

    pub(crate) async fn live(&self, after: &str) -> Live {
        let address = self.address.replace("http", "ws");
        let mut request = tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(format!(
            "{address}/api/v1/live?after={after}"
        ))
        .unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        Live(tokio_tungstenite::connect_async(request).await.unwrap().0)
    }
}

/// A live connection.
pub(crate) struct Live(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Live {
    /// The next line, if one comes within a time; `None` once the gateway closes.
    pub(crate) async fn next_within(&mut self, within: Duration) -> Option<Option<Value>> {
        match tokio::time::timeout(within, self.0.next()).await {
            Err(_) => Some(None),
            Ok(Some(Ok(Message::Text(text)))) => Some(Some(serde_json::from_str(&text).unwrap())),
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => None,
            Ok(Some(Ok(_))) => Some(None),
        }
    }

    /// The next line, or `None` once the gateway closes.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.expect("no line in time");
            match next {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Says something up the socket; whether it is still open.
    pub(crate) async fn say(&mut self, said: &str) -> bool {
        self.0.send(Message::text(said)).await.is_ok()
    }

    /// The next line about somebody's presence.
    pub(crate) async fn presence(&mut self) -> Value {
        loop {
            let line = self.next().await.expect("the gateway closed");
            if let Some(presence) = line.get("presence") {
                return presence.clone();
            }
        }
    }

    /// The next line that is no cursor.
    pub(crate) async fn next_but_cursors(&mut self) -> Option<Value> {
        loop {
            match self.next().await {
                Some(line) if line.get("cursor").is_some() => {}
                other => return other,
            }
        }
    }

    /// Every line that comes within a time.
    pub(crate) async fn lines_within(&mut self, within: Duration) -> Vec<Value> {
        let mut lines = vec![];
        let until = tokio::time::Instant::now() + within;
        while let Ok(Some(Ok(message))) = tokio::time::timeout_at(until, self.0.next()).await {
            if let Message::Text(text) = message {
                lines.push(serde_json::from_str(&text).unwrap());
            }
        }
        lines
    }

    /// The next entry.
    pub(crate) async fn entry(&mut self) -> Value {
        loop {
            let line = self.next().await.expect("the gateway closed");
            if line.get("entry").is_some() {
                return line;
            }
            assert!(line.get("cursor").is_some(), "{line}");
        }
    }
}

pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn token(lines: &[Value]) -> String {
    lines.last().unwrap()["cursor"]["token"].as_str().unwrap().to_owned()
}

pub(crate) fn entries<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().map(|line| &line["entry"]).filter(|entry| entry["kind"] == kind).collect()
}

pub(crate) fn wamid() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("wamid.{}.{}", uuid(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A change of a line, as a delivery of its own.
pub(crate) fn value(line: &str, more: Value) -> Value {
    let mut value = json!({"messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "96522200000", "phone_number_id": line}});
    for (name, part) in more.as_object().unwrap() {
        value[name] = part.clone();
    }
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})
}

/// A delivery with one message of any type.
pub(crate) fn message(line: &str, from: &str, wamid: &str, sent_at: Millis, kind: &str, content: &Value) -> Value {
    let mut message = json!({"from": from, "id": wamid, "timestamp": (sent_at / 1000).to_string(), "type": kind});
    message[kind] = content.clone();
    value(
        line,
        json!({"contacts": [{"profile": {"name": format!("مراجع {from}")}, "wa_id": from}], "messages": [message]}),
    )
}

/// A delivery with one text.
pub(crate) fn text(from: &str, wamid: &str, body: &str) -> Value {
    message(LINE, from, wamid, System.now(), "text", &json!({"body": body}))
}

/// A delivery with one status.
pub(crate) fn status(wamid: &str, word: &str, message: Option<&str>) -> Value {
    let mut status = json!({"id": wamid, "status": word, "timestamp": (System.now() / 1000).to_string(), "recipient_id": "96550000001"});
    if let Some(message) = message {
        status["biz_opaque_callback_data"] = message.into();
    }
    value(LINE, json!({"statuses": [status]}))
}

/// Waits until something holds.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1200 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("Never came: {what}");
}

/// A citizen writes; the conversation and the case that come of it.
pub(crate) async fn writes(served: &Served, reader: &Person, from: &str, body: &str) -> (String, String) {
    writes_at(&served.address, reader, from, body).await
}

/// The same, by address.
pub(crate) async fn writes_at(address: &str, reader: &Person, from: &str, body: &str) -> (String, String) {
    let id = wamid();
    assert_eq!(deliver(address, &text(from, &id, body)).await.unwrap(), 200);
    eventually("the message", async || {
        let lines = reader.sync("0").await;
        let found = entries(&lines, "message_received").into_iter().find(|entry| entry["body"]["wamid"] == id)?.clone();
        let text = |name: &str| found["body"][name].as_str().unwrap().to_owned();
        Some((text("conversation"), text("case")))
    })
    .await
}
