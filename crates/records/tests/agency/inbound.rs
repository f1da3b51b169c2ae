//! Whose a citizen's message is, which case it belongs to, where it stands.

use std::collections::BTreeSet;

use domain::{
    command::{Ask, Code, Inbound, SystemAsk},
    entry::{Entry, Fact, Identifier, IdentifierKind, Scope},
    ids::Millis,
    words::Role,
};

use records::thread::What;

use crate::{Agency, HOUR, START, close};

#[test]
fn a_message_opens_a_case_and_the_next_one_joins_it() {
    let mut agency = Agency::new();
    let first = agency.citizen();
    let second = agency.citizen();
    assert_eq!((first.conversation, first.case), (second.conversation, second.case));
    let other = agency.receive(None, Some("96597124480"), "text", None);
    assert_ne!(first.conversation, other.conversation);
    assert_eq!(agency.number(first.case), "MEW-2026-000001");
    assert_eq!(agency.number(other.case), "MEW-2026-000002");
    let kinds: Vec<&str> = agency.journal.iter().map(|entry| entry.fact.kind()).collect();
    assert_eq!(
        kinds[3..7],
        ["contact_changed", "conversation_opened", "case_opened", "message_received"],
        "what a case's people must know stands in the case's scope, before its first message"
    );
    assert!(agency.journal[3..7].iter().all(|entry| entry.scope == Scope::Case(first.case)));
}

#[test]
fn thanks_within_the_grace_time_open_nothing() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let first = agency.citizen();
    agency.ask(lead, close(first.case)).unwrap();
    assert_eq!(agency.records.counts(lead, (0, 0)).unwrap().closed, 1);
    agency.now.set(START + 11 * HOUR);
    let thanks = agency.citizen();
    assert_eq!(thanks.case, first.case);
    assert_eq!(agency.records.counts(lead, (0, 0)).unwrap().open, 1, "staff look at it, leave it, or reopen it");
    agency.ask(lead, close(first.case)).unwrap();
    assert_eq!(agency.records.counts(lead, (0, 0)).unwrap().closed, 1, "left as it is");
    assert_eq!(agency.refused(lead, close(first.case)), Code::Closed);
    agency.now.set(START + 24 * HOUR);
    assert_ne!(agency.citizen().case, first.case);
}

#[test]
fn a_quote_leads_to_the_quoted_case_while_it_is_open() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let first = agency.citizen();
    agency.ask(lead, close(first.case)).unwrap();
    agency.now.set(START + 20 * HOUR);
    let second = agency.citizen();
    let quoting = agency.receive(None, Some("96566041187"), "text", Some(&first.wamid));
    assert_eq!(quoting.case, second.case, "the quoted case is closed");
    agency.ask(lead, Ask::ReopenCase { case: first.case }).unwrap();
    let active = agency.citizen();
    assert_eq!(active.case, first.case, "the case in which something happened last is the active one");
    let quoting = agency.receive(None, Some("96566041187"), "text", Some(&second.wamid));
    assert_eq!(quoting.case, second.case);
}

#[test]
fn a_sticker_is_no_inquiry_and_is_not_dropped() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let first = agency.citizen();
    agency.ask(lead, close(first.case)).unwrap();
    agency.now.set(START + 30 * HOUR);
    assert_eq!(agency.receive(None, Some("96566041187"), "sticker", None).case, first.case);
    let stranger = agency.receive(None, Some("96597124480"), "sticker", None);
    assert_eq!(agency.number(stranger.case), "MEW-2026-000002", "there is no other case that it could belong to");
}

#[test]
fn one_person_stays_one_whatever_whatsapp_shows_of_them() {
    let mut agency = Agency::new();
    let hidden = agency.receive(Some("KW.1"), None, "text", None);
    let both = agency.receive(Some("KW.1"), Some("96566041187"), "text", None);
    let shown = agency.receive(None, Some("96566041187"), "text", None);
    assert_eq!(hidden.conversation, both.conversation);
    assert_eq!(both.conversation, shown.conversation);

    let mut agency = Agency::new();
    let phone = agency.receive(None, Some("96566041187"), "text", None);
    let hidden = agency.receive(Some("KW.1"), None, "text", None);
    assert_ne!(phone.conversation, hidden.conversation, "nothing shows yet that this is one person");
    let both = agency.receive(Some("KW.1"), Some("96566041187"), "text", None);
    assert_eq!(both.conversation, hidden.conversation);
    let again = agency.receive(None, Some("96566041187"), "text", None);
    assert_eq!(again.conversation, hidden.conversation, "joined by alias");
}

