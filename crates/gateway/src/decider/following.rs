//! Whatever `records` takes up is told to this process's desks, once and in order, whether it was decided here or in
//! another process: `published` says how far. So it does not matter who learns of an entry by which way.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use domain::{
    chain::START,
    entry::{CaseChanged, Entry, Fact, MessageReceived, Scope, StaffChanged},
    ids::{CaseId, Millis, Seq},
    visibility::{Audience, Viewer},
    words::CaseState,
};
use records::{Stand, thread::Case};

use super::{Mind, Told};
use crate::{
    journal::{Batch, Trail},
    live::{Event, Published},
    sync::HORIZON,
};

/// Entries applied in one transaction while `records` catches up.
const CATCH_UP: u32 = 2000;
/// So many entries of others are told to desks one by one; beyond that they are sent to catch up.
const MOST_TOLD: usize = 1000;

/// Entries that others wrote, until all of them are in `records` and it can be said who sees them.
#[derive(Default)]
pub(super) struct Unpublished {
    applied: Vec<Applied>,
    /// There were too many, or what desks were told before is in no journal any more.
    lost: bool,
}

/// An entry that is in `records`, and what only the rows before it knew.
pub(super) struct Applied {
    pub(super) entry: Entry,
    /// Who saw its case before it.
    before: Option<Audience>,
    /// Whether desks may lack what came before in its case.
    back_from_afar: bool,
    /// Whether it is of a kind that this version does not know.
    unknown: bool,
}

impl Unpublished {
    fn take_up(&mut self, news: Vec<Applied>) {
        self.lost |= self.applied.len() + news.len() > MOST_TOLD;
        if self.lost {
            self.applied.clear();
        } else {
            self.applied.extend(news);
        }
    }
}

impl Mind {
    pub(super) fn bring_up(&mut self, journal: &impl Trail) -> Result<()> {
        let head = journal.last()?;
        let mut stand = match self.stand.take() {
            Some(stand) => stand,
            None => self.records.stand()?,
        };
        let fits = stand.journal == head.journal
            && stand.seq <= head.seq
            && (stand.seq == 0 || journal.chain_at(stand.seq)? == Some(stand.chain));
        if !fits {
            self.unpublished.lost |= self.published.is_some_and(|seq| seq > 0);
            if stand.seq > 0 {
                tracing::warn!(agency = self.agency, "The records do not fit the journal and are built anew");
            }
            self.execute("BEGIN IMMEDIATE")?;
            self.records.wipe()?;
            stand = Stand { journal: head.journal.clone(), seq: 0, chain: START };
            self.records.set_stand(&stand)?;
            self.execute("COMMIT")?;
        }
        while stand.seq < head.seq {
            self.execute("BEGIN IMMEDIATE")?;
            let caught_up = self.apply_after(journal, &mut stand);
            self.execute(if caught_up.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
            self.unpublished.take_up(caught_up?);
        }
        if self.published.is_none() {
            self.published = Some(stand.seq);
            self.signed_out = journal.last_signed_out()?;
        }
        self.stand = Some(stand);
        Ok(())
    }

    /// Applies some entries; returns those of which desks do not know.
    fn apply_after(&mut self, journal: &impl Trail, stand: &mut Stand) -> Result<Vec<Applied>> {
        let entries = journal.entries_after(stand.seq, CATCH_UP)?;
        let Some(last) = entries.last().map(|last| last.seq) else {
            bail!("The journal has no entry after {}", stand.seq)
        };
        let mut news = Vec::new();
        for entry in entries {
            let applied = self.apply(entry)?;
            if applied.unknown {
                let Entry { seq, fact, .. } = applied.entry;
                // Deciding without knowing what that entry says could contradict it.
                bail!("Entry {seq} is of the kind {}, which this version does not know", fact.kind());
            }
            if self.published.is_some_and(|published| applied.entry.seq > published) {
                news.push(applied);
            }
        }
        stand.seq = last;
        stand.chain = journal.chain_at(last)?.context("The last entry is gone")?;
        self.records.set_stand(stand)?;
        Ok(news)
    }

    pub(super) fn apply(&mut self, entry: Entry) -> Result<Applied> {
        let before = match &entry.fact {
            Fact::CaseAssigned(body) => self.records.audience_at(body.case, entry.seq - 1)?,
            _ => None,
        };
        // Desks were not given what was closed long ago: the stream alone would show them a case without a past.
        let back_from_afar = match &entry.fact {
            Fact::CaseChanged(CaseChanged { case, state: Some(CaseState::Open), .. })
            | Fact::MessageReceived(MessageReceived { case, .. }) => self.at_rest_since(*case)?,
            _ => None,
        };
        let back_from_afar = back_from_afar.is_some_and(|closed_at| entry.at - closed_at > HORIZON);
        let applied = self.records.apply(&entry).with_context(|| format!("Applying entry {}", entry.seq))?;
        Ok(Applied { entry, before, back_from_afar, unknown: applied.unknown })
    }

    /// Tells what others wrote up to one place, and then what was decided here up to another.
    pub(super) fn after_others(&mut self, others: Seq, through: Seq, mut told: Told) -> Told {
        let Unpublished { applied, lost } = std::mem::take(&mut self.unpublished);
        let mut before = Told::default();
        let published = if lost { None } else { self.publish(applied, others, &mut before).ok() };
        if published.is_none() {
            before = Told { events: vec![Event::Missed(others)], wake_sender: true, ..Told::default() };
        }
        self.published = Some(through);
        before.events.append(&mut told.events);
        Told { events: before.events, wake_sender: told.wake_sender || before.wake_sender, ..told }
    }

    /// Devices that were signed out, here or elsewhere.
    pub(super) fn find_signed_out(&mut self, batch: &Batch<'_>, told: &mut Told) -> Result<()> {
        let (tokens, last) = batch.signed_out_after(self.signed_out)?;
        if !tokens.is_empty() {
            told.events.push(Event::SignedOut(tokens.into()));
        }
        self.signed_out = last;
        Ok(())
    }

    /// Tells of entries. What one decision brings is seen by whoever sees the case after all of it: a contact is written
    /// before the case that they open. So `through` is where a decision ends, and not within one.
    pub(super) fn publish(&self, applied: Vec<Applied>, through: Seq, told: &mut Told) -> Result<()> {
        for Applied { entry, before, back_from_afar, .. } in applied {
            told.wake_sender |= matches!(entry.fact, Fact::MessageQueued(_) | Fact::MessageStatusChanged(_));
            let audience = match entry.scope {
                Scope::Case(case) => self.records.audience_at(case, through)?,
                Scope::Agency | Scope::Staff(_) => None,
            };
            let mut published = Published::new(&entry, audience)?;
            published.before = before.filter(|before| Some(before) != published.audience.as_ref());
            published.back_from_afar = back_from_afar;
            published.viewer = match entry.fact {
                Fact::StaffChanged(body) => {
                    let StaffChanged { staff, roles, teams, active, .. } = body;
                    Some(Viewer { staff, roles, teams, active })
                }
                _ => None,
            };
            told.events.push(Event::Entry(Arc::new(published)));
        }
        Ok(())
    }

    /// Since when a case is closed and nobody waits in it.
    fn at_rest_since(&self, case: CaseId) -> Result<Option<Millis>> {
        Ok(self.records.case(case)?.filter(Case::is_at_rest).and_then(|case| case.closed_at))
    }
}
