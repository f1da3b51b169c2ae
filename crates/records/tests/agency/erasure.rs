//! A person is erased: what goes, what stays, and who may.

use std::collections::BTreeSet;

use domain::{
    command::{Ask, Code, SystemAsk},
    entry::{Actor, ContactChanged, Entry, Fact, NewEntry, Scope, Subject},
    erasure::mark,
    ids::{ContactId, ConversationId},
    words::Role,
};
use records::Records;
use rusqlite::Connection;

use crate::{Agency, HOUR, MINUTE, START, close};

fn contact_of(agency: &Agency, conversation: ConversationId) -> ContactId {
    agency.records.row(conversation).unwrap().unwrap().contact
}

fn erase(contact: ContactId) -> Ask {
    Ask::EraseContact { contact, reason: "كتاب 12/2026".into() }
}

/// Everything in the file, as text and as bytes.
fn dump(records: &Records) -> String {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    records.connection().execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    String::from_utf8_lossy(&std::fs::read(copy).unwrap()).into_owned()
}

#[test]
fn what_there_is_of_a_person_goes_and_nothing_else() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let erased = agency.receive(Some("KW.1"), Some("96566041187"), "text", None);
    agency.reply(lead, &erased).unwrap();
    agency.ask(lead, Ask::AddNote { case: erased.case, text: "كناري الملاحظة".into(), media: vec![] }).unwrap();
    let other = agency.receive(Some("KW.2"), Some("96597124480"), "text", None);
    agency.reply(lead, &other).unwrap();
    agency.ask(lead, close(erased.case)).unwrap();
    agency.now.set(START + 24 * HOUR);
    let again = agency.receive(Some("KW.1"), None, "text", None);
    assert_ne!(again.case, erased.case);
    let contact = contact_of(&agency, erased.conversation);
    let before = agency.records.latest_items(other.conversation, 100).unwrap();
    assert!(dump(&agency.records).contains("كناري الملاحظة"));

    agency.ask(agency.admin, erase(contact)).unwrap();
    let left = dump(&agency.records);
    for gone in ["كناري الملاحظة", "96566041187", "KW.1", &erased.wamid, &again.wamid] {
        assert!(!left.contains(gone), "{gone}");
    }
    assert!(agency.records.row(erased.conversation).unwrap().is_none());
    assert!(agency.records.erasure_facts(contact).unwrap().is_none());
    assert_eq!(agency.records.latest_items(other.conversation, 100).unwrap(), before);
    let Fact::ContactErased(body) = &agency.journal.last().unwrap().fact else { panic!("Not an erasure") };
    assert_eq!(body.cases.iter().collect::<BTreeSet<_>>(), [mark(erased.case.0), mark(again.case.0)].iter().collect());
    assert_eq!(body.conversations, [mark(erased.conversation.0)]);

    // Nobody is there any more; and what they write from now on is a new person's.
    assert_eq!(agency.refused(agency.admin, erase(contact)), Code::NotFound);
    let anew = agency.receive(Some("KW.1"), Some("96566041187"), "text", None);
    assert_ne!(contact_of(&agency, anew.conversation), contact);
    assert_eq!(agency.number(anew.case), "MEW-2026-000004", "a number is given once, be its case erased or not");
}

#[test]
fn whoever_answers_does_not_erase_and_a_reason_is_given() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let agent = agency.staff("agent", Role::Agent, "desk");
    let received = agency.citizen();
    let contact = contact_of(&agency, received.conversation);
    for staff in [lead, agent] {
        assert_eq!(agency.refused(staff, erase(contact)), Code::Forbidden);
    }
    let admin = agency.admin;
    for reason in [String::new(), "  ".into(), "ر".repeat(201)] {
        assert_eq!(agency.refused(admin, Ask::EraseContact { contact, reason }), Code::Invalid);
    }
}

#[test]
fn with_a_person_their_aliases_go() {
    let mut agency = Agency::new();
    let phone = agency.receive(None, Some("96566041187"), "text", None);
    let hidden = agency.receive(Some("KW.1"), None, "text", None);
    let alias = contact_of(&agency, phone.conversation);
    agency.receive(Some("KW.1"), Some("96566041187"), "text", None);
    agency.ask(agency.admin, erase(alias)).unwrap();
    for conversation in [phone.conversation, hidden.conversation] {
        assert!(agency.records.row(conversation).unwrap().is_none());
    }
    let Fact::ContactErased(body) = &agency.journal.last().unwrap().fact else { panic!("Not an erasure") };
    assert_eq!((body.contacts.len(), body.cases.len()), (2, 2));
    assert!(!dump(&agency.records).contains("96566041187"));
}

