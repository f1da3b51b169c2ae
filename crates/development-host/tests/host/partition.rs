//! A real desk and a real gateway, and between them a network that breaks: both come to the same, and each command is
//! carried out once.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use desk::{
    Config, Desk,
    api::{
        AddNote, ConversationRow, Filter, Handler as _, Item, Link, ListConversations, Nothing, OpenConversation,
        Order, Part, SendReply, SignIn,
    },
    keychain::FileKeychain,
};
use domain::ids::{Clock as _, Ids as _, System};
use serde_json::{Value, json};

use crate::{
    cable::{Cable, Line},
    extent::{chance, counted, times},
};

const SECRET: &str = "the app's secret";
const LINE: &str = "100000000000001";
const PASSWORD: &str = "four blue doors at noon";
const TALKS: usize = 20;

struct Gateway {
    child: Child,
    address: String,
    code: String,
    journal: PathBuf,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Gateway {
    /// The program as the workspace has built it; this crate may not name it.
    fn start(folder: &Path) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_shubbak-host")).with_file_name("shubbak-gateway");
        assert!(program.exists(), "Build the gateway first: cargo build ({})", program.display());
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/mew.toml").canonicalize().unwrap();
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[storage]\njournal = \"sqlite:data\"\nrecords = \"data\"\n\
             [whatsapp]\ngraph_url = \"http://127.0.0.1:9\"\napp_secret_file = \"secret\"\n\
             [[agency]]\nid = \"mew\"\npack = {pack:?}\n[[agency.line]]\nphone_number_id = {LINE:?}\n\
             display_number = \"96522200000\"\ntoken_file = \"secret\"\n"
        );
        std::fs::write(folder.join("secret"), SECRET).unwrap();
        std::fs::write(folder.join("gateway.toml"), config).unwrap();
        let run = |word: &str| {
            let mut command = Command::new(&program);
            command.args([word, "--json", "--config"]).arg(folder.join("gateway.toml")).env("RUST_LOG", "error");
            command
        };
        let made = run("init").output().unwrap();
        let made: Value = serde_json::from_slice(&made.stdout).unwrap();
        let mut child = run("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Self {
            child,
            address: said["address"].as_str().unwrap().to_owned(),
            code: made["admins"][0]["code"].as_str().unwrap().to_owned(),
            journal: folder.join("data/mew/journal.db"),
        }
    }

    /// A citizen writes; Meta's way is another network.
    async fn receive(&self, citizen: usize, text: &str) {
        let now = System.now();
        let message = json!({"from": format!("9655{citizen:07}"), "id": format!("wamid.{}", System.next(now)),
            "timestamp": (now / 1000).to_string(), "type": "text", "text": {"body": text}});
        let value =
            json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": LINE}, "messages": [message]});
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
        let body = body.to_string();
        let request =
            reqwest::Client::builder().no_proxy().build().unwrap().post(format!("{}/webhooks/whatsapp", self.address));
        let request =
            request.header("content-type", "application/json").header("x-hub-signature-256", sign(body.as_bytes()));
        assert_eq!(request.body(body).send().await.unwrap().status(), 200);
    }

    /// Every text of a kind in the journal, and how often it stands there.
    fn texts(&self, kind: &str) -> BTreeMap<String, usize> {
        let conn = rusqlite::Connection::open(&self.journal).unwrap();
        let mut select = conn.prepare("SELECT json_extract(body, '$.text') FROM entries WHERE kind = ?1").unwrap();
        let mut texts = BTreeMap::new();
        for text in select.query_map([kind], |row| row.get::<_, String>(0)).unwrap() {
            *texts.entry(text.unwrap()).or_default() += 1;
        }
        texts
    }
}

fn sign(body: &[u8]) -> String {
    let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes()), body);
    format!("sha256={}", data_encoding::HEXLOWER.encode(tag.as_ref()))
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(90), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "Waited in vain for {what}");
}

async fn rows(desk: &Desk) -> Vec<ConversationRow> {
    desk.conversations(ListConversations { filter: Filter::Open, order: Order::Latest, skip: 0, limit: 100 })
        .await
        .unwrap()
        .rows
}

