//! Catch-up: what a person may see of the journal, from where their desk stands to where `records` stands.
//!
//! `GET /api/v1/sync` and the beginning of `/api/v1/live` are this one implementation. Sight is judged at the end of the
//! stretch (`through`), once for all of it: cases lost since the cursor are forgotten, cases gained are sent whole, and
//! the entries since follow with what is visible now. It goes in small steps, each of which reads some entries and
//! forgets them, so memory does not grow with the history, and no read transaction is held open for a slow client.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use anyhow::{Context, Result};
use axum::{
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use data_encoding::HEXLOWER;
use domain::{
    chain::{self, Hash},
    entry::{CaseChanged, Entry, Fact, Scope},
    ids::{CaseId, Millis, Seq, StaffId},
    visibility::Viewer,
    wire::{CaseRef, Cursor, Forget, Gained, Line, Linked, THROUGH_HEADER, Witness},
    words::CaseState,
};
use futures_util::stream;
use records::thread::Case;
use serde::Deserialize;

use crate::{
    agency::{Agency, Reader},
    failure::Failure,
    gateway::Gateway,
    requests::Signed,
};

/// A first sync brings open cases, and those closed within this time.
pub const HORIZON: Millis = 90 * 24 * 3_600_000;
/// Entries read in one step: as many desks as come at once hold so many each.
const STEP: u32 = 64;
/// Cases whose visibility is remembered within one catch-up.
const REMEMBERED: usize = 20_000;
const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// `?after=`.
#[derive(Debug, Deserialize)]
pub struct After {
    /// A cursor's token, or a seq.
    pub after: Option<String>,
}

/// Where a client stands, as its token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The journal.
    pub journal: String,
    /// The last seq, whether seen or not.
    pub seq: Seq,
    /// The last entry that this client was meant to see.
    pub prev: Seq,
    /// The chain after `seq`.
    pub chain: Hash,
    /// Within a first sync: cases closed before this are left out. 0 afterwards.
    pub horizon: Millis,
}

impl Place {
    /// The cursor for it.
    pub fn cursor(&self, now: Millis) -> Cursor {
        let chain = HEXLOWER.encode(self.chain.first_chunk::<8>().unwrap_or(&[0; 8]));
        let token = format!("{}.{chain}.{}.{}.{}", self.journal, self.seq, self.prev, self.horizon);
        Cursor { token, seq: self.seq, journal: self.journal.clone(), now, witness: None }
    }

    fn read(token: &str) -> Option<(String, String, Seq, Seq, Millis)> {
        let mut parts = token.split('.');
        let mut next = || parts.next();
        let place = (
            next()?.to_owned(),
            next()?.to_owned(),
            next()?.parse().ok()?,
            next()?.parse().ok()?,
            next()?.parse().ok()?,
        );
        parts.next().is_none().then_some(place)
    }
}

/// One catch-up, step by step.
pub struct Catch {
    viewer: Viewer,
    place: Place,
    through: Seq,
    lost: VecDeque<CaseId>,
    gained: VecDeque<CaseId>,
    /// The case that is being sent whole, and how far.
    inside: Option<(CaseId, Seq)>,
    /// Cases sent whole: their entries do not come again.
    whole: HashSet<CaseId>,
    shown: HashMap<CaseId, bool>,
    /// At which head, or after, the person's positions moved that are still to be given, and after which case.
    positions: Option<(Seq, String)>,
    /// Whether it begins at the beginning: then nothing was left out before it.
    fresh: bool,
    /// Cases of which it is known that they did not come back from afar, until they are closed.
    near: HashSet<CaseId>,
    now: Millis,
    finished: bool,
}

