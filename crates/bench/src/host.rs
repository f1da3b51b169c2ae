//! A desk without a window: the development host, as a program of its own.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{Setting, accounts, gateway::Server, http::Connection};

/// What a workstation of somebody needs: their data, and what they sign in with.
pub(crate) struct Workstation {
    /// Where its data is.
    pub(crate) data: PathBuf,
    /// For `--sign-in-from`.
    pub(crate) sign_in: PathBuf,
}

impl Workstation {
    /// A new one in a folder, for the account of this number at a gateway.
    pub(crate) fn new(folder: &Path, gateway: SocketAddr, account: usize) -> Result<Self> {
        let made = Self { data: folder.join("desk"), sign_in: folder.join("sign-in.toml") };
        fs::write(&made.sign_in, accounts::sign_in_file(gateway, account)).context("Writing a sign-in")?;
        Ok(made)
    }

    /// Starts the host on it. With a file for its keys it needs no session's keychain.
    pub(crate) fn host(&self, setting: &Setting, keys: Option<&Path>) -> Result<Host> {
        let mut command = Command::new(setting.product.program("shubbak-host"));
        command.arg("--json").arg("--data").arg(&self.data).arg("--sign-in-from").arg(&self.sign_in);
        command.arg("--ui").arg(setting.product.interface()?).env("RUST_LOG", "warn");
        if let Some(keys) = keys {
            command.arg("--keychain-file").arg(keys);
        }
        Ok(Host { server: Server::start(&mut command)? })
    }
}

/// A host that runs.
pub(crate) struct Host {
    server: Server,
}

impl Host {
    /// Where it serves.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Asks the desk.
    pub(crate) async fn call(&self, name: &str, request: &Value) -> Result<Value> {
        let mut connection = Connection::open(self.server.address).await?;
        connection.post(&format!("/call/{name}"), None, request).await?.json(200)
    }

    /// Waits until the desk stands at the gateway's head, and listens.
    pub(crate) async fn live(&self) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(3600);
        while Instant::now() < until {
            let status = self.call("status", &json!({})).await?;
            ensure!(status.pointer("/problem").is_none_or(Value::is_null), "The desk cannot sync: {status}");
            if status.pointer("/link").and_then(Value::as_str) == Some("live") {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("The desk is not in step after an hour")
    }

    /// How many open conversations the desk knows.
    pub(crate) async fn open_conversations(&self) -> Result<usize> {
        let list =
            self.call("conversations", &json!({"filter": "open", "order": "latest", "skip": 0, "limit": 1})).await?;
        let open = list.pointer("/counts/open").and_then(Value::as_u64).context("Reading the figures of the list")?;
        Ok(usize::try_from(open)?)
    }

    /// Ends it in order.
    pub(crate) fn stop(self) -> Result<()> {
        self.server.stop()
    }
}
