//! Webhook POSTs as received, raw: on disk before they are answered.
//!
//! One thread writes. It takes whatever waits, commits it as one transaction (group commit: the batch grows with the
//! load, and one `fsync` serves all of it), and only then says so to those who wait. Rejected: a commit each (a tenth
//! of the throughput), and a timer that collects (it makes a quiet desk slower for nothing).
//!
//! Each delivery has an owner, the process that received it, and a process reads its own alone, in the order in which it
//! stored them. What a process that is gone has left is taken over by another (`take_over`).

use std::{sync::Arc, thread::JoinHandle, time::Instant};

use anyhow::{Context, Result, ensure};
use domain::ids::{DeliveryId, Millis};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{
    home::{Home, Insert, Kind, Place, Value, values},
    keys::ServerKey,
    leases,
    look::DeliveriesSeen,
    signs, sqlite,
};

/// So many wait at most; the next is told to come again.
const QUEUE: usize = 4096;
/// So many, or so many bytes, are one transaction at most.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 16 << 20;

/// The versions of the tables, each by what makes it of the one before.
pub const SCHEMA: &[&str] = &[
    r"
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
",
    r"
ALTER TABLE deliveries ADD COLUMN owner TEXT NOT NULL DEFAULT '';
CREATE TABLE installation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key BLOB NOT NULL
) STRICT;
",
    leases::SCHEMA,
];

