//! Decisions on accounts, the pack and lines.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Asked, Decision, pack};
use crate::{
    command::{Code, Refusal},
    entry::{Actor, CaseAssigned, Fact, LineChanged, NewEntry, PackChanged, Scope, StaffChanged, Subject},
    facts::Facts,
    ids::{LineId, StaffId, Team},
    pack::Pack,
    permission::{Act, may},
    words::Role,
};

pub(super) fn add(by: &Asked, username: &str, name: &str, roles: &[Role], teams: &[Team]) -> Decision {
    by.must(Act::Administer)?;
    if by.facts.staff.is_some() {
        return Err(Refusal::new(Code::Taken, "The username is taken"));
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    if username.is_empty() || username.len() > 64 || !username.chars().all(plain) {
        return Err(Refusal::new(Code::Invalid, "A username is made of a–z, 0–9, . - and _, at most 64"));
    }
    let staff = StaffId(by.command.id.0);
    let fact = StaffChanged {
        staff,
        username: username.to_owned(),
        name: named(name)?,
        roles: some(roles)?,
        teams: known(pack(by.facts)?, teams)?,
        active: true,
    };
    Ok(vec![by.entry(Scope::Agency, Subject::Staff(staff), fact)])
}

pub(super) fn change(
    by: &Asked,
    name: Option<&str>,
    roles: Option<&[Role]>,
    teams: Option<&[Team]>,
    active: Option<bool>,
) -> Decision {
    by.must(Act::Administer)?;
    let whose = by.facts.staff.as_ref().ok_or_else(|| Refusal::new(Code::NotFound, "There is no such account"))?;
    let before = &whose.viewer;
    let after = StaffChanged {
        staff: before.staff,
        username: whose.username.clone(),
        name: name.map_or_else(|| Ok(whose.name.clone()), named)?,
        roles: roles.map_or_else(|| Ok(before.roles.clone()), some)?,
        teams: teams.map_or_else(|| Ok(before.teams.clone()), |teams| known(pack(by.facts)?, teams))?,
        active: active.unwrap_or(before.active),
    };
    let own = before.staff == by.actor.viewer.staff;
    let more_to_see = may(&after.roles, Act::See) && !may(&before.roles, Act::See)
        || after.teams.iter().any(|team| !before.teams.contains(team));
    if own && more_to_see {
        return Err(Refusal::new(Code::Forbidden, "Nobody gives themself sight of more"));
    }
    // What they own and will not see any more goes back to its queue.
    let keeps = |team: &Team| after.active && may(&after.roles, Act::Answer) && after.teams.contains(team);
    let orphaned = by.facts.owned.iter().filter(|(_, team)| !keeps(team)).map(|(case, team)| {
        let fact = CaseAssigned { case: *case, team: team.clone(), staff: None };
        by.entry(Scope::Case(*case), Subject::Case(*case), fact)
    });
    let orphaned: Vec<NewEntry> = orphaned.collect();
    let changed = by.entry(Scope::Agency, Subject::Staff(before.staff), after);
    Ok(std::iter::once(changed).chain(orphaned).collect())
}

/// The agency's first account: lead and admin, in every team.
pub(super) fn add_first(facts: &Facts, staff: StaffId, username: &str, name: &str, cause: Option<Uuid>) -> Decision {
    if facts.staff.is_some() {
        return Err(Refusal::new(Code::Taken, "The username is taken"));
    }
    let teams = pack(facts)?.teams.iter().map(|team| team.slug.clone()).collect();
    let fact = StaffChanged {
        staff,
        username: username.to_owned(),
        name: named(name)?,
        roles: vec![Role::Lead, Role::Admin],
        teams,
        active: true,
    };
    Ok(vec![by_system(Subject::Staff(staff), cause, fact)])
}

/// Takes a pack into force, if it is another than the one that is.
pub(super) fn load_pack(facts: &Facts, content: &str, cause: Option<Uuid>) -> Decision {
    Pack::read(content).map_err(|error| Refusal::new(Code::Invalid, error.to_string()))?;
    let sha = HEXLOWER.encode(&Sha256::digest(content));
    if facts.pack_sha.as_ref() == Some(&sha) {
        return Ok(vec![]);
    }
    Ok(vec![by_system(Subject::Pack, cause, PackChanged { sha, content: content.to_owned() })])
}

pub(super) fn configure_line(facts: &Facts, line: &LineId, display_number: &str, cause: Option<Uuid>) -> Decision {
    if facts.display_number.as_deref() == Some(display_number) {
        return Ok(vec![]);
    }
    let fact = LineChanged { line: line.clone(), display_number: display_number.to_owned() };
    Ok(vec![by_system(Subject::Line(line.clone()), cause, fact)])
}

fn by_system(subject: Subject, cause: Option<Uuid>, fact: impl Into<Fact>) -> NewEntry {
    NewEntry { scope: Scope::Agency, subject, actor: Actor::System, cause, fact: fact.into() }
}

fn named(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    let fits = !name.is_empty() && name.chars().count() <= 120 && !name.chars().any(char::is_control);
    fits.then(|| name.to_owned()).ok_or_else(|| Refusal::new(Code::Invalid, "A name has 1 to 120 characters"))
}

fn some(roles: &[Role]) -> Result<Vec<Role>, Refusal> {
    let mut roles = roles.to_vec();
    roles.sort();
    roles.dedup();
    if roles.is_empty() { Err(Refusal::new(Code::Invalid, "An account needs a role")) } else { Ok(roles) }
}

fn known(pack: &Pack, teams: &[Team]) -> Result<Vec<Team>, Refusal> {
    match teams.iter().find(|team| pack.team(team).is_none()) {
        Some(team) => Err(Refusal::new(Code::Invalid, format!("The pack has no team {team:?}"))),
        None => {
            let mut teams = teams.to_vec();
            teams.sort();
            teams.dedup();
            Ok(teams)
        }
    }
}
