//! An agency as the rest of the program sees it: a queue to its deciding thread, a few readers, its live channel.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use anyhow::{Context, Result, bail};
use domain::{
    chain::Hash,
    command::SystemAsk,
    ids::{CaseId, DeliveryId, Millis, StaffId},
    wire::Answer,
};
use records::Records;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};

use crate::{
    config::{self, Config},
    decider::{Aside, Decided, Decider, Given, Item, Job, Told},
    failure::Failure,
    home::{Place, Storage},
    journal::{self, Batch},
    live::{self, Event},
    others::Others,
    signs::StoppedLines,
    sqlite,
};

/// So many things wait to be decided; the next person is told to come again, the next delivery waits.
const QUEUE: usize = 4096;
/// So many are decided in one transaction at most.
const BATCH: usize = 256;
/// So many read at once, each on a thread and connections of its own; the next one waits.
const READERS: usize = 32;
/// So many readers are kept open.
const IDLE_READERS: usize = 8;
/// So many cases wait to be marked as read on WhatsApp; beyond that, a tick stays grey for a while.
const READ: usize = 256;

/// One agency.
pub struct Agency {
    /// Its short name.
    pub id: String,
    /// What was committed, for the desks.
    pub live: live::Channel,
    /// Wakes the sender.
    pub wake: Arc<Notify>,
    /// Lines that WhatsApp lets send nothing.
    pub stopped_lines: StoppedLines,
    /// Wakes whoever ends what an erasure has begun.
    pub erased: Arc<Notify>,
    /// The other processes.
    pub others: Others,
    /// `None` is the last word: after it nothing is decided.
    jobs: mpsc::Sender<Option<Job>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    ready: Arc<AtomicBool>,
    files: Files,
    readers: Semaphore,
    idle: Mutex<Vec<Reader>>,
}

/// Where an agency's journal and records are.
#[derive(Debug, Clone)]
pub struct Files {
    /// The journal.
    pub journal: Place,
    /// The read model.
    pub records: PathBuf,
}

impl Files {
    /// Where they are, by the configuration.
    pub fn of(agency: &str, storage: &Storage, records: &Path) -> Self {
        Self { journal: storage.journal(agency), records: records.join(agency).join("records.db") }
    }

    /// Opens the read model for writing; it is made where it is absent, since the journal can always fill it.
    pub fn open_records(&self) -> Result<Records> {
        if let Some(folder) = self.records.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("Making {}", folder.display()))?;
        }
        Records::open(sqlite::writer(&self.records, true)?)
            .with_context(|| format!("Opening {}", self.records.display()))
    }
}

/// The agencies of a configuration, or the one that is named.
pub fn chosen<'a>(config: &'a Config, agency: Option<&str>) -> Result<Vec<&'a config::Agency>> {
    let chosen: Vec<_> = config.agencies.iter().filter(|one| agency.is_none_or(|id| one.id == id)).collect();
    if let (Some(id), []) = (agency, &chosen[..]) {
        bail!("There is no agency {id}");
    }
    Ok(chosen)
}

/// Reads an agency's files beside the deciding thread.
pub struct Reader {
    /// The journal.
    pub journal: journal::Reader,
    /// The read model.
    pub records: Records,
}

impl Reader {
    fn open(files: &Files) -> Result<Self> {
        let records = Records::read_only(sqlite::reader(&files.records)?).context("Opening the records for reading")?;
        Ok(Self { journal: journal::Reader::open(files.journal.clone())?, records })
    }

    /// Whose device bears a token, if it is signed in and its person's account is in use.
    pub fn signed_in(&self, token: &Hash) -> Result<Option<StaffId>> {
        let Some(staff) = self.journal.device(token)? else { return Ok(None) };
        // A desk that is told it were signed out gives up; one that hears of a failure comes again.
        let account =
            self.records.staff(staff)?.context("The records do not know the person of a device: they are behind")?;
        Ok(account.viewer.active.then_some(staff))
    }
}

