//! Who wrote? A person is found by BSUID, or by telephone number where no BSUID contradicts. Two contacts that turn out
//! to be one person are joined by alias (`merged_into`): no row moves, and clearing it undoes the join.

use std::collections::BTreeSet;

use crate::{
    command::Inbound,
    entry::{ContactChanged, Identifier, IdentifierKind},
    facts::{ContactFacts, Facts},
    ids::{CaseId, ContactId, Millis},
};

/// The sender, and what has to be written about them and about others.
pub(super) struct Sender {
    /// Who wrote.
    pub(super) contact: ContactId,
    /// Their particulars as they are now.
    pub(super) now: ContactChanged,
    /// Whether these differ from what is on record.
    pub(super) changed: bool,
    /// Cases whose people should know.
    pub(super) cases: BTreeSet<CaseId>,
    /// Another contact that lost a number to this one, or turned out to be the same person, and the cases whose people
    /// should know: their own, for neither a join nor a number that changed hands widens an audience.
    pub(super) other: Option<(ContactChanged, BTreeSet<CaseId>)>,
}

pub(super) fn sender(facts: &Facts, inbound: &Inbound, new: impl FnOnce() -> ContactId) -> Sender {
    let given = |kind| inbound.identifiers.iter().find(|identifier| identifier.kind == kind);
    let bsuid = given(IdentifierKind::Bsuid);
    let contradicted = |contact: &ContactFacts| {
        bsuid.is_some_and(|given| current(contact, IdentifierKind::Bsuid).is_some_and(|held| held != given.value))
    };
    let by_phone = facts.by_phone.as_ref();
    let found = facts.by_bsuid.as_ref().or(by_phone.filter(|contact| !contradicted(contact)));
    let contact = found.map_or_else(new, |found| found.id);

    let mut now = found.map_or_else(
        || ContactChanged { contact, name: None, identifiers: vec![], merged_into: None },
        |found| snapshot(found, None),
    );
    let before = now.clone();
    for identifier in &inbound.identifiers {
        take(&mut now.identifiers, identifier, inbound.received_at);
    }
    if inbound.name.is_some() {
        now.name.clone_from(&inbound.name);
    }

    // The number belonged to somebody else until now.
    let other = by_phone.filter(|other| other.id != contact).map(|other| {
        let mut after = snapshot(other, (!contradicted(other)).then_some(contact));
        if let Some(phone) = given(IdentifierKind::Phone) {
            give_up(&mut after.identifiers, phone, inbound.received_at);
        }
        (after, other.cases.iter().copied().collect())
    });
    Sender {
        contact,
        changed: now != before,
        now,
        cases: found.map(|found| found.cases.iter().copied().collect()).unwrap_or_default(),
        other,
    }
}

/// The value of this kind that a contact holds now.
pub(super) fn current(contact: &ContactFacts, kind: IdentifierKind) -> Option<&str> {
    let holds = |identifier: &&Identifier| identifier.kind == kind && identifier.to.is_none();
    contact.identifiers.iter().rev().find(holds).map(|identifier| identifier.value.as_str())
}

fn snapshot(contact: &ContactFacts, merged_into: Option<ContactId>) -> ContactChanged {
    ContactChanged {
        contact: contact.id,
        name: contact.name.clone(),
        identifiers: contact.identifiers.clone(),
        merged_into,
    }
}

/// Adds an identifier that holds from now on; an older one of its kind ends.
fn take(held: &mut Vec<Identifier>, given: &Identifier, at: Millis) {
    let same = |held: &Identifier| held.kind == given.kind && held.value == given.value && held.to.is_none();
    if held.iter().any(same) {
        return;
    }
    for older in held.iter_mut().filter(|held| held.kind == given.kind && held.to.is_none()) {
        older.to = Some(at);
    }
    held.push(given.clone());
}

fn give_up(held: &mut [Identifier], given: &Identifier, at: Millis) {
    for identifier in held {
        if identifier.kind == given.kind && identifier.value == given.value && identifier.to.is_none() {
            identifier.to = Some(at);
        }
    }
}