#[test]
fn a_number_that_changed_hands_joins_nobody() {
    let mut agency = Agency::new();
    let before = agency.receive(Some("KW.1"), Some("96566041187"), "text", None);
    let after = agency.receive(Some("KW.2"), Some("96566041187"), "text", None);
    assert_ne!(before.conversation, after.conversation);
    let told = |agency: &Agency, case| {
        let told = |entry: &&Entry| entry.scope == Scope::Case(case) && entry.fact.kind() == "contact_changed";
        agency.journal.iter().filter(told).map(|entry| entry.subject.clone()).collect::<BTreeSet<_>>()
    };
    assert_eq!(told(&agency, after.case).len(), 1, "nothing of the former holder");
    assert!(told(&agency, before.case).is_disjoint(&told(&agency, after.case)));
    let lead = agency.staff("lead", Role::Lead, "desk");
    let message = agency.reply(lead, &before).unwrap();
    match &agency.journal.last().unwrap().fact {
        Fact::MessageQueued(body) => {
            assert_eq!((body.message, body.recipient.kind), (message, IdentifierKind::Bsuid), "not to the number");
        }
        other => panic!("{other:?}"),
    }

    // Where the former holder has no open case, the last one keeps the record straight.
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let before = agency.receive(Some("KW.1"), Some("96566041187"), "text", None);
    agency.ask(lead, close(before.case)).unwrap();
    let after = agency.receive(Some("KW.2"), Some("96566041187"), "text", None);
    let shown = agency.receive(None, Some("96566041187"), "text", None);
    assert_eq!(shown.conversation, after.conversation);
}

#[test]
fn a_message_stands_where_it_was_sent_unless_it_came_late() {
    let mut agency = Agency::new();
    agency.citizen();
    let place = |agency: &Agency| match &agency.journal.last().unwrap().fact {
        Fact::MessageReceived(body) => (body.sent_at, body.place),
        other => panic!("{other:?}"),
    };
    assert_eq!(place(&agency), (START - 2_000, START - 2_000));
    for (sent_at, stands) in
        [(START - 120_000, START - 120_000), (START - 120_001, START), (START + 1, START), (Millis::MIN, START)]
    {
        let inbound = Inbound {
            line: "100".into(),
            wamid: format!("w{sent_at}"),
            identifiers: vec![Identifier {
                kind: IdentifierKind::Phone,
                value: "96566041187".into(),
                from: START,
                to: None,
            }],
            name: None,
            r#type: "text".into(),
            text: None,
            context: None,
            media: vec![],
            sent_at,
            received_at: START,
            raw: None,
            reader: 1,
        };
        agency.system(SystemAsk::Receive(Box::new(inbound))).unwrap();
        assert_eq!(place(&agency), (sent_at, stands));
    }
}

#[test]
fn what_was_kept_raw_is_understood_once_and_in_its_place() {
    let mut agency = Agency::new();
    agency.citizen();
    let inbound = Inbound {
        line: "100".into(),
        wamid: "wamid.button".into(),
        identifiers: vec![Identifier {
            kind: IdentifierKind::Phone,
            value: "96566041187".into(),
            from: START,
            to: None,
        }],
        name: None,
        r#type: "button".into(),
        text: None,
        media: vec![],
        context: None,
        sent_at: START,
        received_at: START,
        raw: Some(serde_json::json!({"type": "button", "button": {"text": "نعم"}})),
        reader: 1,
    };
    agency.system(SystemAsk::Receive(Box::new(inbound))).unwrap();
    let Fact::MessageReceived(received) = agency.journal.last().unwrap().fact.clone() else { panic!("Not a message") };
    agency.citizen();
    let left = |agency: &Agency, reader| {
        let left = agency.records.left_raw(reader, uuid::Uuid::nil().into(), 10).unwrap();
        left.into_iter().map(|(message, _)| message).collect::<Vec<_>>()
    };
    assert_eq!((left(&agency, 1), left(&agency, 2)), (vec![], vec![received.message]));
    let place = |agency: &Agency| {
        let items = agency.records.latest_items(received.conversation, 100).unwrap();
        items.iter().position(|item| matches!(&item.what, What::Message(it) if it.message == received.message))
    };
    let before = place(&agency);
    let understand = || SystemAsk::Understand {
        message: received.message,
        r#type: "button".into(),
        text: Some("نعم".into()),
        reader: 2,
    };
    assert_eq!(agency.system(understand()).unwrap(), 1);
    assert_eq!(agency.system(understand()).unwrap(), 0, "once");
    assert_eq!((left(&agency, 2), left(&agency, 3)), (vec![], vec![received.message]));
    assert_eq!(place(&agency), before);
    match agency.records.message(received.message).unwrap().unwrap().1.what {
        What::Message(message) => assert_eq!((message.text.as_deref(), message.inbound), (Some("نعم"), true)),
        other => panic!("{other:?}"),
    }
}
