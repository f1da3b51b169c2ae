//! One agency's decisions, one after another.
//!
//! A batch is one transaction: lock the head, bring `records` up to it, then item by item (each between savepoints of its
//! own) load the facts, decide, append, apply; commit the journal, then `records`, and only then publish and answer. So
//! two people never own one case, case numbers and `seq` are dense, and `records` is never ahead of the journal. If the
//! journal's commit fails its outcome is unknown: `records` is rolled back, nobody is answered, and the next batch reads
//! the head again.

mod following;

use std::{sync::Arc, time::Instant};

use anyhow::{Context as _, Result};
use domain::{
    chain::Hash,
    command::{Ask, Code, Command, MOST_MEDIA, Refusal, SendOutcome, SystemAsk},
    decide::{Context, decide, decide_system},
    entry::{Entry, NewEntry},
    facts::ErasureFacts,
    ids::{CaseId, Clock, CommandId, DeliveryId, EntryId, Ids, Millis, Seq, StaffId},
    wire::{Answer, Outcome, Position},
};
use records::{Records, Stand};
use tokio::sync::oneshot;
use uuid::Uuid;

use self::following::Unpublished;
use crate::{
    journal::{Batch, Erasing, Journal, Traces},
    keys::ServerKey,
    ledger::{Erased, Ledger},
    live::Event,
    orphans, signs, uploads,
};

/// One-time codes live for three days.
pub const CODE_LIFE: Millis = 72 * 3_600_000;

/// A command as it was given: what could be read of it, and the hash of the whole.
pub struct Given {
    /// Its id.
    pub id: CommandId,
    /// The hash of its body.
    pub hash: Hash,
    /// What is asked for, or why it cannot be read.
    pub command: Result<Command, Refusal>,
}

/// An item of a delivery.
pub struct Item {
    /// Its key as `seen` keeps it.
    pub key: Hash,
    /// What it means.
    pub ask: SystemAsk,
}

/// What came of one thing that the system asked for: the entries, or why there are none.
pub type Decided = Result<Vec<Seq>, Refusal>;

