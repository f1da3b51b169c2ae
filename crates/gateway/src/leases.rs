//! Which of several processes does what only one may do at a time: send on a line, read what a process has received.
//!
//! A lease is a row with its holder and an end by the database's own clock, since those of the processes may differ. It is
//! renewed every two seconds. Who holds one goes by a clock that nobody sets, counted from before the renewal was asked
//! for and ending well before the row does: so a process that was stopped, or cannot reach the database, knows by itself
//! that it holds nothing, and learns it no later than the others do. A clean stop gives everything back at once.
//!
//! This serves pace and takeover. That nothing is sent twice does not rest on it (see `sender`).
//!
//! Where nobody else can be (files in a folder that is locked), everything is held from the beginning and for ever.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use domain::ids::{Clock, Millis};
use tokio::sync::watch;
use uuid::Uuid;

use crate::home::{Home, values};

/// So long a lease lasts unless it is renewed.
const LASTS: Millis = 7000;
/// So long before its end its holder regards it as over.
const MARGIN: Millis = 2000;
const RENEW_EVERY: Duration = Duration::from_secs(2);
/// So long the rows of processes that are gone are kept.
const KEEP: Millis = 24 * 3_600_000;

/// The table.
pub(crate) const SCHEMA: &str = r"
CREATE TABLE leases (
    what TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The lease for sending on a line.
pub fn of_line(line: &str) -> String {
    format!("line {line}")
}

/// The lease that says that a process is alive.
pub fn of_process(process: Uuid) -> String {
    format!("process {process}")
}

/// That this process holds a lease, without a break since it took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    what: String,
    /// Which time it was.
    taken: u64,
}

/// What this process holds.
pub struct Leases {
    /// `None`: there is nobody else.
    held: Option<Mutex<BTreeMap<String, Held>>>,
    clock: Arc<dyn Clock>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    taken: u64,
    /// Until when, by a clock that nobody sets.
    until: Instant,
    /// The same by the computer's: it went on while the machine itself was asleep.
    until_wall: Millis,
}

impl Leases {
    /// Where there is nobody else.
    pub fn alone(clock: Arc<dyn Clock>) -> Self {
        Self { held: None, clock, changed: watch::Sender::new(0) }
    }

    fn shared(clock: Arc<dyn Clock>) -> Self {
        Self { held: Some(Mutex::default()), ..Self::alone(clock) }
    }

    /// Whether others may want the same.
    pub fn are_shared(&self) -> bool {
        self.held.is_some()
    }

    fn held(&self) -> Option<MutexGuard<'_, BTreeMap<String, Held>>> {
        self.held.as_ref().map(|held| held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The grant of a lease, if this process holds it.
    pub fn grant(&self, what: &str) -> Option<Grant> {
        let taken = match self.held() {
            None => 0,
            Some(held) => held.get(what).filter(|held| self.lasts(held)).map(|held| held.taken)?,
        };
        Some(Grant { what: what.to_owned(), taken })
    }

    /// Whether a grant holds now.
    pub fn holds(&self, grant: &Grant) -> bool {
        self.grant(&grant.what).is_some_and(|now| now == *grant)
    }

    fn lasts(&self, held: &Held) -> bool {
        Instant::now() < held.until && self.clock.now() < held.until_wall
    }

    /// Changes whenever a lease was taken.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Notes what is held by an answer that was asked for at a time.
    fn note(&self, what: Vec<String>, asked: Instant, asked_wall: Millis) {
        let Some(mut held) = self.held() else { return };
        let until = asked + Duration::from_millis(u64::try_from(LASTS - MARGIN).unwrap_or_default());
        let until_wall = asked_wall + LASTS - MARGIN;
        let mut new = false;
        let now = what.into_iter().map(|what| {
            let taken = held.get(&what).map(|held| held.taken).unwrap_or_else(|| {
                new = true;
                self.changed.borrow().wrapping_add(1)
            });
            (what, Held { taken, until, until_wall })
        });
        *held = now.collect();
        drop(held);
        if new {
            self.changed.send_modify(|times| *times = times.wrapping_add(1));
        }
    }

    fn forget(&self) {
        if let Some(mut held) = self.held() {
            held.clear();
        }
    }
}

/// The thread that takes leases and renews them; what it holds is given back when this is dropped.
pub struct Holder {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Holder {
    /// Starts it for a process that wants these. The process's own lease is held when this returns.
    pub fn start(home: Home, process: Uuid, lines: &[String], clock: Arc<dyn Clock>) -> Result<(Self, Arc<Leases>)> {
        let leases = Arc::new(Leases::shared(clock));
        let wanted: Vec<_> = [of_process(process)].into_iter().chain(lines.iter().map(|line| of_line(line))).collect();
        let table = Table { home, process: process.to_string() };
        table.sweep()?;
        table.round(&wanted, &leases)?;
        let (stop, stopped) = sync_channel::<()>(1);
        let noted = Arc::clone(&leases);
        let thread = std::thread::Builder::new()
            .name("leases".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(RENEW_EVERY) == Err(RecvTimeoutError::Timeout) {
                    if let Err(error) = table.round(&wanted, &noted) {
                        tracing::warn!(error = format!("{error:#}"), "Renewing leases failed");
                    }
                }
                noted.forget();
                if let Err(error) = table.give_back() {
                    tracing::warn!(error = format!("{error:#}"), "Giving leases back failed; they end by themselves");
                }
            })
            .context("Starting the thread of leases")?;
        Ok((Self { stop: Some(stop), thread: Some(thread) }, leases))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Table {
    home: Home,
    process: String,
}

impl Table {
    /// Renews what is held and takes what is free.
    fn round(&self, wanted: &[String], leases: &Leases) -> Result<()> {
        let (asked, asked_wall) = (Instant::now(), leases.clock.now());
        let now = self.home.now();
        // What ended and was taken by nobody is still this process's: it was nobody else's meanwhile.
        let renew = format!("UPDATE leases SET until = {now} + $1 WHERE holder = $2 RETURNING what");
        let renewed = self.home.query(&renew, values![LASTS, self.process.as_str()]).context("Renewing leases")?;
        let mut held = renewed.into_iter().map(|mut row| row.text()).collect::<Result<Vec<_>>>()?;
        // An end that lies further off than any lease lasts was written before the database's clock was set back.
        let take = format!(
            "INSERT INTO leases (what, holder, until) VALUES ($1, $2, {now} + $3) ON CONFLICT (what) DO UPDATE
             SET holder = excluded.holder, until = excluded.until
             WHERE leases.until < {now} OR leases.until > {now} + $4 RETURNING what"
        );
        for what in wanted.iter().filter(|what| !held.contains(what)).cloned().collect::<Vec<_>>() {
            let values = values![what.as_str(), self.process.as_str(), LASTS, 2 * LASTS];
            if self.home.first(&take, values).context("Taking a lease")?.is_some() {
                tracing::info!(what, "This process holds a lease");
                held.push(what);
            }
        }
        leases.note(held, asked, asked_wall);
        Ok(())
    }

    fn give_back(&self) -> Result<()> {
        let sql = "DELETE FROM leases WHERE holder = $1";
        self.home.execute(sql, values![self.process.as_str()]).context("Giving leases back").map(drop)
    }

    fn sweep(&self) -> Result<()> {
        let sql = format!("DELETE FROM leases WHERE until < {} - $1", self.home.now());
        self.home.execute(&sql, values![KEEP]).context("Deleting leases of processes that are gone").map(drop)
    }
}
