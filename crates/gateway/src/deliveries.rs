//! Webhook POSTs as received, raw: on disk before they are answered.
//!
//! One thread writes. It takes whatever waits, commits it as one transaction (group commit: the batch grows with the
//! load, and one `fsync` serves all of it), and only then says so to those who wait. Rejected: a commit each (a tenth
//! of the throughput), and a timer that collects (it makes a quiet desk slower for nothing).

use std::{path::Path, sync::Arc, thread::JoinHandle, time::Instant};

use anyhow::{Context, Result};
use domain::ids::{DeliveryId, Millis};
use records::migration;
use rusqlite::{Connection, params};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{look::DeliveriesSeen, signs, sqlite};

/// So many wait at most; the next is told to come again.
const QUEUE: usize = 4096;
/// So many, or so many bytes, are one transaction at most.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 16 << 20;

pub(crate) const SCHEMA: &[&str] = &[r"
CREATE TABLE deliveries (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'aside')),
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX deliveries_by_state ON deliveries (state, n);
"];

/// One webhook POST as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its place among all.
    pub n: i64,
    /// Its id.
    pub id: DeliveryId,
    /// The path it came to.
    pub endpoint: String,
    /// When it came.
    pub received_at: Millis,
    /// The raw bytes.
    pub body: Vec<u8>,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// All its items are committed.
    Done,
    /// It cannot be read, or not yet.
    Aside(&'static str),
}

enum Job {
    Keep {
        id: DeliveryId,
        endpoint: Arc<str>,
        received_at: Millis,
        body: axum::body::Bytes,
        done: oneshot::Sender<bool>,
    },
    Settle {
        n: i64,
        fate: Fate,
    },
    RetryAside {
        done: oneshot::Sender<bool>,
    },
    DeleteDone {
        before: Millis,
    },
}

/// The way to the writing thread.
#[derive(Clone)]
pub struct Deliveries {
    jobs: mpsc::Sender<Job>,
    /// Wakes intake.
    pub stored: Arc<Notify>,
}

/// A delivery could not be stored: Meta repeats it.
#[derive(Debug, thiserror::Error)]
#[error("The delivery could not be stored")]
pub struct NotStored;

impl Deliveries {
    /// Makes the file if it is absent.
    pub fn make(path: &Path) -> Result<()> {
        let mut conn = sqlite::writer(path, true)?;
        migration::migrate(&mut conn, SCHEMA).with_context(|| format!("Making {}", path.display()))
    }

    /// Opens the file and starts the writing thread, which ends when every handle is gone.
    pub fn start(path: &Path) -> Result<(Self, JoinHandle<()>)> {
        let mut conn = sqlite::writer(path, false)?;
        migration::migrate(&mut conn, SCHEMA).with_context(|| format!("Opening {}", path.display()))?;
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let stored = Arc::new(Notify::new());
        let wake = Arc::clone(&stored);
        let thread = std::thread::Builder::new()
            .name("deliveries".to_owned())
            .spawn(move || write(&mut conn, waiting, &wake))
            .context("Starting the thread of deliveries")?;
        Ok((Self { jobs, stored }, thread))
    }

    /// Keeps a delivery; returns once it is on disk.
    pub async fn keep(
        &self,
        id: DeliveryId,
        endpoint: Arc<str>,
        received_at: Millis,
        body: axum::body::Bytes,
    ) -> Result<(), NotStored> {
        let (done, stored) = oneshot::channel();
        self.jobs.try_send(Job::Keep { id, endpoint, received_at, body, done }).map_err(|_| NotStored)?;
        if stored.await.unwrap_or(false) { Ok(()) } else { Err(NotStored) }
    }

    /// Says what became of a delivery. Losing this only means that it is read again.
    pub async fn settle(&self, n: i64, fate: Fate) {
        let _ = self.jobs.send(Job::Settle { n, fate }).await;
    }

    /// Lets those that were set aside be read again.
    pub async fn retry_aside(&self) -> Result<(), NotStored> {
        let (done, stored) = oneshot::channel();
        self.jobs.send(Job::RetryAside { done }).await.map_err(|_| NotStored)?;
        if stored.await.unwrap_or(false) { Ok(()) } else { Err(NotStored) }
    }

    /// Deletes finished ones that came before a time.
    pub async fn delete_done(&self, before: Millis) {
        let _ = self.jobs.send(Job::DeleteDone { before }).await;
    }
}