/// Something done beside the entries, in the same transaction; what it returns is run once that has committed.
pub type Aside = Box<dyn FnOnce(&Batch<'_>, &Records) -> Result<Then> + Send>;
/// What happens once a transaction has committed.
pub type Then = Box<dyn FnOnce() -> Option<Event> + Send>;

/// Something to decide. If it could not be committed, whoever waits sees the channel close.
pub enum Job {
    /// A delivery's items; the answer names what could not be taken in.
    Inbound {
        /// The delivery.
        cause: DeliveryId,
        /// What stands in it for this agency.
        items: Vec<Item>,
        /// Told why something could not be taken in.
        done: oneshot::Sender<Result<(), &'static str>>,
    },
    /// What a person asks for.
    Command {
        /// Who asks.
        staff: StaffId,
        /// For what.
        given: Given,
        /// Told the answer.
        done: oneshot::Sender<Answer>,
    },
    /// What the system asks for.
    System {
        /// For what.
        ask: SystemAsk,
        /// Told what came of it.
        done: oneshot::Sender<Decided>,
    },
    /// What stands beside the entries.
    Aside(Aside),
    /// Another process may have written something.
    Look {
        /// Told once `records` stands where the journal did.
        done: oneshot::Sender<()>,
    },
}

/// What a batch brought about, to be told after it.
#[derive(Default)]
pub struct Told {
    /// What desks may have to know, in order.
    pub events: Vec<Event>,
    /// Whether something was committed here that other processes have to be told of.
    pub committed: bool,
    /// Whether the sender has something to look at.
    pub wake_sender: bool,
    /// Cases which their owner has read up to the end.
    pub read: Vec<CaseId>,
    /// What is said to those who wait, after everything else.
    pub answers: Vec<Then>,
    /// Whether somebody was erased, and their traces are left.
    pub erased: bool,
}

/// The journal and what decides on it; one thread owns it.
pub struct Decider {
    journal: Journal,
    /// Whether the last batch could be committed.
    sound: bool,
    mind: Mind,
}

struct Mind {
    agency: String,
    records: Records,
    stand: Option<Stand>,
    /// The last entry of which this process's desks know; there are none before the first look.
    published: Option<Seq>,
    /// What `records` has taken up since.
    unpublished: Unpublished,
    /// The last sign-out of which this process's desks know.
    signed_out: i64,
    key: Arc<ServerKey>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    ledger: Option<Ledger>,
}

impl Decider {
    /// Puts a journal and its read model together.
    pub fn new(
        agency: &str,
        journal: Journal,
        records: Records,
        key: Arc<ServerKey>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Self {
        Self {
            journal,
            sound: true,
            mind: Mind {
                agency: agency.to_owned(),
                records,
                stand: None,
                published: None,
                unpublished: Unpublished::default(),
                signed_out: 0,
                key,
                clock,
                ids,
                ledger: None,
            },
        }
    }

    /// Notes erasures in this ledger; without one, none is decided.
    pub fn with_ledger(mut self, ledger: Ledger) -> Self {
        self.mind.ledger = Some(ledger);
        self
    }

    /// Brings `records` up to the journal's head; what fits no longer is built anew.
    pub fn bring_up(&mut self) -> Result<()> {
        // Far behind, that takes long; so most of it is done without keeping others from deciding.
        self.mind.bring_up(&self.journal)?;
        let batch = self.journal.begin()?;
        self.mind.bring_up(&batch)
    }

    /// The read model.
    pub fn records(&self) -> &Records {
        &self.mind.records
    }

    /// Decides a batch and commits it. After an error nothing of it holds, or nobody knows; nobody was answered.
    pub fn batch(&mut self, jobs: Vec<Job>) -> Result<Told> {
        // Whoever only looks keeps nobody from deciding. After a failure a whole transaction has to succeed first.
        let looks = self.sound && jobs.iter().all(|job| matches!(job, Job::Look { .. }));
        let signed_out = self.mind.signed_out;
        let done = if looks { self.look(jobs) } else { self.try_batch(jobs) };
        self.sound = done.is_ok();
        if done.is_err() {
            // Whatever is open is given up; where nothing is, this fails and means nothing.
            let _ = self.mind.records.connection().execute_batch("ROLLBACK");
            self.mind.stand = None;
            self.mind.signed_out = signed_out;
        }
        done
    }

    fn look(&mut self, jobs: Vec<Job>) -> Result<Told> {
        let mut batch = self.journal.look()?;
        self.mind.bring_up(&batch)?;
        let through = batch.head().seq;
        let mut told = Told::default();
        for job in jobs {
            self.mind.one(&mut batch, job, &mut told)?;
        }
        Ok(self.mind.after_others(through, through, told))
    }

    fn try_batch(&mut self, jobs: Vec<Job>) -> Result<Told> {
        if self.mind.stand.is_none() {
            self.mind.bring_up(&self.journal)?;
        }
        let mut batch = self.journal.begin()?;
        self.mind.bring_up(&batch)?;
        let others = batch.head().seq;
        look_ahead(&mut batch, &jobs)?;
        self.mind.execute("BEGIN IMMEDIATE")?;
        let mut told = Told::default();
        let count = jobs.len();
        for job in jobs {
            self.mind.one(&mut batch, job, &mut told)?;
        }
        let head = batch.head();
        let stand = Stand { journal: head.journal.clone(), seq: head.seq, chain: head.chain };
        let moved = self.mind.stand.as_ref() != Some(&stand);
        if moved {
            self.mind.records.set_stand(&stand)?;
        }
        let began = Instant::now();
        batch.commit()?;
        signs::journal_committed(&self.mind.agency, count, began.elapsed());
        told.committed = stand.seq > others || told.events.iter().any(|event| matches!(event, Event::SignedOut(_)));
        let told = self.mind.after_others(others, stand.seq, told);
        self.mind.stand = Some(stand);
        if let Err(error) = self.mind.execute("COMMIT") {
            crate::sqlite::end_unless_durable(&error);
            // The journal holds it, so it is done; the next batch brings `records` up again.
            tracing::error!(error = format!("{error:#}"), agency = self.mind.agency, "Committing the records failed");
            let _ = self.mind.records.connection().execute_batch("ROLLBACK");
            self.mind.stand = None;
        }
        Ok(told)
    }
}

/// Asks at once whether what a batch decides about was decided before.
fn look_ahead(batch: &mut Batch<'_>, jobs: &[Job]) -> Result<()> {
    let (mut items, mut commands) = (Vec::new(), Vec::new());
    for job in jobs {
        match job {
            Job::Inbound { items: more, .. } => items.extend(more.iter().map(|item| item.key)),
            Job::Command { given, .. } => commands.push(given.id),
            Job::System { .. } | Job::Aside(_) | Job::Look { .. } => {}
        }
    }
    batch.look_ahead(&items, &commands)
}

impl Mind {
    fn execute(&self, sql: &str) -> Result<()> {
        let mut statement = self.records.connection().prepare_cached(sql).with_context(|| format!("Records: {sql}"))?;
        statement.execute([]).map(drop).with_context(|| format!("Records: {sql}"))
    }

    fn one(&mut self, batch: &mut Batch<'_>, job: Job, told: &mut Told) -> Result<()> {
        match job {
            Job::Inbound { cause, items, done } => {
                let mut reached = Ok(());
                for item in items {
                    reached = reached.and(self.item(batch, cause, item, told)?);
                }
                told.answers.push(answer(done, reached));
            }
            Job::Command { staff, given, done } => {
                if let Some(given) = self.command(batch, staff, given, told)? {
                    told.answers.push(answer(done, given));
                }
            }
            Job::System { ask, done } => {
                let decided = self.separately(batch, told, |mind, batch, told| {
                    let decided = mind.system(batch, &ask, None, told)?;
                    if let (Ok(_), SystemAsk::EndSending { outcome: SendOutcome::Accepted { wamid }, .. }) =
                        (&decided, &ask)
                    {
                        mind.adopt(batch, wamid, told)?;
                    }
                    Ok(decided)
                })?;
                if let Some(decided) = decided {
                    told.answers.push(answer(done, decided));
                }
            }
            Job::Look { done } => {
                self.find_signed_out(batch, told)?;
                told.answers.push(answer(done, ()));
            }
            Job::Aside(work) => {
                let done = self.separately(batch, told, |mind, batch, _| work(batch, &mind.records))?;
                told.answers.extend(done);
            }
        }
        Ok(())
    }

    /// Does one thing between savepoints. If it fails, it alone is undone and logged, and the rest goes on.
    fn separately<T>(
        &mut self,
        batch: &mut Batch<'_>,
        told: &mut Told,
        work: impl FnOnce(&mut Self, &mut Batch<'_>, &mut Told) -> Result<T>,
    ) -> Result<Option<T>> {
        let mark = batch.mark();
        self.execute("SAVEPOINT item")?;
        let (events, read) = (told.events.len(), told.read.len());
        match work(self, batch, told) {
            Ok(done) => {
                self.execute("RELEASE item")?;
                batch.keep(mark)?;
                Ok(Some(done))
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), agency = self.agency, "One item could not be decided");
                self.execute("ROLLBACK TO item")?;
                self.execute("RELEASE item")?;
                batch.undo(mark)?;
                told.events.truncate(events);
                told.read.truncate(read);
                Ok(None)
            }
        }
    }

    fn item(
        &mut self,
        batch: &mut Batch<'_>,
        cause: DeliveryId,
        item: Item,
        told: &mut Told,
    ) -> Result<Result<(), &'static str>> {
        let Item { key, ask } = item;
        let decided = self.separately(batch, told, |mind, batch, told| {
            if !batch.first_seen(&key, mind.clock.now())? {
                return Ok(Ok(()));
            }
            Ok(match (mind.system(batch, &ask, Some(cause.0), told)?, &ask) {
                (Ok(_), _) => Ok(()),
                // A status overtook the answer to our own POST, or is about a message that another program sent.
                (Err(refusal), SystemAsk::Report(report)) if refusal.code == Code::NotFound => {
                    if let Some(message) = report.message {
                        // It bears an id of ours: a backup was restored that is older than the reply.
                        signs::lost_reply(&mind.agency);
                        let agency = &mind.agency;
                        tracing::warn!(agency, %message, "WhatsApp reports on a reply that this journal does not have");
                    }
                    let hash = mind.key.seen(&mind.agency, &report.wamid);
                    orphans::keep(batch, &hash, report, mind.now(batch))?;
                    Ok(())
                }
                (Err(refusal), _) => {
                    tracing::error!(agency = mind.agency, code = refusal.code.as_str(), "An item was not taken in");
                    batch.unsee(&key);
                    Err("refused")
                }
            })
        })?;
        Ok(decided.unwrap_or(Err("failed")))
    }

    /// Statuses that came before the wamid they are about was known.
    fn adopt(&mut self, batch: &mut Batch<'_>, wamid: &str, told: &mut Told) -> Result<()> {
        let hash = self.key.seen(&self.agency, wamid);
        for report in orphans::take(batch, &hash, wamid)? {
            let _ = self.system(batch, &SystemAsk::Report(report), None, told)?;
        }
        Ok(())
    }

    fn system(
        &mut self,
        batch: &mut Batch<'_>,
        ask: &SystemAsk,
        cause: Option<Uuid>,
        told: &mut Told,
    ) -> Result<Decided> {
        // Whatever looked for what waits: the entry that permits the POST is not written.
        if matches!(ask, SystemAsk::BeginSending { .. }) && batch.sending_held()?.is_some() {
            return Ok(Err(Refusal::new(Code::Forbidden, "Sending is held until a person releases it")));
        }
        let facts = self.records.system_facts(ask)?;
        let context = Context { now: self.clock.now(), ids: &*self.ids };
        match decide_system(&facts, ask, cause, &context) {
            Ok(entries) => Ok(Ok(self.append_erasing(batch, entries, facts.erasure.as_ref(), told)?)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    fn command(
        &mut self,
        batch: &mut Batch<'_>,
        staff: StaffId,
        given: Given,
        told: &mut Told,
    ) -> Result<Option<Answer>> {
        let Given { id, hash, command } = given;
        let add_staff = matches!(&command, Ok(command) if matches!(command.ask, Ask::AddStaff { .. }));
        let reused = || Outcome::Refused(Refusal::new(Code::IdReused, "This id came before with another body"));
        let outcome = match (batch.answered(staff, id)?, command) {
            (Some((before, outcome)), _) if before == hash => Some(outcome),
            (Some(_), _) => Some(reused()),
            // What cannot be read was not decided: a later version may read it.
            (None, Err(refusal)) => Some(Outcome::Refused(refusal)),
            (None, Ok(_)) if batch.is_anothers(staff, id)? => Some(reused()),
            (None, Ok(command)) => self.separately(batch, told, |mind, batch, told| {
                let outcome = match mind.asked(batch, staff, &command, told)? {
                    Ok(seqs) => Outcome::Accepted(seqs),
                    Err(refusal) => Outcome::Refused(refusal),
                };
                batch.answer(staff, id, &hash, &outcome, mind.now(batch))?;
                Ok(outcome)
            })?,
        };
        let Some(outcome) = outcome else { return Ok(None) };
        let code = (add_staff && matches!(outcome, Outcome::Accepted(_))).then(|| self.key.code(&self.agency, id));
        Ok(Some(Answer { id, outcome, code }))
    }

    fn asked(&mut self, batch: &mut Batch<'_>, staff: StaffId, command: &Command, told: &mut Told) -> Result<Decided> {
        let mut facts = self.records.facts(staff, &command.ask)?;
        let now = self.clock.now();
        for media in command.ask.media().iter().take(MOST_MEDIA) {
            if uploads::is_own(batch, *media, staff, now)? {
                facts.media.push(*media);
            }
        }
        let entries = match decide(&facts, command, &Context { now, ids: &*self.ids }) {
            Ok(entries) => entries,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let (Ask::EraseContact { reason, .. }, Some(erasure)) = (&command.ask, &facts.erasure) {
            self.note_in_ledger(batch, erasure, reason, now)?;
        }
        let seqs = self.append_erasing(batch, entries, facts.erasure.as_ref(), told)?;
        match &command.ask {
            Ask::AddStaff { .. } => batch.give_code(StaffId(command.id.0), command.id, now + CODE_LIFE)?,
            Ask::ChangeStaff { staff, active: Some(false), .. } => {
                let tokens = batch.revoke_devices(*staff)?;
                told.events.push(Event::SignedOut(tokens.into()));
            }
            Ask::SeenUpTo { case, seq } => {
                if batch.seen_up_to(staff, *case, *seq)? {
                    told.events.push(Event::Seen(staff, Position { case: *case, seq: *seq }));
                }
                let read = facts.case.is_some_and(|facts| facts.owner == Some(staff) && facts.last_inbound <= *seq);
                if read && batch.sending_held()?.is_none() {
                    told.read.push(*case);
                }
            }
            _ => {}
        }
        Ok(Ok(seqs))
    }

    /// No later than it is committed, an erasure stands where no backup takes it back.
    fn note_in_ledger(&self, batch: &Batch<'_>, erasure: &ErasureFacts, reason: &str, now: Millis) -> Result<()> {
        let ledger = self.ledger.as_ref().context("There is no ledger of erasures here")?;
        let erased = Erased {
            agency: self.agency.clone(),
            contacts: erasure.contacts.clone(),
            reason: reason.to_owned(),
            at: now,
            traces: Traces { identifiers: vec![], ..self.traces(erasure)? },
        };
        ledger.note(batch, &erased)
    }

    /// What of a person lies outside of the journal. WhatsApp's ids and identifiers stand in it as hashes.
    fn traces(&self, erasure: &ErasureFacts) -> Result<Traces> {
        let hash = |text: &String| self.key.seen(&self.agency, text);
        let mut traces = Traces { media: self.records.media_of_alone(erasure.contact)?, ..Traces::default() };
        for case in &erasure.cases {
            traces.wamids.extend(self.records.wamids(*case)?.iter().map(hash));
        }
        for contact in &erasure.contacts {
            traces.identifiers.extend(self.records.identifiers_held(*contact)?.iter().map(hash));
        }
        Ok(traces)
    }

    /// Appends; where that erases somebody, what was written of them before goes with it.
    fn append_erasing(
        &mut self,
        batch: &mut Batch<'_>,
        entries: Vec<NewEntry>,
        erasure: Option<&ErasureFacts>,
        told: &mut Told,
    ) -> Result<Vec<Seq>> {
        // Before the rows go from which it is read.
        let traces = erasure.map(|erasure| self.traces(erasure)).transpose()?;
        let seqs = self.append(batch, entries, told)?;
        if let (Some(seq), Some(erasure), Some(traces)) = (seqs.first(), erasure, traces) {
            batch.erase(Erasing { seq: *seq, cases: erasure.cases.clone(), traces });
            told.erased = true;
        }
        Ok(seqs)
    }

    fn append(&mut self, batch: &mut Batch<'_>, entries: Vec<NewEntry>, told: &mut Told) -> Result<Vec<Seq>> {
        let now = self.now(batch);
        let mut appended = Vec::with_capacity(entries.len());
        for new in entries {
            let id = EntryId(self.ids.next(now));
            let entry = Entry::from_new(new, batch.head().seq + 1, id, now);
            batch.append(&entry)?;
            appended.push(self.apply(entry)?);
        }
        let seqs = appended.iter().map(|applied| applied.entry.seq).collect();
        self.publish(appended, batch.head().seq, told)?;
        Ok(seqs)
    }

    /// When an entry is written: by the gateway's clock, but never before the last one. What is decided goes by the clock
    /// alone: one that was ahead for a moment would close every window until time has come that far.
    fn now(&self, batch: &Batch<'_>) -> Millis {
        self.clock.now().max(batch.head().at)
    }
}

fn answer<T: Send + 'static>(done: oneshot::Sender<T>, value: T) -> Then {
    Box::new(move || {
        // Whoever asked may have gone; what was decided holds all the same.
        let _ = done.send(value);
        None
    })
}