/// Every text that the desk shows, and how often it does: what citizens wrote, replies, notes.
async fn shown(desk: &Desk) -> BTreeMap<String, usize> {
    let mut texts = BTreeMap::new();
    for row in rows(desk).await {
        let mut part = Part::Latest {};
        loop {
            let request = OpenConversation { conversation: row.conversation, part, limit: 500 };
            let page = serde_json::to_value(desk.conversation(request).await.unwrap()).unwrap();
            let items: Vec<Item> = serde_json::from_value(page["items"].clone()).unwrap();
            for item in &items {
                let text = match item {
                    Item::Message(message) => message.text.clone(),
                    Item::Note(note) => Some(note.text.clone()),
                    Item::Event(_) => None,
                };
                *texts.entry(text.unwrap_or_default()).or_default() += 1;
            }
            if page["more"] == false {
                break;
            }
            let first = &page["items"][0];
            part = Part::Before(serde_json::from_value(json!({"place": first["place"], "seq": first["seq"]})).unwrap());
        }
    }
    texts.remove("");
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_come_to_the_same_and_the_outbox_goes_once() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(folder.path());
    let cable = Cable::to(&gateway.address).await;
    let config = Config {
        data: folder.path().join("desk"),
        keychain: Arc::new(FileKeychain::new(folder.path().join("keychain.json"))),
        clock: Arc::new(System),
        ids: Arc::new(System),
        version: "0.0.0".into(),
    };
    let desk = Desk::open(config).await.unwrap();
    let sign_in = SignIn {
        gateway: cable.address.clone(),
        agency: "mew".into(),
        username: "admin".into(),
        password: PASSWORD.into(),
        code: Some(gateway.code.clone()),
    };
    desk.sign_in(sign_in).await.unwrap();
    for n in 0..TALKS {
        gateway.receive(n, &format!("بداية {n}")).await;
    }
    until("the conversations", async || rows(&desk).await.len() == TALKS).await;
    let talks = rows(&desk).await;

    let (mut dice, cuts) = (chance(), times(30, 1000, 10_000));
    let mut written = BTreeMap::new();
    for cut in 0..cuts {
        let breaking = async {
            tokio::time::sleep(Duration::from_millis(dice.u64(0..600))).await;
            let line = if dice.u8(0..4) == 0 { Line::Stalled } else { Line::Cut };
            cable.fault(line, Duration::from_millis(dice.u64(5..150))).await;
        };
        let working = async {
            for part in 0..2 {
                let talk = &talks[(cut + part) % TALKS];
                let (note, reply, wrote) =
                    (format!("ملاحظة {cut}.{part}"), format!("رد {cut}.{part}"), format!("رسالة {cut}.{part}"));
                gateway.receive((cut + part) % TALKS, &wrote).await;
                let add = AddNote { conversation: talk.conversation, case: talk.case, text: note.clone() };
                desk.add_note(add).await.unwrap();
                let send = SendReply {
                    conversation: talk.conversation,
                    case: talk.case,
                    text: reply.clone(),
                    seen: 1_000_000_000,
                };
                desk.send_reply(send).await.unwrap();
                written.extend([(note, "note_added"), (reply, "message_queued"), (wrote, "message_received")]);
            }
        };
        tokio::join!(breaking, working);
    }
    until("an empty outbox, live", async || {
        let status = desk.status(Nothing {}).await.unwrap();
        assert_eq!(status.stuck, 0);
        status.link == Link::Live && status.waiting == 0
    })
    .await;
    let journal: BTreeMap<&str, BTreeMap<String, usize>> =
        ["note_added", "message_queued", "message_received"].map(|kind| (kind, gateway.texts(kind))).into();
    for (text, kind) in &written {
        assert_eq!(journal[kind].get(text), Some(&1), "{text} stands in the journal so often");
    }
    let everything: BTreeMap<String, usize> = journal.into_values().flatten().collect();
    until("all that the journal has, on the desk", async || shown(&desk).await == everything).await;
    let broken = cable.broken.load(Ordering::Relaxed);
    counted(json!({"cuts": cuts, "connections_broken": broken, "commands": 4 * cuts, "messages": 2 * cuts}));
    assert!(broken > cuts / 2, "{broken} connections broke: this showed nothing");
    desk.close().await;
}
