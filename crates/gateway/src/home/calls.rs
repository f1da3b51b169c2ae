//! What the processes on one database call to each other: `NOTIFY` and `LISTEN`, each on a connection of its own.

use std::time::Duration;

use anyhow::{Context, Result};
use postgres::{Client, fallible_iterator::FallibleIterator};

use super::{Server, postgres::plain};

/// One connection for calling, or for hearing.
pub struct Calls(Client);

impl Calls {
    /// Opens a connection for calling.
    pub fn open(server: &Server) -> Result<Self> {
        let client = server.connect("public", false).map_err(plain);
        client.map(Self).with_context(|| format!("Connecting to {server}"))
    }

    /// Opens a connection that hears what is called from now on.
    pub fn listen(server: &Server) -> Result<Self> {
        let mut calls = Self::open(server)?;
        calls.0.batch_execute("LISTEN shubbak").map_err(plain).context("Listening")?;
        Ok(calls)
    }

    /// Calls to everybody, this process included; at most 8,000 bytes.
    pub fn call(&mut self, words: &str) -> Result<()> {
        self.0.execute("SELECT pg_notify('shubbak', $1)", &[&words]).map_err(plain).context("Calling").map(drop)
    }

    /// The next call, if one comes within a time.
    pub fn next(&mut self, within: Duration) -> Result<Option<String>> {
        let call = self.0.notifications().timeout_iter(within).next().map_err(plain).context("Listening")?;
        if call.is_none() && self.0.is_closed() {
            anyhow::bail!("The connection is lost");
        }
        Ok(call.map(|call| call.payload().to_owned()))
    }
}
