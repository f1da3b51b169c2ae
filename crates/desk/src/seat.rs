//! A seat: one signed-in person at this workstation, with their files open and the tasks that keep them in step.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use domain::{
    ids::{CommandId, Millis, StaffId},
    wire::{AgencyView, Cursor, StaffView},
};
use records::Records;
use serde::{Deserialize, Serialize};
use tokio::{sync::Notify, task::JoinHandle};

use crate::{
    api::{DeskStatus, Link, Problem, Signal},
    client::Gateway,
    database::{Contents, Database, is_beyond_repair},
    hub::Hub,
    key::{FileKey, Session},
    notify::{self, Notifier},
    outbox, precious,
    precious::Precious,
    presence::Others,
    search, sender,
    steps::Standing,
    sync,
    workstation::Account,
};

/// Under this name the precious file keeps who signed in.
const WHO: &str = "who";
/// Under this name the precious file keeps the gateway's clock less this computer's.
const OFFSET: &str = "clock_offset";

/// Who signed in, as the gateway said then. Off line, and before the records say more, it is all there is.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Who {
    pub(crate) staff: StaffView,
    pub(crate) agency: AgencyView,
}

/// One signed-in person.
pub(crate) struct Seat {
    pub(crate) account: Account,
    pub(crate) me: StaffId,
    pub(crate) who: Who,
    pub(crate) key: FileKey,
    pub(crate) token: String,
    pub(crate) gateway: Gateway,
    pub(crate) precious: Arc<Database<Precious>>,
    pub(crate) records: Arc<Database<Records>>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) notifier: Notifier,
    /// Wakes the sender: there is something in the outbox, or the gateway can be reached again.
    pub(crate) send_now: Notify,
    /// Wakes sync from a pause.
    pub(crate) try_now: Notify,
    /// Wakes whoever keeps the search index: something went out of sight.
    pub(crate) tidy_now: Notify,
    state: Mutex<State>,
    others: Mutex<Others>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug, Clone)]
struct State {
    link: Link,
    synced_at: Option<Millis>,
    offline_since: Option<Millis>,
    clock_offset: Millis,
    receiving: Option<u32>,
    problem: Option<Problem>,
}

impl Seat {
    /// Opens an account's files and starts the tasks. `who` is given at sign-in and remembered.
    pub(crate) async fn take(
        folder: &Path,
        account: Account,
        key: FileKey,
        session: &Session,
        who: Option<Who>,
        gateway: Gateway,
        hub: Arc<Hub>,
    ) -> anyhow::Result<Arc<Self>> {
        let (precious, records) = open_files(folder.to_owned(), key.clone()).await?;
        let offset = who.is_some().then_some(session.clock_offset);
        let (who, offset) = precious
            .write(move |precious| {
                let c = precious.connection();
                if let Some(who) = &who {
                    precious::keep(c, WHO, who)?;
                }
                if let Some(offset) = offset {
                    precious::keep(c, OFFSET, &offset)?;
                }
                let who: Who = precious::kept(c, WHO)?.context("The file does not say whose it is")?;
                Ok((who, precious::kept(c, OFFSET)?.unwrap_or(0)))
            })
            .await?;
        restore_positions(&precious, &records).await?;
        let standing = records.read(|records| Standing::of(records)).await?;
        let (notifier, news) = notify::notifier();
        let seat = Arc::new(Self {
            me: who.staff.id,
            who,
            account,
            key,
            token: session.token.clone(),
            gateway,
            precious: Arc::new(precious),
            records: Arc::new(records),
            hub,
            notifier,
            send_now: Notify::new(),
            try_now: Notify::new(),
            tidy_now: Notify::new(),
            state: Mutex::new(State {
                link: Link::Connecting,
                synced_at: standing.synced_at,
                offline_since: None,
                clock_offset: offset,
                receiving: None,
                problem: None,
            }),
            others: Mutex::default(),
            tasks: Mutex::new(Vec::new()),
        });
        seat.count_waiting().await;
        let mut tasks = vec![tokio::spawn(notify::run(seat.clone(), news)), tokio::spawn(search::run(seat.clone()))];
        if seat.token.is_empty() {
            seat.stopped("signed_out");
        } else {
            tasks.push(tokio::spawn(sync::run(seat.clone())));
            tasks.push(tokio::spawn(sender::run(seat.clone())));
        }
        seat.tasks.lock().unwrap_or_else(PoisonError::into_inner).extend(tasks);
        Ok(seat)
    }

    /// Ends the tasks and closes the files.
    pub(crate) async fn leave(&self) {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in &tasks {
            task.abort();
        }
        for task in tasks {
            // An aborted task answers with an error: that is its end.
            drop(task.await);
        }
        self.precious.close().await;
        self.records.close().await;
    }

