//! A window or a browser with a script in it, by WebDriver: `WebKitWebDriver` for the window, `chromedriver` for Chromium.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::{accounts::text, http::Connection, processes};

/// A window that is open, and what drives it. Both end with this value.
pub(crate) struct Driven {
    driver: Child,
    address: SocketAddr,
    session: String,
    /// When the program was asked for, in milliseconds since 1970.
    pub(crate) asked_at: f64,
}

impl Driven {
    /// Starts a program with a window.
    pub(crate) async fn window(program: &Path, arguments: &[&Path]) -> Result<Self> {
        let options = json!({"webkitgtk:browserOptions": {"binary": program, "args": arguments}});
        Self::start("WebKitWebDriver", options).await
    }

    /// Starts Chromium.
    pub(crate) async fn chromium(url: &str) -> Result<Self> {
        let arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,800"];
        let options = json!({"goog:chromeOptions": {"binary": "/usr/bin/chromium", "args": arguments}});
        let driven = Self::start("chromedriver", options).await?;
        driven.post("url", &json!({"url": url})).await?;
        Ok(driven)
    }

    async fn start(driver: &str, options: Value) -> Result<Self> {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).context("Finding a port")?.port();
        let mut command = Command::new(driver);
        command.arg(format!("--port={port}")).env("TAURI_WEBVIEW_AUTOMATION", "true");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("Starting {driver}"))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        // From here on the driver ends with this value.
        let mut driven = Self { driver: child, address, session: String::new(), asked_at: 0.0 };
        let until = Instant::now() + Duration::from_secs(60);
        while Connection::open(address).await.is_err() {
            ensure!(Instant::now() < until, "{driver} does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        #[expect(clippy::disallowed_methods, reason = "a page tells its times by this computer's clock")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        driven.asked_at = now.as_secs_f64() * 1000.0;
        let capabilities = json!({"capabilities": {"alwaysMatch": options}});
        let made = Connection::open(address).await?.post("/session", None, &capabilities).await?.json(200);
        driven.session = text(&made.with_context(|| format!("Opening a window by {driver}"))?, "/value/sessionId")?;
        driven.post("timeouts", &json!({"script": 600_000})).await?;
        Ok(driven)
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let path = format!("/session/{}/{path}", self.session);
        Connection::open(self.address).await?.post(&path, None, body).await?.json(200)
    }

    /// Lets the body of an asynchronous function run in the page, and gives what it returns.
    pub(crate) async fn script(&self, body: &str, arguments: &Value) -> Result<Value> {
        let script = format!(
            "const [given, done] = arguments;
             (async () => {{ {body} }})().then((value) => done({{ value }}), (error) => done({{ error: String(error) }}));"
        );
        let said = self.post("execute/async", &json!({"script": script, "args": [arguments]})).await?;
        match said.pointer("/value/error") {
            Some(error) => bail!("A script in the window failed: {error}"),
            None => said.pointer("/value/value").cloned().context("Reading what a script in the window gives"),
        }
    }

    /// Presses the keys of a text, one each so many milliseconds.
    pub(crate) async fn write(&self, text: &str, every: u64) -> Result<()> {
        let keys: Vec<Value> = text
            .chars()
            .flat_map(|key| {
                let pause = json!({"type": "pause", "duration": every});
                [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key}), pause]
            })
            .collect();
        let keyboard = json!({"actions": [{"type": "key", "id": "keyboard", "actions": keys}]});
        self.post("actions", &keyboard).await.map(drop).context("Pressing keys")
    }

    /// The processes of the window, but not its driver.
    pub(crate) fn processes(&self) -> Result<Vec<u32>> {
        let mut found = processes::tree(self.driver.id())?;
        found.remove(0);
        ensure!(!found.is_empty(), "The window has ended by itself");
        Ok(found)
    }

    /// Ends the window in order, and its driver.
    pub(crate) async fn end(self) -> Result<()> {
        let program = self.processes()?.first().copied().context("Finding the window's program")?;
        processes::end(program).await
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        for pid in processes::tree(self.driver.id()).unwrap_or_default().iter().skip(1) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
