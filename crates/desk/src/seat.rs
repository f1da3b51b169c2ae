//! A seat: one signed-in person at this workstation, with their files open and the tasks that keep them in step.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use domain::{
    entry::Entry,
    ids::{CommandId, Millis, StaffId},
    wire::{AgencyView, Cursor, StaffView},
};
use records::Records;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
};

use crate::{
    api::{DeskStatus, Link, Problem, Receiving, Signal},
    client::Gateway,
    database::{Contents, Database, is_damaged},
    hub::Hub,
    key::FileKey,
    mend,
    notify::{self, Notifier},
    outbox, precious,
    precious::Precious,
    presence::Others,
    search, sender,
    steps::Standing,
    sync,
    workstation::Account,
};

/// The problem of a session that the gateway has ended.
pub(crate) const SIGNED_OUT: &str = "signed_out";
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

/// What a seat is taken with.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) folder: PathBuf,
    pub(crate) account: Account,
    pub(crate) key: FileKey,
    pub(crate) token: String,
    /// The gateway's clock less this computer's.
    pub(crate) clock_offset: Millis,
    /// Given at sign-in, and remembered.
    pub(crate) who: Option<Who>,
    pub(crate) gateway: Gateway,
    pub(crate) hub: Arc<Hub>,
}

/// What a seat cannot settle by itself: the desk has to close its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The gateway has shut this computer out.
    Revoked,
    /// A file is damaged.
    Damaged,
}

/// Commands that were dropped lately and may be put back. In memory alone: what was dropped leaves the disk at once.
#[derive(Default)]
pub(crate) struct Dropped(Vec<outbox::Row>);

impl Dropped {
    pub(crate) fn keep(&mut self, row: outbox::Row) {
        self.0.truncate(19);
        self.0.insert(0, row);
    }

    pub(crate) fn take(&mut self, id: CommandId) -> Option<outbox::Row> {
        let at = self.0.iter().position(|row| row.id == id)?;
        Some(self.0.remove(at))
    }
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
    news: Mutex<Option<mpsc::Receiver<Vec<Entry>>>>,
    /// Wakes the sender: there is something in the outbox, or the gateway can be reached again.
    pub(crate) send_now: Notify,
    /// Wakes sync from a pause.
    pub(crate) try_now: Notify,
    /// Wakes whoever keeps the search index: something went out of sight.
    pub(crate) tidy_now: Notify,
    state: Mutex<State>,
    others: Mutex<Others>,
    dropped: Mutex<Dropped>,
    revoked: watch::Sender<bool>,
    over: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug, Clone)]
struct State {
    link: Link,
    synced_at: Option<Millis>,
    offline_since: Option<Millis>,
    clock_offset: Millis,
    receiving: Option<Receiving>,
    problem: Option<Problem>,
}

impl Seat {
    /// Opens an account's files, and once more where damage shows while that is done: then they are put in order first.
    pub(crate) async fn open_mended(opening: Opening) -> anyhow::Result<Arc<Self>> {
        match Self::open(opening.clone()).await {
            Err(error) if is_damaged(&error) => {
                mend::suspect(&opening.folder)?;
                Self::open(opening).await
            }
            opened => opened,
        }
    }

    /// Opens an account's files. Nothing is asked of the network yet.
    async fn open(opening: Opening) -> anyhow::Result<Arc<Self>> {
        let Opening { folder, account, key, token, clock_offset, who, gateway, hub } = opening;
        let now = hub.clock.now() + clock_offset;
        let (precious, records) = mend::open_files(folder, key.clone(), now).await?;
        let (precious, records) = (Arc::new(precious), Arc::new(records));
        let begun = async {
            let (who, offset) = whose(&precious, who, clock_offset).await?;
            restore_positions(&precious, &records).await?;
            Ok::<_, anyhow::Error>((who, offset, records.read(|records| Standing::of(records)).await?))
        };
        let (who, offset, standing) = match begun.await {
            Ok(begun) => begun,
            Err(error) => {
                precious.close().await;
                records.close().await;
                return Err(error);
            }
        };
        let (notifier, news) = notify::notifier();
        Ok(Arc::new(Self {
            me: who.staff.id,
            who,
            account,
            key,
            token,
            gateway,
            precious,
            records,
            hub,
            notifier,
            news: Mutex::new(Some(news)),
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
            dropped: Mutex::default(),
            revoked: watch::Sender::new(false),
            over: watch::Sender::new(false),
            tasks: Mutex::new(Vec::new()),
        }))
    }

