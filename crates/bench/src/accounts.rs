//! Accounts, and everybody signing in at once.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use domain::ids::{Clock as _, Ids as _, System};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::http::Connection;

const PASSWORD: &str = "a benchmark needs no secrets";

/// Somebody's device, signed in.
pub(crate) struct Device {
    /// Whose it is.
    pub(crate) account: usize,
    /// Its token.
    pub(crate) token: String,
}

/// Makes accounts, as leads of every team, each with its password set.
pub(crate) async fn make(address: SocketAddr, code: &str, count: usize) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let mut first = request("admin", "admin's device");
    set(&mut first, "code", code.into());
    let admin = connection.post("/api/v1/session", None, &first).await?.json(201).context("Signing admin in")?;
    let token = text(&admin, "/token")?;
    for number in 0..count {
        let username = username(number);
        let command = json!([{
            "id": System.next(System.now()), "kind": "add_staff", "username": username, "name": username,
            "roles": ["lead"], "teams": admin.pointer("/staff/teams").context("Reading the teams")?,
        }]);
        let outcome = connection.post("/api/v1/commands", Some(&token), &command).await?.json(200)?;
        let mut request = request(&username, "first");
        set(&mut request, "code", text(&outcome, "/0/code")?.into());
        connection.post("/api/v1/session", None, &request).await?.json(201).context("Setting a password")?;
    }
    Ok(())
}

/// What signing in everybody took.
pub(crate) struct SignedIn {
    pub(crate) devices: Vec<Device>,
    pub(crate) took: Duration,
    /// How often somebody was told to come again.
    pub(crate) refusals: usize,
}

/// Signs devices in at once, spread over the accounts; who is told to come again does, when told.
pub(crate) async fn sign_in(address: SocketAddr, devices: usize, accounts: usize) -> Result<SignedIn> {
    let mut people = JoinSet::new();
    let began = Instant::now();
    for number in 0..devices {
        people.spawn(one(address, number, accounts));
    }
    let mut done = SignedIn { devices: Vec::new(), took: Duration::ZERO, refusals: 0 };
    while let Some(device) = people.join_next().await {
        let (device, refusals) = device??;
        done.devices.push(device);
        done.refusals += refusals;
    }
    done.took = began.elapsed();
    Ok(done)
}

/// Signs devices in one after the other.
pub(crate) async fn sign_in_by_turns(address: SocketAddr, devices: usize, accounts: usize) -> Result<Vec<Device>> {
    let mut signed = Vec::new();
    for number in 0..devices {
        signed.push(one(address, number, accounts).await?.0);
    }
    Ok(signed)
}

/// Signs one device in, and counts how often it was told to come again.
async fn one(address: SocketAddr, number: usize, accounts: usize) -> Result<(Device, usize)> {
    let account = number % accounts;
    let request = request(&username(account), &format!("device {number}"));
    let mut refusals = 0;
    loop {
        let answer = Connection::open(address).await?.post("/api/v1/session", None, &request).await?;
        let again = answer.headers.get("retry-after").and_then(|after| after.to_str().ok()?.parse().ok());
        match (answer.status, again) {
            (429 | 503, Some(seconds)) => {
                refusals += 1;
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            (201, _) => return Ok((Device { account, token: text(&answer.json(201)?, "/token")? }, refusals)),
            (status, _) => bail!("Signing in was answered {status}"),
        }
    }
}

/// What a desk signs an account in with, as a file.
pub(crate) fn sign_in_file(gateway: SocketAddr, account: usize) -> String {
    let username = username(account);
    format!("gateway = \"http://{gateway}\"\nagency = \"mew\"\nusername = {username:?}\npassword = {PASSWORD:?}\n")
}

fn username(number: usize) -> String {
    format!("lead{number}")
}

fn request(username: &str, device: &str) -> Value {
    json!({"agency": "mew", "username": username, "password": PASSWORD, "device": device})
}

fn set(request: &mut Value, name: &str, value: Value) {
    if let Some(members) = request.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// A text in an answer.
pub(crate) fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("Finding {pointer} in an answer: {value}"))
}
