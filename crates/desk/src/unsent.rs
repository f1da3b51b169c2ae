//! Everything of a person's on this computer that has not reached the gateway, in one place: also what belongs to cases
//! that are out of sight by now, whose conversation nobody can open any more to find it.

use std::collections::BTreeSet;

use domain::{
    command::Ask,
    ids::{CaseId, ConversationId},
};
use fluent_bundle::FluentArgs;
use records::Records;

use crate::{
    acts,
    api::{About, CallError, Fate, LeaveAsNote, Mode, Nothing, PutBack, Queued, Unsent, UnsentAct, UnsentDraft},
    contact,
    database::Contents,
    failure::not_found,
    outbox::{self, Row, State},
    precious,
    seat::Seat,
    texts::Texts,
};

/// The list.
pub(crate) async fn list(seat: &Seat) -> anyhow::Result<Unsent> {
    let read = seat.precious.read(|precious| {
        let c = precious.connection();
        Ok((outbox::undone(c, None)?, precious::all_drafts(c)?))
    });
    let (rows, drafts) = read.await?;
    let list = seat.records.read(move |records| {
        let mut begun = BTreeSet::new();
        let mut acts = Vec::with_capacity(rows.len());
        for row in rows {
            let first = begun.insert(row.conversation) || row.state != State::Waiting;
            acts.push(UnsentAct {
                id: row.id,
                text: text_of(&row)?,
                written_at: row.written_at,
                fate: fate(&row, first),
                only_here: row.is_only_here(),
                problem: row.problem(),
                about: about(records, row.conversation, Some(row.case))?,
                kind: row.kind,
            });
        }
        let drafts = drafts.into_iter().map(|(conversation, mode, text)| {
            Ok(UnsentDraft { conversation, mode, text, about: about(records, conversation, None)? })
        });
        Ok(Unsent { acts, drafts: drafts.collect::<anyhow::Result<_>>()? })
    });
    list.await
}

fn fate(row: &Row, first: bool) -> Fate {
    match row.state {
        _ if row.problem().is_some() => Fate::Stuck,
        State::Accepted => Fate::Taken,
        State::Waiting | State::Stuck if first => Fate::Next,
        State::Waiting | State::Stuck => Fate::After,
    }
}

fn text_of(row: &Row) -> anyhow::Result<Option<String>> {
    Ok(match row.ask()? {
        Ask::Reply { text, .. } | Ask::AddNote { text, .. } => Some(text),
        _ => None,
    })
}

/// Where something stands, as far as the person may see it now.
fn about(records: &mut Records, conversation: ConversationId, case: Option<CaseId>) -> anyhow::Result<Option<About>> {
    let Some(row) = records.row(conversation)? else { return Ok(None) };
    let Some(case) = records.case(case.unwrap_or(row.case))? else { return Ok(None) };
    Ok(Some(About { conversation, contact: contact::of(records, row.contact)?, number: case.number }))
}

/// Puts back what was dropped a moment ago.
pub(crate) async fn put_back(seat: &Seat, PutBack { id }: PutBack) -> Result<Nothing, CallError> {
    let row = seat.dropped().take(id).ok_or_else(|| not_found("dropped command"))?;
    seat.precious.write(move |precious| outbox::put_back(precious.connection(), &row)).await?;
    acts::outbox_changed(seat);
    Ok(Nothing {})
}

/// Makes a draft an internal note on its case, for colleagues.
pub(crate) async fn leave_as_note(seat: &Seat, request: LeaveAsNote) -> Result<Queued, CallError> {
    let LeaveAsNote { conversation, mode } = request;
    let drafts = seat.precious.read(move |precious| precious::drafts(precious.connection(), conversation)).await?;
    let draft = match mode {
        Mode::Reply => drafts.reply,
        Mode::Note => drafts.note,
    };
    let row = seat.records.read(move |records| Ok(records.row(conversation)?)).await?;
    let case = row.map(|row| row.case).ok_or_else(|| not_found("conversation in sight"))?;
    if draft.is_empty() {
        return Err(not_found("draft"));
    }
    let text = match mode {
        Mode::Reply => headed(seat, "note-of-draft", &draft),
        Mode::Note => draft,
    };
    acts::leave_note(seat, conversation, case, text, mode).await
}

/// Makes notes of replies that have not gone and cannot be at the gateway already: whoever answers next finds them.
pub(crate) async fn hand_over(seat: &Seat) -> anyhow::Result<()> {
    let rows = seat.precious.read(|precious| outbox::undone(precious.connection(), None)).await?;
    let mut notes = Vec::new();
    for row in rows.into_iter().filter(|row| row.kind == "reply") {
        let case = row.case;
        // What is out of sight takes no notes: it stays as it is, and is shown when its writer is back.
        let in_sight = seat.records.read(move |records| Ok(records.case(case)?.is_some())).await?;
        let Ask::Reply { text, .. } = row.ask()? else { continue };
        if in_sight {
            notes.push((row, seat.new_id(), headed(seat, "note-of-reply", &text)));
        }
    }
    let now = seat.now();
    let turn = move |precious: &mut precious::Precious| {
        let c = precious.connection();
        for (row, id, text) in notes {
            if outbox::take_out(c, row.id)?.is_some() {
                let ask = Ask::AddNote { case: row.case, text, media: vec![] };
                outbox::put(c, id, row.conversation, row.case, ask, now)?;
            }
        }
        Ok(())
    };
    seat.precious.write(turn).await
}

/// A text under a heading that says what it was; alone where both together are more than a note may hold.
fn headed(seat: &Seat, heading: &str, text: &str) -> String {
    let heading = Texts::of(seat.hub.settings().language).say(heading, &FluentArgs::new());
    let whole = format!("{heading}\n{text}");
    if whole.chars().count() > acts::LONGEST { text.to_owned() } else { whole }
}