    /// What the same person's files are opened with again.
    pub(crate) fn reopening(&self, folder: PathBuf, hub: Arc<Hub>) -> Opening {
        Opening {
            folder,
            account: self.account.clone(),
            key: self.key.clone(),
            token: self.token.clone(),
            clock_offset: self.clock_offset(),
            who: Some(self.who.clone()),
            gateway: self.gateway.clone(),
            hub,
        }
    }

    /// Starts what keeps the files in step with the gateway.
    pub(crate) async fn begin(self: &Arc<Self>) {
        self.count_waiting().await;
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut tasks: Vec<_> = news.map(|news| tokio::spawn(notify::run(self.clone(), news))).into_iter().collect();
        tasks.push(tokio::spawn(search::run(self.clone())));
        if self.token.is_empty() {
            self.stopped(SIGNED_OUT);
        } else {
            tasks.push(tokio::spawn(sync::run(self.clone())));
            tasks.push(tokio::spawn(sender::run(self.clone())));
        }
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).extend(tasks);
    }

    /// Ends the tasks and closes the files.
    pub(crate) async fn leave(&self) {
        self.over.send_replace(true);
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
        self.over.send_replace(true);
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

    /// What was dropped lately.
    pub(crate) fn dropped(&self) -> MutexGuard<'_, Dropped> {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The gateway has shut this computer out.
    pub(crate) fn revoked(&self) {
        self.stopped("revoked");
        self.revoked.send_replace(true);
    }

    /// Whether a file is known to be damaged.
    pub(crate) fn is_damaged(&self) -> bool {
        self.precious.is_damaged() || self.records.is_damaged()
    }

    /// Waits for what only the desk can settle.
    pub(crate) async fn ending(&self) -> Ending {
        let mut revoked = self.revoked.subscribe();
        tokio::select! {
            _ = revoked.wait_for(|revoked| *revoked) => Ending::Revoked,
            () = self.precious.damaged() => Ending::Damaged,
            () = self.records.damaged() => Ending::Damaged,
        }
    }

    /// Waits until the files are closed.
    pub(crate) async fn left(&self) {
        drop(self.over.subscribe().wait_for(|over| *over).await);
    }

    /// The gateway's clock less this computer's.
    pub(crate) fn clock_offset(&self) -> Millis {
        self.state().clock_offset
    }

    /// How many commands wait to be sent and will be, without anybody's doing.
    pub(crate) async fn going_out(&self) -> anyhow::Result<usize> {
        let rows = self.precious.read(|precious| outbox::undone(precious.connection(), None)).await?;
        Ok(rows.iter().filter(|row| row.state == outbox::State::Waiting && row.problem().is_none()).count())
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

    /// During a first sync: how far it is.
    pub(crate) fn receiving(&self, far: Receiving) {
        self.change(|state| state.receiving = Some(far));
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

    /// Whether the gateway did not answer when it was last asked.
    pub(crate) fn is_offline(&self) -> bool {
        self.state().link == Link::Offline
    }

    /// Not to be synced until a person has acted.
    pub(crate) fn stopped(&self, code: &str) {
        self.offline();
        self.change(|state| state.problem = Some(Problem { code: code.to_owned(), error: None }));
    }

    /// Whether the gateway has ended this session: only a password begins another.
    pub(crate) fn is_signed_out(&self) -> bool {
        self.state().problem.as_ref().is_some_and(|problem| problem.code == SIGNED_OUT)
    }

    /// What the foot says.
    pub(crate) async fn status(&self) -> anyhow::Result<DeskStatus> {
        let read = self.precious.read(|precious| {
            let c = precious.connection();
            Ok((outbox::undone(c, None)?, mend::told(c)?))
        });
        let (rows, mended) = read.await?;
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
            mended,
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

/// Whose files these are, and the clock's offset: as they were given at sign-in, else as they were kept.
async fn whose(precious: &Database<Precious>, who: Option<Who>, offset: Millis) -> anyhow::Result<(Who, Millis)> {
    let write = move |precious: &mut Precious| {
        let c = precious.connection();
        if let Some(who) = &who {
            precious::keep(c, WHO, who)?;
            precious::keep(c, OFFSET, &offset)?;
        }
        let who: Who = precious::kept(c, WHO)?.context("The file does not say whose it is")?;
        Ok((who, precious::kept(c, OFFSET)?.unwrap_or(0)))
    };
    precious.write(write).await
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
