//! Decisions on cases: notes, owners, teams, ends.

use super::{Asked, Decision, pack, text};
use crate::{
    command::{Code, Refusal},
    entry::{CaseAssigned, CaseChanged, CaseClosed, Fact, NewEntry, NoteAdded, Scope, Subject},
    facts::CaseFacts,
    ids::{MediaId, NoteId, StaffId},
    permission::{Act, may},
    words::CaseState,
};

pub(super) fn note(by: &Asked, words: &str, media: &[MediaId]) -> Decision {
    let case = by.case(Act::Answer)?;
    let note = NoteId(by.command.id.0);
    let fact = NoteAdded { note, case: case.id, text: text(words)?, media: by.media(media)? };
    Ok(vec![by.entry(Scope::Case(case.id), Subject::Note(note), fact)])
}

pub(super) fn claim(by: &Asked) -> Decision {
    let case = open(by, Act::Answer)?;
    match case.owner {
        Some(owner) if owner == by.actor.viewer.staff => Ok(vec![]),
        Some(owner) => Err(owned(owner)),
        None => Ok(vec![assigned(by, case, &case.audience.team, Some(by.actor.viewer.staff))]),
    }
}

pub(super) fn assign(by: &Asked) -> Decision {
    let case = open(by, Act::Assign)?;
    let fits = |staff: &&crate::facts::StaffFacts| {
        let viewer = &staff.viewer;
        viewer.active && may(&viewer.roles, Act::Answer) && viewer.teams.contains(&case.audience.team)
    };
    let staff = by.facts.staff.as_ref().filter(fits);
    let staff = staff.ok_or_else(|| Refusal::new(Code::Invalid, "This person does not answer in the case's team"))?;
    if case.owner == Some(staff.viewer.staff) {
        return Ok(vec![]);
    }
    Ok(vec![assigned(by, case, &case.audience.team, Some(staff.viewer.staff))])
}

pub(super) fn release(by: &Asked) -> Decision {
    let case = open(by, Act::Answer)?;
    mine_to_end(by, case)?;
    Ok(case.owner.map(|_| assigned(by, case, &case.audience.team, None)).into_iter().collect())
}

pub(super) fn transfer(by: &Asked, team: &str) -> Decision {
    let case = open(by, Act::Assign)?;
    if pack(by.facts)?.team(team).is_none() {
        return Err(Refusal::new(Code::Invalid, format!("The pack has no team {team:?}")));
    }
    Ok(if case.audience.team == team { vec![] } else { vec![assigned(by, case, team, None)] })
}

/// Ends a case. A closed one into which the citizen wrote again is left as it is by closing it once more.
pub(super) fn close(by: &Asked, outcome: &str) -> Decision {
    let case = by.case(Act::Answer)?;
    let wrote_again = case.last_inbound > case.closed_seq.max(case.last_reply);
    if case.state == CaseState::Closed && !wrote_again {
        return Err(Refusal::new(Code::Closed, "The case is closed"));
    }
    mine_to_end(by, case)?;
    if pack(by.facts)?.outcome(outcome).is_none() {
        return Err(Refusal::new(Code::Invalid, format!("The pack has no outcome {outcome:?}")));
    }
    Ok(vec![about(by, case, CaseClosed { case: case.id, outcome: outcome.to_owned() })])
}

pub(super) fn reopen(by: &Asked) -> Decision {
    let case = by.case(Act::Answer)?;
    if case.state == CaseState::Open {
        return Err(Refusal::new(Code::NotClosed, "The case is open already"));
    }
    Ok(vec![about(by, case, CaseChanged { case: case.id, state: Some(CaseState::Open), kind: None })])
}

fn open<'a>(by: &Asked<'a>, act: Act) -> Result<&'a CaseFacts, Refusal> {
    let case = by.case(act)?;
    match case.state {
        CaseState::Open => Ok(case),
        CaseState::Closed => Err(Refusal::new(Code::Closed, "The case is closed")),
    }
}

/// Another person's case is ended or given back by its owner or by a lead.
fn mine_to_end(by: &Asked, case: &CaseFacts) -> Result<(), Refusal> {
    match case.owner {
        Some(owner) if owner != by.actor.viewer.staff && !by.may(Act::Assign) => Err(owned(owner)),
        _ => Ok(()),
    }
}

fn owned(owner: StaffId) -> Refusal {
    let details = serde_json::json!({ "owner": owner });
    Refusal { details, ..Refusal::new(Code::Owned, "Another person owns the case") }
}

fn assigned(by: &Asked, case: &CaseFacts, team: &str, staff: Option<StaffId>) -> NewEntry {
    about(by, case, CaseAssigned { case: case.id, team: team.to_owned(), staff })
}

fn about(by: &Asked, case: &CaseFacts, fact: impl Into<Fact>) -> NewEntry {
    by.entry(Scope::Case(case.id), Subject::Case(case.id), fact)
}
