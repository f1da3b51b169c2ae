//! The real gateway as a program, and what a test does with it beside the desk.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use domain::ids::{Clock as _, Ids as _, System};
use serde_json::{Value, json};

const SECRET: &str = "the app's secret";
const LINE: &str = "100000000000001";
/// Everybody's.
pub const PASSWORD: &str = "four blue doors at noon";

fn http() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The program, which lies beside this crate's; built, if nobody has. This crate may not name it.
pub fn program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_shubbak-host")).with_file_name("shubbak-gateway");
    if !program.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo).args(["build", "--quiet", "--package", "gateway"]).status().unwrap();
        assert!(built.success(), "The gateway does not build");
    }
    program
}

/// One that listens, with one line and its first account.
pub struct Gateway {
    child: Child,
    pub address: String,
    /// The first account's one-time code.
    pub code: String,
    journal: PathBuf,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Gateway {
    pub fn start(folder: &Path) -> Self {
        let program = program();
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
    pub async fn receive(&self, citizen: usize, text: &str) {
        let now = System.now();
        let message = json!({"from": format!("9655{citizen:07}"), "id": format!("wamid.{}", System.next(now)),
            "timestamp": (now / 1000).to_string(), "type": "text", "text": {"body": text}});
        let value =
            json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": LINE}, "messages": [message]});
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
        let body = body.to_string();
        let request = http().post(format!("{}/webhooks/whatsapp", self.address));
        let request =
            request.header("content-type", "application/json").header("x-hub-signature-256", sign(body.as_bytes()));
        assert_eq!(request.body(body).send().await.unwrap().status(), 200);
    }

    /// Signs somebody in on a device of its own; the token.
    pub async fn sign_in(&self, username: &str) -> String {
        let request = json!({"agency": "mew", "username": username, "password": PASSWORD, "device": "another"});
        let answer = http().post(format!("{}/api/v1/session", self.address)).json(&request).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Gives one command, which is accepted; its answer.
    pub async fn must(&self, token: &str, mut command: Value) -> Value {
        command["id"] = json!(System.next(System.now()));
        let request = http().post(format!("{}/api/v1/commands", self.address)).bearer_auth(token);
        let answer: Value = request.json(&json!([command])).send().await.unwrap().json().await.unwrap();
        assert!(answer[0]["accepted"].is_array(), "{answer}");
        answer[0].clone()
    }

    /// Every text of a kind in the journal, and how often it stands there.
    pub fn texts(&self, kind: &str) -> BTreeMap<String, usize> {
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