impl Catch {
    /// Looks where a client stands and what it lacks. The inner error is the client's.
    pub fn plan(
        reader: &mut Reader,
        staff: StaffId,
        after: Option<&str>,
        now: Millis,
    ) -> Result<Result<Self, Failure>> {
        let stand = reader.records.stand()?;
        let through = stand.seq;
        let fresh = Place {
            journal: stand.journal.clone(),
            seq: 0,
            prev: 0,
            chain: chain::START,
            horizon: (now - HORIZON).max(1),
        };
        let gone = || Failure::cursor_gone("The cursor does not belong to this journal: start afresh");
        let place = match after.unwrap_or("0") {
            "0" | "" => fresh,
            plain if plain.bytes().all(|byte| byte.is_ascii_digit()) => {
                let Ok(seq) = plain.parse::<Seq>() else { return Ok(Err(gone())) };
                Place { seq, prev: seq, horizon: 0, ..fresh }
            }
            token => {
                let Some((journal, prefix, seq, prev, horizon)) = Place::read(token) else {
                    return Ok(Err(Failure::bad_request("after is neither a cursor's token nor a seq")));
                };
                let known = reader.journal.chain_at(seq)?;
                let fits =
                    known.is_some_and(|chain| HEXLOWER.encode(&chain).starts_with(&prefix)) && prefix.len() == 16;
                if journal != stand.journal || !fits {
                    return Ok(Err(gone()));
                }
                Place { seq, prev, horizon, ..fresh }
            }
        };
        if place.seq > reader.journal.head()?.seq {
            return Ok(Err(gone()));
        }
        // A cursor from live may be a moment ahead of what this reader sees of `records`.
        let through = through.max(place.seq);
        let change = reader.records.sight_change(staff, place.seq, through)?;
        let viewer = reader.records.viewer_at(staff, through)?;
        let mut gained = VecDeque::new();
        for case in change.gained {
            if closed_at(reader, case)?.is_none_or(|at| at >= now - HORIZON) {
                gained.push_back(case);
            }
        }
        Ok(Ok(Self {
            viewer,
            fresh: place.seq == 0,
            positions: Some((if place.horizon > 0 { 0 } else { place.seq }, String::new())),
            near: HashSet::new(),
            place,
            through,
            lost: change.lost.into(),
            whole: gained.iter().copied().collect(),
            gained,
            inside: None,
            shown: HashMap::new(),
            now,
            finished: false,
        }))
    }

    /// Whether it begins with cases lost or gained.
    pub fn changes_sight(&self) -> bool {
        !self.lost.is_empty() || !self.gained.is_empty()
    }

    /// Who catches up, as they are at its end.
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Where the client stands after what was given so far.
    pub fn place(&self) -> Place {
        self.place.clone()
    }

    /// Up to which seq it goes.
    pub fn through(&self) -> Seq {
        self.through
    }

    /// Whether the last line was given.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// The next lines, and the rest.
    pub fn next(mut self, reader: &mut Reader) -> Result<(Vec<String>, Self)> {
        let mut lines = Vec::new();
        self.step(reader, &mut lines)?;
        let lines = lines.iter().map(serde_json::to_string).collect::<Result<_, _>>().context("Writing lines")?;
        Ok((lines, self))
    }

    fn step(&mut self, reader: &mut Reader, lines: &mut Vec<Line>) -> Result<()> {
        if !self.lost.is_empty() {
            lines.extend(self.lost.drain(..).map(|case| Line::Forget(Forget::Case(case))));
            return Ok(());
        }
        if self.inside.is_none()
            && let Some(case) = self.gained.pop_front()
        {
            lines.push(Line::Case(Gained { id: case, through: self.through }));
            self.inside = Some((case, 0));
        }
        if let Some((case, seq)) = self.inside.take() {
            return self.step_inside(reader, case, seq, lines);
        }
        let entries = reader.journal.entries_after(self.place.seq, STEP)?;
        let full = entries.len() == STEP as usize;
        for entry in entries {
            if entry.seq > self.through {
                break;
            }
            let seq = entry.seq;
            if let Some(case) = self.back_from_afar(reader, &entry)? {
                self.whole.insert(case);
                self.gained.push_back(case);
            } else if self.shows(reader, &entry)? {
                lines.push(Line::Entry(Box::new(Linked { prev: self.place.prev, entry })));
                self.place.prev = seq;
            }
            self.place.seq = seq;
            if !self.gained.is_empty() {
                return Ok(());
            }
        }
        if full && self.place.seq < self.through {
            if self.whole.is_empty() {
                self.cursor(reader, lines, None)?;
            }
            return Ok(());
        }
        if let Some((head, after)) = self.positions.take() {
            return self.step_positions(reader, head, &after, lines);
        }
        self.place.seq = self.through;
        self.place.horizon = 0;
        self.cursor(reader, lines, reader.journal.signed_head()?.map(|(_, witness)| witness))?;
        self.finished = true;
        Ok(())
    }

