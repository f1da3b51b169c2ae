//! What the machine gives at most: a server that does no more than HTTP, HMAC and a group commit of the raw bytes, and
//! sends what it committed to every socket; and Argon2 alone.

use std::{
    ffi::OsStr,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use argon2::{Algorithm, Argon2, Params, Version};
use axum::{
    Router,
    body::Bytes,
    extract::{
        Query, State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::{
    gateway::Server,
    load::{PATH, SECRET},
    postgres,
};

const BATCH: usize = 512;
/// What an entry of a text takes as a line, about.
const LINE_BYTES: usize = 650;

/// Starts this program as the bare server, with a file in this folder.
pub(crate) fn start(folder: &Path) -> Result<Server> {
    start_on(folder.as_os_str())
}

/// Starts this program as the bare server, with a table in the database at this address.
pub(crate) fn start_on_postgres(address: &str) -> Result<Server> {
    start_on(address.as_ref())
}

fn start_on(home: &OsStr) -> Result<Server> {
    let own = std::env::current_exe().context("Finding this program")?;
    Server::start(Command::new(own).arg("bare").arg(home))
}

type Job = (Bytes, oneshot::Sender<bool>);

#[derive(Clone)]
struct Bare {
    jobs: mpsc::Sender<Job>,
    live: broadcast::Sender<Utf8Bytes>,
}

/// Serves until it is killed. The raw bytes go into a folder, or into the database at an address.
pub(crate) async fn serve(home: &str) -> Result<()> {
    let (jobs, waiting) = mpsc::channel(4096);
    let live = broadcast::Sender::new(4096);
    if home.starts_with("postgres:") {
        let client = postgres::connect(home).await?;
        let table = "SET synchronous_commit TO 'on'; CREATE TABLE raw (n bigserial PRIMARY KEY, body bytea NOT NULL)";
        client.batch_execute(table).await.context("Making a table")?;
        tokio::spawn(write_to_postgres(client, waiting));
    } else {
        let conn = rusqlite::Connection::open(Path::new(home).join("bare.db")).context("Making a file")?;
        conn.pragma_update(None, "journal_mode", "WAL").context("Making a file")?;
        conn.pragma_update(None, "synchronous", "FULL").context("Making a file")?;
        conn.pragma_update(None, "wal_autocheckpoint", 10_000).context("Making a file")?;
        conn.execute_batch("CREATE TABLE raw (n INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
            .context("Making a file")?;
        std::thread::Builder::new().name("commit".to_owned()).spawn(move || write(conn, waiting))?;
    }
    let router = Router::new().route(PATH, post(receive)).route("/live", get(listen)).with_state(Bare { jobs, live });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.context("Listening")?;
    crate::say(&serde_json::json!({"address": listener.local_addr()?.to_string()}).to_string())?;
    axum::serve(listener, router).await.context("Serving")
}

/// What waits, as one transaction.
fn gather(first: Job, waiting: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let mut batch = vec![first];
    while batch.len() < BATCH {
        let Ok(next) = waiting.try_recv() else { break };
        batch.push(next);
    }
    batch
}

fn answer(batch: Vec<Job>, held: bool) {
    for (_, done) in batch {
        let _ = done.send(held);
    }
}

fn write(mut conn: rusqlite::Connection, mut waiting: mpsc::Receiver<Job>) {
    while let Some(first) = waiting.blocking_recv() {
        let batch = gather(first, &mut waiting);
        let held = commit(&mut conn, &batch).is_ok();
        answer(batch, held);
    }
}

async fn write_to_postgres(client: tokio_postgres::Client, mut waiting: mpsc::Receiver<Job>) {
    let Ok(insert) = client.prepare("INSERT INTO raw (body) SELECT * FROM unnest($1::bytea[])").await else { return };
    while let Some(first) = waiting.recv().await {
        let batch = gather(first, &mut waiting);
        let bodies: Vec<&[u8]> = batch.iter().map(|(body, _)| body.as_ref()).collect();
        let held = client.execute(&insert, &[&bodies]).await.is_ok();
        answer(batch, held);
    }
}

fn commit(conn: &mut rusqlite::Connection, batch: &[Job]) -> rusqlite::Result<()> {
    let tx = conn.transaction()?;
    for (body, _) in batch {
        tx.prepare_cached("INSERT INTO raw (body) VALUES (?1)")?.execute([body.as_ref()])?;
    }
    tx.commit()
}

async fn receive(State(bare): State<Bare>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let given = headers.get(whatsapp::signature::HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !whatsapp::signature::verify(given, &body, &[SECRET]) {
        return StatusCode::UNAUTHORIZED;
    }
    let (done, held) = oneshot::channel();
    if bare.jobs.send((body.clone(), done)).await.is_err() || !held.await.unwrap_or(false) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    // Nobody may be listening.
    if bare.live.receiver_count() > 0
        && let Ok(text) = Utf8Bytes::try_from(body)
    {
        let _ = bare.live.send(text);
    }
    StatusCode::OK
}

#[derive(Deserialize)]
struct Behind {
    #[serde(default)]
    behind: usize,
}

async fn listen(State(bare): State<Bare>, Query(query): Query<Behind>, upgrade: WebSocketUpgrade) -> Response {
    let events = bare.live.subscribe();
    upgrade.on_upgrade(move |socket| follow(socket, events, query.behind))
}

async fn follow(mut socket: WebSocket, mut events: broadcast::Receiver<Utf8Bytes>, behind: usize) {
    let line = Utf8Bytes::from("x".repeat(LINE_BYTES));
    for _ in 0..behind {
        if socket.send(Message::Text(line.clone())).await.is_err() {
            return;
        }
    }
    let mut next = Utf8Bytes::from_static("{\"cursor\":{\"token\":\"\"}}");
    while socket.send(Message::Text(next)).await.is_ok() {
        let Ok(event) = events.recv().await else { return };
        next = event;
    }
}

/// How long so many hashes take, two at a time, with the gateway's own parameters and nothing around them. A few are
/// computed, and reckoned up.
pub(crate) fn hashes(count: u32) -> Result<Duration> {
    const EACH: u32 = 20;
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| anyhow::anyhow!("Setting Argon2 up: {error}"))?;
    let argon2 = Arc::new(Argon2::new(Algorithm::Argon2id, Version::V0x13, params));
    let began = Instant::now();
    let threads = [(); 2].map(|()| {
        let argon2 = Arc::clone(&argon2);
        std::thread::spawn(move || {
            let mut out = [0; 32];
            (0..EACH).try_for_each(|n| argon2.hash_password_into(b"some password", &[n as u8; 16], &mut out))
        })
    });
    for thread in threads {
        let done = thread.join().map_err(|_| anyhow::anyhow!("Hashing failed"))?;
        done.map_err(|error| anyhow::anyhow!("Hashing: {error}"))?;
    }
    Ok(began.elapsed() * count / (2 * EACH))
}