#[test]
fn a_restored_journal_is_erased_again_where_the_person_is_back() {
    let mut agency = Agency::new();
    let received = agency.citizen();
    let contact = contact_of(&agency, received.conversation);
    let again = || SystemAsk::EraseAgain { contact, reason: "كتاب 12/2026".into() };
    assert_eq!(agency.system(again()).unwrap(), 1);
    assert_eq!(agency.system(again()).unwrap(), 0, "nobody is there any more");
}

#[test]
fn records_built_anew_of_what_is_left_are_the_same() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let kept = agency.receive(None, Some("96597124480"), "text", None);
    let erased = agency.citizen();
    agency.reply(lead, &erased).unwrap();
    let contact = contact_of(&agency, erased.conversation);
    agency.ask(agency.admin, erase(contact)).unwrap();
    agency.reply(lead, &kept).unwrap();
    let mut anew = Records::open(Connection::open_in_memory().unwrap()).unwrap();
    for entry in &agency.journal {
        anew.apply(entry).unwrap();
    }
    crate::converge::same(&anew, &agency.records);
    // The last number was the erased case's, and is not given again.
    for records in [&mut anew, &mut agency.records] {
        let ask = SystemAsk::EraseAgain { contact, reason: "1".into() };
        assert_eq!(records.system_facts(&ask).unwrap().last_number.as_deref(), Some("MEW-2026-000002"));
    }
}

/// A contact that a decision, or an import, has joined to another.
fn join(agency: &mut Agency, case: domain::ids::CaseId, contact: ContactId, into: ContactId) {
    let facts = agency.records.contact(contact).unwrap().unwrap();
    let fact = ContactChanged { contact, name: facts.name, identifiers: facts.identifiers, merged_into: Some(into) };
    agency.append(vec![NewEntry {
        scope: Scope::Case(case),
        subject: Subject::Contact(contact),
        actor: Actor::System,
        cause: None,
        fact: fact.into(),
    }]);
}

#[test]
fn aliases_are_followed_however_many_steps_away() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let a = agency.receive(None, Some("96566041181"), "text", None);
    agency.line.set("200");
    let b = agency.receive(None, Some("96566041182"), "text", None);
    let c = agency.receive(None, Some("96566041183"), "text", None);
    agency.line.set("100");
    let [of_a, of_b, of_c] = [&a, &b, &c].map(|received| contact_of(&agency, received.conversation));
    join(&mut agency, a.case, of_a, of_b);
    join(&mut agency, b.case, of_b, of_c);
    agency.now.set(START + MINUTE);
    // The person writes to the number to which only the alias of an alias had written.
    let next = agency.receive(None, Some("96566041183"), "text", None);
    assert_eq!((next.conversation, next.case), (a.conversation, a.case), "no second conversation, no second case");
    // Whose people are told of a change: all three.
    agency.receive(Some("KW.9"), Some("96566041183"), "text", None);
    let told = |entry: &&Entry| entry.fact.kind() == "contact_changed" && entry.at == START + MINUTE;
    let told: BTreeSet<_> = agency.journal.iter().filter(told).map(|entry| entry.scope.clone()).collect();
    assert_eq!(told, [a.case, b.case, c.case].map(Scope::Case).into());
    // A join widens no audience: each case stays its team's.
    for case in [a.case, b.case, c.case] {
        assert_eq!(agency.records.case(case).unwrap().unwrap().team, "desk");
    }
    agency.reply(lead, &next).unwrap();
    match &agency.journal.last().unwrap().fact {
        Fact::MessageQueued(body) => assert_eq!(body.recipient.value, "96566041183", "to the person as they are now"),
        other => panic!("{other:?}"),
    }
    agency.ask(agency.admin, erase(of_a)).unwrap();
    let Fact::ContactErased(body) = &agency.journal.last().unwrap().fact else { panic!("Not an erasure") };
    assert_eq!((body.contact, body.contacts.len(), body.cases.len()), (of_c, 3, 3));
}