    fn step_inside(&mut self, reader: &mut Reader, case: CaseId, seq: Seq, lines: &mut Vec<Line>) -> Result<()> {
        let entries = reader.journal.case_after(case, seq, STEP)?;
        let mut last = seq;
        for entry in entries.into_iter().take_while(|entry| entry.seq <= self.through) {
            let prev = std::mem::replace(&mut last, entry.seq);
            if is_erased(&entry) {
                continue;
            }
            lines.push(Line::Entry(Box::new(Linked { prev, entry })));
        }
        if last == seq {
            lines.push(Line::CaseEnd(CaseRef { id: case }));
            // It may have moved long before the case came into sight.
            lines.extend(reader.journal.position(self.viewer.staff, case)?.map(Line::Position));
        } else {
            self.inside = Some((case, last));
        }
        Ok(())
    }

    /// Up to where this person has seen the cases that they are given, on whichever desk.
    fn step_positions(&mut self, reader: &Reader, head: Seq, after: &str, lines: &mut Vec<Line>) -> Result<()> {
        let found = reader.journal.positions(self.viewer.staff, head, after, STEP)?;
        if let Some(last) = found.last().filter(|_| found.len() == STEP as usize) {
            self.positions = Some((head, last.case.to_string()));
        }
        for position in found {
            if reader.records.sees(&self.viewer, &Scope::Case(position.case), self.through)?
                && (self.place.horizon == 0 || self.is_recent(reader, position.case)?)
            {
                lines.push(Line::Position(position));
            }
        }
        Ok(())
    }

    /// Whether a first sync brings this case.
    fn is_recent(&self, reader: &Reader, case: CaseId) -> Result<bool> {
        Ok(closed_at(reader, case)?.is_none_or(|at| at >= self.place.horizon))
    }

    fn cursor(&mut self, reader: &Reader, lines: &mut Vec<Line>, witness: Option<Witness>) -> Result<()> {
        self.place.chain =
            reader.journal.chain_at(self.place.seq)?.context("The journal is shorter than its records")?;
        lines.push(Line::Cursor(Cursor { witness: witness.map(Box::new), ..self.place.cursor(self.now) }));
        Ok(())
    }

    /// Whether an entry is this person's to see, and no part of what they were given whole or are not given at first.
    fn shows(&mut self, reader: &Reader, entry: &Entry) -> Result<bool> {
        if is_erased(entry) {
            return Ok(false);
        }
        let Scope::Case(case) = entry.scope else {
            return Ok(reader.records.sees(&self.viewer, &entry.scope, self.through)?);
        };
        if self.whole.contains(&case) {
            return Ok(false);
        }
        if let Some(shown) = self.shown.get(&case) {
            return Ok(*shown);
        }
        let mut shown = reader.records.sees(&self.viewer, &entry.scope, self.through)?;
        if shown && self.place.horizon > 0 {
            shown = self.is_recent(reader, case)?;
        }
        if self.shown.len() >= REMEMBERED {
            self.shown.clear();
        }
        self.shown.insert(case, shown);
        Ok(shown)
    }

    /// A case that needs somebody again after so long that this client may never have been given it.
    fn back_from_afar(&mut self, reader: &Reader, entry: &Entry) -> Result<Option<CaseId>> {
        let Scope::Case(case) = entry.scope else { return Ok(None) };
        let back = match &entry.fact {
            Fact::CaseChanged(CaseChanged { state: Some(CaseState::Open), .. }) => true,
            // What opens no case goes into the last one, however long ago that was closed.
            Fact::MessageReceived(_) => true,
            Fact::CaseClosed(_) => {
                self.near.remove(&case);
                false
            }
            _ => false,
        };
        if !back
            || self.fresh
            || self.whole.contains(&case)
            || self.near.contains(&case)
            || !self.shows(reader, entry)?
        {
            return Ok(None);
        }
        let old = reader.records.case(case)?.is_some_and(|found| entry.at - found.opened_at > HORIZON);
        if old && from_afar(&reader.journal.case_before(case, entry.seq, STEP)?, entry.at) {
            return Ok(Some(case));
        }
        self.near.insert(case);
        Ok(None)
    }
}

/// Whether what an entry said was erased: it is handed to nobody.
fn is_erased(entry: &Entry) -> bool {
    matches!(entry.fact, Fact::Erased { .. })
}