    /// The same for who cannot await.
    pub(crate) fn leave_now(&self) {
        for task in std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner)) {
            task.abort();
        }
        self.precious.close_now();
        self.records.close_now();
    }

    /// The gateway's clock, as far as it is known here.
    pub(crate) fn now(&self) -> Millis {
        self.hub.clock.now() + self.state().clock_offset
    }

    /// A new command's id, by the gateway's clock: it tells from it how old a reply is.
    pub(crate) fn new_id(&self) -> CommandId {
        CommandId(self.hub.ids.next(self.now()))
    }

    /// A random number between 0 and 1, for pauses.
    pub(crate) fn jitter(&self) -> f64 {
        let (_, low) = self.hub.ids.next(self.hub.clock.now()).as_u64_pair();
        f64::from(u16::try_from(low & 0xffff).unwrap_or(0)) / f64::from(u16::MAX)
    }

    pub(crate) async fn standing(&self) -> anyhow::Result<Standing> {
        self.records.read(|records| Standing::of(records)).await
    }

    // ── How it stands to the gateway ─────────────────────────────────────────────────────────────────────────────

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What colleagues read and write now.
    pub(crate) fn others(&self) -> MutexGuard<'_, Others> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.hub.tell(Signal::Status {});
    }

    /// Trying; what is off line stays so until the gateway has answered.
    pub(crate) fn connecting(&self) {
        let mut state = self.state();
        if state.link != Link::Offline {
            state.link = Link::Connecting;
        }
    }

    /// The gateway has answered.
    pub(crate) fn reached(&self) {
        self.change(|state| {
            state.link = Link::Syncing;
            state.offline_since = None;
            state.problem = None;
        });
        self.send_now.notify_one();
    }

    /// The gateway took commands: sync need not wait any longer.
    pub(crate) fn was_reached(&self) {
        if self.state().link == Link::Offline {
            self.try_now.notify_one();
        }
    }

    /// During a first sync: so many entries so far.
    pub(crate) fn receiving(&self, entries: u32) {
        self.change(|state| state.receiving = Some(entries));
    }

    /// In step, and listening.
    pub(crate) fn live(&self) {
        self.change(|state| {
            state.link = Link::Live;
            state.receiving = None;
        });
        self.send_now.notify_one();
    }

    /// The records stand at the gateway's head.
    pub(crate) fn at_head(&self, cursor: &Cursor) {
        let offset = cursor.now - self.hub.clock.now();
        self.change(|state| {
            state.synced_at = Some(cursor.now);
            state.clock_offset = offset;
            state.receiving = None;
        });
    }

    /// The clock's offset outlives the program, so that what is written off line bears the right time.
    pub(crate) async fn keep_offset(&self) -> anyhow::Result<()> {
        let offset = self.state().clock_offset;
        self.precious.write(move |precious| precious::keep(precious.connection(), OFFSET, &offset)).await
    }

    /// Not reachable.
    pub(crate) fn offline(&self) {
        let now = self.now();
        self.change(|state| {
            state.link = Link::Offline;
            state.offline_since.get_or_insert(now);
        });
    }

    /// Not to be synced until a person has acted.
    pub(crate) fn stopped(&self, code: &str) {
        self.offline();
        self.change(|state| state.problem = Some(Problem { code: code.to_owned(), error: None }));
    }

    /// What the foot says.
    pub(crate) async fn status(&self) -> anyhow::Result<DeskStatus> {
        let rows = self.precious.read(|precious| outbox::undone(precious.connection(), None)).await?;
        let stuck = rows.iter().filter(|row| row.problem().is_some()).count();
        let waiting = rows.iter().filter(|row| row.problem().is_none() && row.state == outbox::State::Waiting).count();
        let state = self.state().clone();
        Ok(DeskStatus {
            link: state.link,
            synced_at: state.synced_at,
            offline_since: state.offline_since,
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
            stuck: u32::try_from(stuck).unwrap_or(u32::MAX),
            clock_offset: state.clock_offset,
            receiving: state.receiving,
            problem: state.problem,
        })
    }

    /// Counts anew in how many conversations a citizen waits, for the tray.
    pub(crate) async fn count_waiting(&self) {
        let me = self.me;
        match self.records.read(move |records| Ok(records.counts(me, (0, 0))?.waiting)).await {
            Ok(waiting) => drop(self.hub.unread.send_if_modified(|last| std::mem::replace(last, waiting) != waiting)),
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "The waiting conversations could not be counted")
            }
        }
    }
}

async fn open_files(
    folder: std::path::PathBuf,
    key: FileKey,
) -> anyhow::Result<(Database<Precious>, Database<Records>)> {
    let opening = move || {
        std::fs::create_dir_all(&folder).with_context(|| format!("Making the folder {}", folder.display()))?;
        let precious = Database::open(&folder.join("precious.db"), &key)?;
        let path = folder.join("records.db");
        // The records can be had again from the gateway; a damaged file must not keep a person out of their own words.
        let records = Database::open(&path, &key).or_else(|error| {
            if !is_beyond_repair(&error) {
                return Err(error);
            }
            tracing::error!(error = format!("{error:#}"), "The records cannot be opened: they start afresh");
            for end in ["", "-wal", "-shm"] {
                let mut name = path.clone().into_os_string();
                name.push(end);
                match std::fs::remove_file(&name) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error)?,
                    _ => {}
                }
            }
            Database::open(&path, &key)
        })?;
        Ok((precious, records))
    };
    tokio::task::spawn_blocking(opening).await.context("Opening the files")?
}

/// Positions are precious; the records keep a copy of them for counting, which a rebuilt file lacks.
async fn restore_positions(precious: &Database<Precious>, records: &Database<Records>) -> anyhow::Result<()> {
    let positions = precious.read(|precious| precious::positions(precious.connection())).await?;
    if positions.is_empty() {
        return Ok(());
    }
    records
        .write(move |records| {
            for (case, seq) in positions {
                records.set_seen(case, seq)?;
            }
            Ok(())
        })
        .await
}