/// What happens beside deciding, from the deciding thread on.
pub struct Outlets {
    /// Cases which their owner has read.
    pub read: mpsc::Receiver<CaseId>,
}

impl Agency {
    /// Starts the deciding thread. It ends when it is told to, or when the agency is dropped.
    pub fn start(id: &str, files: Files, mut decider: Decider, others: Others) -> Result<(Arc<Self>, Outlets)> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let (read_to, read) = mpsc::channel(READ);
        let ready = Arc::new(AtomicBool::new(false));
        let live = live::Channel::new();
        let wake = Arc::new(Notify::new());
        let erased = Arc::new(Notify::new());
        let thread = Thread {
            agency: id.to_owned(),
            waiting,
            ready: Arc::clone(&ready),
            live: live.clone(),
            wake: Arc::clone(&wake),
            erased: Arc::clone(&erased),
            others: others.clone(),
            read: read_to,
        };
        match decider.bring_up() {
            Ok(()) => ready.store(true, Ordering::Release),
            Err(error) => tracing::error!(error = format!("{error:#}"), agency = id, "The agency is not ready"),
        }
        let thread = std::thread::Builder::new()
            .name(format!("agency {id}"))
            .spawn(move || thread.run(decider))
            .context("Starting an agency's thread")?;
        let agency = Self {
            id: id.to_owned(),
            live,
            wake,
            erased,
            stopped_lines: StoppedLines::default(),
            others,
            jobs,
            thread: Mutex::new(Some(thread)),
            ready,
            files,
            readers: Semaphore::new(READERS),
            idle: Mutex::default(),
        };
        Ok((Arc::new(agency), Outlets { read }))
    }

    /// Ends the deciding thread once what waits for it is decided, and waits for its end: whoever stopped may find that
    /// another program serves these files, and must not touch them any more.
    pub async fn end(&self) {
        // A thread that has ended by itself needs no word.
        let _ = self.jobs.send(None).await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    /// Whether `records` stands at the head and decisions are taken.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Since when sending is held, if it is: after a restore, until a person releases it.
    pub async fn sending_held(self: &Arc<Self>) -> Result<Option<Millis>, Failure> {
        self.read(|reader| reader.journal.sending_held()).await
    }

    /// Asks the deciding thread. `None`: it could not be committed, or the thread is overloaded.
    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, Failure> {
        self.ask_later(job)?.await.map_err(|_| self.not_committed())
    }

    fn ask_later<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<oneshot::Receiver<T>, Failure> {
        let (done, answer) = oneshot::channel();
        match self.jobs.try_send(Some(job(done))) {
            Ok(()) => Ok(answer),
            Err(_) => Err(Failure::not_ready("Too much waits to be decided").retry_after(1)),
        }
    }

    fn not_committed(&self) -> Failure {
        if self.is_ready() {
            Failure::not_stored("It could not be stored; send it again").retry_after(1)
        } else {
            Failure::not_ready("The agency cannot decide at the moment").retry_after(5)
        }
    }

    /// Decides commands, in their order.
    pub async fn commands(&self, staff: StaffId, given: Vec<Given>) -> Result<Vec<Answer>, Failure> {
        let mut waiting = Vec::with_capacity(given.len());
        for given in given {
            waiting.push(self.ask_later(|done| Job::Command { staff, given, done })?);
        }
        let mut answers = Vec::with_capacity(waiting.len());
        for answer in waiting {
            answers.push(answer.await.map_err(|_| self.not_committed())?);
        }
        Ok(answers)
    }

    /// Decides what the system asks for.
    pub async fn system(&self, ask: SystemAsk) -> Result<Decided, Failure> {
        self.ask(|done| Job::System { ask, done }).await
    }

    /// Takes up what other processes have written by now.
    pub async fn look(&self) -> Result<(), Failure> {
        self.ask(|done| Job::Look { done }).await
    }

    /// The same, without waiting. Where much waits to be decided, that looks anyway.
    pub fn look_soon(&self) {
        let _ = self.ask_later(|done| Job::Look { done });
    }

    /// Hands in a delivery's items, waiting for a place; the receiver tells what came of it.
    pub async fn inbound(
        &self,
        cause: DeliveryId,
        items: Vec<Item>,
    ) -> Option<oneshot::Receiver<Result<(), &'static str>>> {
        let (done, answer) = oneshot::channel();
        self.jobs.send(Some(Job::Inbound { cause, items, done })).await.ok().map(|()| answer)
    }

    /// Changes the plain tables. The events are published with what was committed.
    pub async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Batch<'_>) -> Result<(T, Option<Event>)> + Send + 'static,
    ) -> Result<T, Failure> {
        self.change_knowing(|batch, _| work(batch)).await
    }

    /// The same, by what the read model says in the same transaction.
    pub async fn change_knowing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Batch<'_>, &Records) -> Result<(T, Option<Event>)> + Send + 'static,
    ) -> Result<T, Failure> {
        self.ask(|done| {
            let aside: Aside = Box::new(move |batch, records| {
                let (value, event) = work(batch, records)?;
                Ok(Box::new(move || {
                    let _ = done.send(value);
                    event
                }))
            });
            Job::Aside(aside)
        })
        .await
    }

    /// Reads, on a thread where that may take its time.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Reader) -> Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let agency = Arc::clone(self);
        let _place = self.readers.acquire().await.context("Waiting for a reader")?;
        let done = tokio::task::spawn_blocking(move || {
            let idle = agency.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut reader = match idle {
                Some(reader) => reader,
                None => Reader::open(&agency.files)?,
            };
            let value = work(&mut reader)?;
            let mut idle = agency.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE_READERS {
                idle.push(reader);
            }
            Ok(value)
        });
        match done.await {
            Ok(value) => value.map_err(|error: anyhow::Error| Failure::inside(&error)),
            Err(error) => Err(Failure::inside(&anyhow::Error::new(error).context("Reading"))),
        }
    }
}