fn write(conn: &mut Connection, mut waiting: mpsc::Receiver<Job>, wake: &Notify) {
    while let Some(first) = waiting.blocking_recv() {
        let mut bytes = size(&first);
        let mut batch = vec![first];
        while batch.len() < BATCH && bytes < BATCH_BYTES {
            let Ok(next) = waiting.try_recv() else { break };
            bytes += size(&next);
            batch.push(next);
        }
        let began = Instant::now();
        let held = commit(conn, &batch);
        signs::deliveries_committed(batch.len(), began.elapsed());
        if let Err(error) = &held {
            sqlite::end_unless_durable(error);
            tracing::error!(error = format!("{error:#}"), deliveries = batch.len(), "Storing deliveries failed");
        }
        for job in batch {
            if let Job::Keep { done, .. } | Job::RetryAside { done } = job {
                let _ = done.send(held.is_ok());
            }
        }
        wake.notify_one();
    }
}

fn size(job: &Job) -> usize {
    if let Job::Keep { body, .. } = job { body.len() } else { 0 }
}

fn commit(conn: &mut Connection, batch: &[Job]) -> Result<()> {
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).context("Beginning")?;
    for job in batch {
        match job {
            Job::Keep { id, endpoint, received_at, body, .. } => tx
                .prepare_cached("INSERT INTO deliveries (id, endpoint, received_at, body) VALUES (?1, ?2, ?3, ?4)")
                .and_then(|mut insert| insert.execute(params![id.to_string(), endpoint, received_at, body.as_ref()]))
                .context("Inserting a delivery")?,
            Job::Settle { n, fate } => {
                let (state, reason) = match fate {
                    Fate::Done => ("done", ""),
                    Fate::Aside(reason) => ("aside", *reason),
                };
                tx.prepare_cached("UPDATE deliveries SET state = ?2, reason = ?3 WHERE n = ?1")
                    .and_then(|mut update| update.execute(params![n, state, reason]))
                    .context("Settling a delivery")?
            }
            Job::RetryAside { .. } => tx
                .execute("UPDATE deliveries SET state = 'waiting', reason = '' WHERE state = 'aside'", [])
                .context("Taking up what was set aside")?,
            Job::DeleteDone { before } => tx
                .execute("DELETE FROM deliveries WHERE state = 'done' AND received_at < ?1", params![before])
                .context("Deleting finished deliveries")?,
        };
    }
    tx.commit().context("Committing deliveries")
}

/// Reads unfinished deliveries, beside the writer.
pub struct Unfinished {
    conn: Connection,
}

impl Unfinished {
    /// Opens the file for reading.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { conn: sqlite::reader(path)? })
    }

    /// Unfinished deliveries after the one at `n`, in order.
    pub fn after(&self, n: i64, limit: u32) -> Result<Vec<Delivery>> {
        let mut select = self
            .conn
            .prepare_cached(
                "SELECT n, id, endpoint, received_at, body FROM deliveries
                 WHERE state = 'waiting' AND n > ?1 ORDER BY n LIMIT ?2",
            )
            .context("Asking for deliveries")?;
        let rows = select
            .query_map(params![n, limit], |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })
            .context("Asking for deliveries")?;
        rows.map(|row| {
            let (n, id, endpoint, received_at, body) = row.context("Reading a delivery")?;
            Ok(Delivery { n, id: id.parse().context("Reading a delivery's id")?, endpoint, received_at, body })
        })
        .collect()
    }

    /// How many wait and since when the oldest of them does, and how many are set aside, by their reason.
    pub fn standing(&self) -> Result<DeliveriesSeen> {
        let waiting = "SELECT count(*), (SELECT received_at FROM deliveries WHERE state = 'waiting' ORDER BY n LIMIT 1)
                       FROM deliveries WHERE state = 'waiting'";
        let aside = "SELECT reason, count(*) FROM deliveries WHERE state = 'aside' GROUP BY reason";
        let read = || -> rusqlite::Result<DeliveriesSeen> {
            let (waiting, oldest) = self.conn.query_row(waiting, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut aside = self.conn.prepare_cached(aside)?;
            let aside = aside.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
            Ok(DeliveriesSeen { waiting, oldest, aside })
        };
        read().context("Looking at the deliveries")
    }

    /// How many are set aside.
    pub fn aside(&self) -> Result<i64> {
        self.conn
            .query_row("SELECT count(*) FROM deliveries WHERE state = 'aside'", [], |row| row.get(0))
            .context("Counting deliveries that were set aside")
    }
}