const DELIVERIES: Insert = Insert {
    table: "deliveries",
    columns: &[
        ("id", Kind::Text),
        ("endpoint", Kind::Text),
        ("received_at", Kind::Integer),
        ("body", Kind::Blob),
        ("owner", Kind::Text),
    ],
};

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
    TakeOver {
        done: oneshot::Sender<u64>,
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

/// Makes the tables if they are absent; whether a server's key belongs to them already.
pub fn make(place: &Place) -> Result<bool> {
    let home = Home::make(place, SCHEMA).context("Making the deliveries")?;
    Ok(home.first("SELECT key FROM installation", &[])?.is_some())
}

/// Opens the tables with the server's key. It is noted as that of this installation, or must be the one that was: with
/// another one, whatever was seen before would be taken in again.
pub fn open(place: &Place, key: &ServerKey) -> Result<Home> {
    let home = Home::writer(place, SCHEMA)?;
    let known = "SELECT key FROM installation";
    if home.first(known, &[])?.is_none() {
        let sql = "INSERT INTO installation (one, key) VALUES (1, $1) ON CONFLICT (one) DO NOTHING";
        home.execute(sql, values![&key.mark()]).context("Noting the server's key")?;
    }
    let known = home.first(known, &[])?.context("The note of the server's key is gone")?.blob()?;
    ensure!(known == key.mark(), "The server's key is not the one that {place} was set up with: bring that one here");
    Ok(home)
}

impl Deliveries {
    /// Opens the tables and starts the writing thread, which ends when every handle is gone.
    pub fn start(place: &Place, key: &ServerKey, owner: &str) -> Result<(Self, JoinHandle<()>)> {
        let home = open(place, key)?;
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let stored = Arc::new(Notify::new());
        let writer = Writer { home, owner: owner.to_owned(), wake: Arc::clone(&stored) };
        let thread = std::thread::Builder::new()
            .name("deliveries".to_owned())
            .spawn(move || writer.run(waiting))
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

    /// Says what became of a delivery. Where a crash loses this, it is read again.
    pub async fn settle(&self, n: i64, fate: Fate) {
        let _ = self.jobs.send(Job::Settle { n, fate }).await;
    }

    /// Makes what processes that are gone have left this process's own, and lets what they set aside be read again. How
    /// much there was.
    pub async fn take_over(&self) -> Result<u64, NotStored> {
        let (done, taken) = oneshot::channel();
        self.jobs.send(Job::TakeOver { done }).await.map_err(|_| NotStored)?;
        taken.await.map_err(|_| NotStored)
    }

    /// Deletes finished ones that came before a time.
    pub async fn delete_done(&self, before: Millis) {
        let _ = self.jobs.send(Job::DeleteDone { before }).await;
    }
}

/// What the writing thread has.
struct Writer {
    home: Home,
    owner: String,
    wake: Arc<Notify>,
}

impl Writer {
    fn run(self, mut waiting: mpsc::Receiver<Job>) {
        // Words that were not stored. Nobody would say them again, and what they are about would count as waiting.
        let mut left = Vec::new();
        while let Some(first) = waiting.blocking_recv() {
            let mut bytes = size(&first);
            let mut batch = std::mem::take(&mut left);
            batch.push(first);
            while batch.len() < BATCH && bytes < BATCH_BYTES {
                let Ok(next) = waiting.try_recv() else { break };
                bytes += size(&next);
                batch.push(next);
            }
            let began = Instant::now();
            let held = self.commit(&batch);
            signs::deliveries_committed(batch.len(), began.elapsed());
            if let Err(error) = &held {
                sqlite::end_unless_durable(error);
                tracing::error!(error = format!("{error:#}"), deliveries = batch.len(), "Storing deliveries failed");
            }
            for job in batch {
                match (job, &held) {
                    (Job::Keep { done, .. }, held) => drop(done.send(held.is_ok())),
                    (Job::TakeOver { done }, Ok(taken)) => drop(done.send(*taken)),
                    (job @ Job::Settle { .. }, Err(_)) => left.push(job),
                    (Job::TakeOver { .. }, Err(_)) | (Job::Settle { .. } | Job::DeleteDone { .. }, _) => {}
                }
            }
            self.wake.notify_one();
        }
    }

    /// Commits; how much was taken over in it.
    fn commit(&self, batch: &[Job]) -> Result<u64> {
        self.home.begin().context("Beginning")?;
        let written = self.write(batch);
        let written = written.and_then(|taken| self.home.commit().context("Committing deliveries").map(|()| taken));
        if written.is_err() {
            self.home.roll_back();
        }
        written
    }

    fn write(&self, batch: &[Job]) -> Result<u64> {
        let (mut kept, mut done, mut taken) = (Vec::new(), Vec::new(), 0);
        for job in batch {
            match job {
                Job::Keep { id, endpoint, received_at, body, .. } => kept.push(
                    values![id.to_string(), &**endpoint, *received_at, body.as_ref(), self.owner.as_str()].to_vec(),
                ),
                Job::Settle { n, fate: Fate::Done } => done.push(Value::from(*n)),
                Job::Settle { .. } | Job::TakeOver { .. } | Job::DeleteDone { .. } => {}
            }
        }
        self.home.insert(DELIVERIES, &kept).context("Inserting deliveries")?;
        let sql = "UPDATE deliveries SET state = 'done', reason = '' WHERE n = $1";
        self.home.for_each_of(sql, &done).context("Settling deliveries")?;
        for job in batch {
            match job {
                Job::Keep { .. } | Job::Settle { fate: Fate::Done, .. } => {}
                Job::Settle { n, fate: Fate::Aside(reason) } => {
                    let sql = "UPDATE deliveries SET state = 'aside', reason = $1 WHERE n = $2";
                    self.home.execute(sql, values![*reason, *n]).context("Setting a delivery aside")?;
                }
                Job::TakeOver { .. } => {
                    let sql = format!(
                        "UPDATE deliveries SET state = 'waiting', reason = '', owner = $1
                         WHERE state IN ('waiting', 'aside') AND owner <> $1 AND owner NOT IN
                         (SELECT holder FROM leases WHERE what = 'process ' || holder AND until >= {})",
                        self.home.now()
                    );
                    let done = self.home.execute(&sql, values![self.owner.as_str()]);
                    taken += done.context("Taking over what is unfinished")?;
                }
                Job::DeleteDone { before } => {
                    let sql = "DELETE FROM deliveries WHERE state = 'done' AND received_at < $1";
                    self.home.execute(sql, values![*before]).context("Deleting finished deliveries")?;
                }
            }
        }
        Ok(taken)
    }
}

fn size(job: &Job) -> usize {
    if let Job::Keep { body, .. } = job { body.len() } else { 0 }
}

/// Reads unfinished deliveries, beside the writer.
pub struct Unfinished {
    home: Home,
    owner: String,
}

impl Unfinished {
    /// Opens the tables for reading what a process owns.
    pub fn open(place: &Place, owner: &str) -> Result<Self> {
        Ok(Self { home: Home::reader(place)?, owner: owner.to_owned() })
    }

    /// Unfinished deliveries after the one at `n`, in order.
    pub fn after(&self, n: i64, limit: u32) -> Result<Vec<Delivery>> {
        let sql = "SELECT n, id, endpoint, received_at, body FROM deliveries
                   WHERE state = 'waiting' AND owner = $1 AND n > $2 ORDER BY n LIMIT $3";
        let rows = self.home.query(sql, values![self.owner.as_str(), n, limit]).context("Asking for deliveries")?;
        rows.into_iter()
            .map(|mut row| {
                Ok(Delivery {
                    n: row.integer()?,
                    id: row.text()?.parse().context("Reading a delivery's id")?,
                    endpoint: row.text()?,
                    received_at: row.integer()?,
                    body: row.blob()?,
                })
            })
            .collect()
    }

    /// How many wait and since when the oldest of them does, and how many are set aside, by their reason.
    pub fn standing(&self) -> Result<DeliveriesSeen> {
        let waiting = "SELECT count(*), (SELECT received_at FROM deliveries WHERE state = 'waiting' ORDER BY n LIMIT 1)
                       FROM deliveries WHERE state = 'waiting'";
        let aside = "SELECT reason, count(*) FROM deliveries WHERE state = 'aside' GROUP BY reason";
        let read = || -> Result<DeliveriesSeen> {
            let mut row = self.home.first(waiting, &[])?.context("There is no count")?;
            let (waiting, oldest) = (row.integer()?, row.integer_or_null()?);
            let aside = self.home.query(aside, &[])?.into_iter().map(|mut row| Ok((row.text()?, row.integer()?)));
            Ok(DeliveriesSeen { waiting, oldest, aside: aside.collect::<Result<_>>()? })
        };
        read().context("Looking at the deliveries")
    }

    /// How many are set aside.
    pub fn aside(&self) -> Result<i64> {
        let row = self.home.first("SELECT count(*) FROM deliveries WHERE state = 'aside'", &[]);
        row?.context("There is no count")?.integer().context("Counting deliveries that were set aside")
    }
}