struct Thread {
    agency: String,
    waiting: mpsc::Receiver<Option<Job>>,
    ready: Arc<AtomicBool>,
    live: live::Channel,
    wake: Arc<Notify>,
    erased: Arc<Notify>,
    others: Others,
    read: mpsc::Sender<CaseId>,
}

impl Drop for Thread {
    /// However the thread ended, nothing is decided from now on.
    fn drop(&mut self) {
        self.ready.store(false, Ordering::Release);
    }
}

impl Thread {
    fn run(mut self, mut decider: Decider) {
        let mut ends = false;
        while !ends && let Some(Some(first)) = self.waiting.blocking_recv() {
            let mut jobs = vec![first];
            while jobs.len() < BATCH
                && let Ok(next) = self.waiting.try_recv()
            {
                let Some(next) = next else {
                    ends = true;
                    break;
                };
                jobs.push(next);
            }
            let decided = decider.batch(jobs);
            let was_ready = self.ready.swap(decided.is_ok(), Ordering::AcqRel);
            match decided {
                Ok(told) => self.tell(told),
                Err(error) => {
                    sqlite::end_unless_durable(&error);
                    tracing::error!(
                        error = format!("{error:#}"),
                        agency = self.agency,
                        was_ready,
                        "A batch could not be committed"
                    );
                }
            }
        }
    }

    fn tell(&self, told: Told) {
        let mut committed = told.committed;
        for event in told.events {
            if let Event::Seen(staff, position) = event {
                self.others.seen(&self.agency, staff, position);
            }
            self.live.publish(event);
        }
        if told.wake_sender {
            self.wake.notify_one();
        }
        if told.erased {
            self.erased.notify_one();
        }
        for case in told.read {
            let _ = self.read.try_send(case);
        }
        for then in told.answers {
            if let Some(event) = then() {
                committed |= matches!(event, Event::SignedOut(_));
                self.live.publish(event);
            }
        }
        if committed {
            self.others.committed(&self.agency);
        }
    }
}