/// Whether a case was closed so long before `at` that a client may not have been given it, and nothing brought it back
/// since.
fn from_afar(before: &[Entry], at: Millis) -> bool {
    let last = before.iter().rev().find_map(|entry| match &entry.fact {
        Fact::CaseClosed(_) => Some(at - entry.at > HORIZON),
        Fact::MessageReceived(_) | Fact::CaseOpened(_) => Some(false),
        Fact::CaseChanged(CaseChanged { state: Some(CaseState::Open), .. }) => Some(false),
        _ => None,
    });
    last.unwrap_or(false)
}

/// When a case was closed, if it is, and nobody waits in it.
fn closed_at(reader: &Reader, case: CaseId) -> Result<Option<Millis>> {
    Ok(reader.records.case(case)?.filter(Case::is_at_rest).and_then(|case| case.closed_at))
}

/// Sees to it that `records` is not behind where a client stands: its cursor may come from another process.
pub async fn reach(agency: &Arc<Agency>, after: Option<&str>) -> Result<(), Failure> {
    if !agency.others.are_there() {
        return Ok(());
    }
    let Some(after) = after else { return Ok(()) };
    let seq = Place::read(after).map_or_else(|| after.parse().ok(), |(_, _, seq, ..)| Some(seq));
    let stand = agency.read(|reader| Ok(reader.records.stand()?.seq)).await?;
    if seq.is_some_and(|seq| seq > stand) { agency.look().await } else { Ok(()) }
}

/// `GET /api/v1/sync?after=SEQ|TOKEN`.
pub async fn sync(
    State(gateway): State<Arc<Gateway>>,
    signed: Signed,
    Query(query): Query<After>,
) -> Result<Response, Failure> {
    let (staff, now) = (signed.staff, gateway.clock.now());
    let agency = signed.agency;
    reach(&agency, query.after.as_deref()).await?;
    let catch = agency.read(move |reader| Catch::plan(reader, staff, query.after.as_deref(), now)).await??;
    let through = [(THROUGH_HEADER, catch.through().to_string())];
    let lines = stream::unfold((agency, Some(catch)), |(agency, catch)| async move {
        let catch = catch.filter(|catch| !catch.finished())?;
        match agency.read(move |reader| catch.next(reader)).await {
            Ok((lines, catch)) => Some((Ok(joined(lines)), (agency, Some(catch)))),
            // The status is sent already: break off, and the client resumes from its last cursor.
            Err(_) => Some((Err(std::io::Error::other("Reading the journal failed")), (agency, None))),
        }
    });
    Ok(([(header::CONTENT_TYPE, NDJSON)], through, Body::from_stream(lines)).into_response())
}

/// `?before=&limit=`.
#[derive(Debug, Deserialize)]
pub struct Before {
    before: Option<Seq>,
    limit: Option<u32>,
}

/// `GET /api/v1/cases/{id}/entries?before=SEQ&limit=N`: older history, oldest first.
pub async fn case_entries(
    signed: Signed,
    Path(case): Path<String>,
    Query(query): Query<Before>,
) -> Result<Response, Failure> {
    let nothing = || Failure::not_found("There is no such case");
    let case: CaseId = case.parse().map_err(|_| nothing())?;
    let before = query.before.unwrap_or(Seq::MAX);
    let limit = query.limit.unwrap_or(200).clamp(1, 1000);
    let staff = signed.staff;
    let lines = signed
        .agency
        .read(move |reader| {
            let through = reader.records.stand()?.seq;
            let viewer = reader.records.viewer_at(staff, through)?;
            if !reader.records.sees(&viewer, &Scope::Case(case), through)? {
                return Ok(None);
            }
            let mut entries = reader.journal.case_before(case, before.min(through.saturating_add(1)), limit + 1)?;
            // One more than asked for, so that the first line's `prev` is true.
            let mut prev = 0;
            if entries.len() > limit as usize {
                prev = entries.remove(0).seq;
            }
            let lines = entries.into_iter().filter(|entry| !is_erased(entry)).map(|entry| {
                let prev = std::mem::replace(&mut prev, entry.seq);
                serde_json::to_string(&Line::Entry(Box::new(Linked { prev, entry }))).context("Writing a line")
            });
            lines.collect::<Result<Vec<_>>>().map(Some)
        })
        .await?
        .ok_or_else(nothing)?;
    Ok(([(header::CONTENT_TYPE, NDJSON)], joined(lines)).into_response())
}

fn joined(lines: Vec<String>) -> Bytes {
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text.into()
}
