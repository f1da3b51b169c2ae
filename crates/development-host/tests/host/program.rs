//! `shubbak-host`, running, and what a test asks of it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::standin::{PASSWORD, Standin};

pub struct Program {
    child: Child,
    pub address: String,
    http: reqwest::Client,
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Program {
    /// Starts it on this folder, signed in.
    pub fn start(folder: &Path, gateway: &Standin) -> Self {
        Self::start_as(folder, &sign_in(gateway))
    }

    /// The same with another sign-in.
    pub fn start_as(folder: &Path, text: &str) -> Self {
        Self::try_start(folder, text, &[]).unwrap()
    }

    /// The same with more in its environment; `None` if it ended before it served.
    pub fn try_start(folder: &Path, text: &str, more: &[(&str, PathBuf)]) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let sign_in = folder.join("sign-in.toml");
        std::fs::write(&sign_in, text).unwrap();
        let ui = folder.join("ui");
        std::fs::create_dir_all(&ui).unwrap();
        std::fs::write(ui.join("index.html"), "<!doctype html><title>شُبّاك</title>").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_shubbak-host"))
            .args(["--json", "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--ui")
            .arg(ui)
            .arg("--keychain-file")
            .arg(folder.join("keychain.json"))
            .arg("--sign-in-from")
            .arg(sign_in)
            .env("RUST_LOG", "off")
            .envs(more.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
        if line.is_empty() {
            child.wait().unwrap();
            return None;
        }
        let told: Value = serde_json::from_str(&line).unwrap();
        let address = told["address"].as_str().unwrap().to_owned();
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        Some(Self { child, address, http })
    }

    /// Ends it as a power switch would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method.parse().unwrap(), format!("{}{path}", self.address))
    }

    /// One call; `None` when the program was killed meanwhile.
    pub async fn call(&self, name: &str, request: Value) -> Option<Value> {
        let answer = self.request("POST", &format!("/call/{name}")).json(&request).send().await.ok()?;
        let status = answer.status();
        let body: Value = answer.json().await.ok()?;
        assert!(status.is_success(), "{name}: {status} {body}");
        Some(body)
    }

    /// The same where nobody kills.
    pub async fn ask(&self, name: &str, request: Value) -> Value {
        self.call(name, request).await.unwrap()
    }

    pub async fn page(&self, conversation: &Value) -> Value {
        self.ask("conversation", json!({"conversation": conversation, "part": {"part": "latest"}, "limit": 500})).await
    }

    pub async fn lists(&self, conversation: &Value) -> bool {
        let list =
            self.ask("conversations", json!({"filter": "open", "order": "latest", "skip": 0, "limit": 100})).await;
        list["rows"].as_array().unwrap().iter().any(|row| row["conversation"] == *conversation)
    }
}

/// What the lead signs in with.
pub fn sign_in(gateway: &Standin) -> String {
    format!("gateway = {:?}\nagency = \"mew\"\nusername = \"lead\"\npassword = {PASSWORD:?}\n", gateway.url())
}

/// Waits for something that the program does by itself.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    if waited.await.is_err() {
        panic!("Waited in vain for {what}");
    }
}
