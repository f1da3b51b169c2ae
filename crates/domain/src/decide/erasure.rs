//! Erasing a person.

use super::{Asked, Decision};
use crate::{
    command::{Code, Refusal},
    entry::{Actor, ContactErased, NewEntry, Scope, Subject},
    erasure::mark,
    facts::{ErasureFacts, Facts},
    permission::Act,
};

/// A reason is a reference, not a story.
const LONGEST_REASON: usize = 200;

pub(super) fn erase(by: &Asked, reason: &str) -> Decision {
    by.must(Act::Erase)?;
    let erasure = by.facts.erasure.as_ref();
    let erasure = erasure.ok_or_else(|| Refusal::new(Code::NotFound, "There is no such contact"))?;
    if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
        return Err(Refusal::new(Code::Invalid, format!("A reason has 1 to {LONGEST_REASON} characters")));
    }
    Ok(vec![by.entry(Scope::Agency, Subject::Contact(erasure.contact), erased(by.facts, erasure, reason))])
}

/// Of whom nothing is there, nothing has to go.
pub(super) fn erase_again(facts: &Facts, reason: &str) -> Decision {
    let entry = |erasure: &ErasureFacts| NewEntry {
        scope: Scope::Agency,
        subject: Subject::Contact(erasure.contact),
        actor: Actor::System,
        cause: None,
        fact: erased(facts, erasure, reason).into(),
    };
    Ok(facts.erasure.as_ref().map(entry).into_iter().collect())
}

fn erased(facts: &Facts, erasure: &ErasureFacts, reason: &str) -> ContactErased {
    ContactErased {
        contact: erasure.contact,
        contacts: erasure.contacts.clone(),
        conversations: erasure.conversations.iter().map(|conversation| mark(conversation.0)).collect(),
        cases: erasure.cases.iter().map(|case| mark(case.0)).collect(),
        number: facts.last_number.clone(),
        reason: reason.to_owned(),
    }
}
