//! What rows answer: the list, the thread, forgetting, rebuilding.

use domain::{
    command::Ask,
    entry::{Entry, Fact, Scope},
    ids::{Millis, Seq},
    words::{Role, Status},
};
use records::{
    Records,
    list::{Order, Which},
    thread::{Item, Side},
};
use rusqlite::Connection;

use crate::{Agency, HOUR, MINUTE, START, close};

#[test]
fn the_list_shows_what_waits_and_what_is_new() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    agency.now.set(START + MINUTE);
    agency.citizen();
    let row = |agency: &Agency| agency.records.list(Which::Unassigned, Order::Latest, 0, 10).unwrap().remove(0);
    assert_eq!((row(&agency).unread, row(&agency).waiting), (2, true));
    agency.records.set_seen(chat.case, agency.journal.last().unwrap().seq).unwrap();
    assert_eq!((row(&agency).unread, row(&agency).waiting), (0, true), "seen is not answered");
    agency.reply(agent, &chat).unwrap();
    assert_eq!((row(&agency).unread, row(&agency).waiting), (0, false));
    assert_eq!(row(&agency).last.unwrap().author, Some(agent));
    assert_eq!(agency.records.counts(agent, (0, 0)).unwrap().waiting, 0);
    agency.citizen();
    assert_eq!((row(&agency).unread, row(&agency).waiting), (1, true));
    let first_new = |agency: &Agency| agency.records.first_new(chat.conversation).unwrap().map(|(_, seq)| seq);
    assert_eq!(first_new(&agency), Some(agency.journal.last().unwrap().seq));
    agency.reply(agent, &chat).unwrap();
    assert_eq!(row(&agency).unread, 1, "Whoever reads a case misses nothing of it, though a colleague has answered");
    agency.records.set_seen(chat.case, agency.journal.last().unwrap().seq).unwrap();
    assert_eq!((row(&agency).unread, first_new(&agency)), (0, None));
}

#[test]
fn in_a_case_that_one_never_saw_what_was_answered_is_not_new() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    agency.now.set(START + MINUTE);
    agency.citizen();
    agency.reply(agent, &chat).unwrap();
    let row = |agency: &Agency| agency.records.list(Which::Unassigned, Order::Latest, 0, 10).unwrap().remove(0);
    assert_eq!((row(&agency).unread, agency.records.first_new(chat.conversation).unwrap()), (0, None));
    agency.now.set(START + 2 * MINUTE);
    agency.citizen();
    agency.citizen();
    let first_new = agency.records.first_new(chat.conversation).unwrap().map(|(_, seq)| seq);
    assert_eq!((row(&agency).unread, first_new), (2, Some(agency.journal.last().unwrap().seq - 1)));
}

#[test]
fn the_first_that_is_new_stands_above_all_others_whichever_came_first() {
    let mut agency = Agency::new();
    agency.now.set(START + 2 * MINUTE);
    let chat = agency.citizen();
    agency.now.set(START + MINUTE);
    agency.citizen();
    let items = agency.records.items(chat.conversation, Side::From, (0, 0), 10).unwrap();
    let messages = items.iter().filter(|item| matches!(item.what, records::thread::What::Message(_)));
    let stand: Vec<_> = messages.map(|item| (item.place, item.seq)).collect();
    assert!(stand[0].1 > stand[1].1, "The later one stands first: {stand:?}");
    assert_eq!(agency.records.first_new(chat.conversation).unwrap(), Some(stand[0]));
}

/// WhatsApp tells times by the second.
#[test]
fn of_messages_of_one_second_the_later_one_stands_first() {
    let mut agency = Agency::new();
    let senders: Vec<String> = (0..8).map(|nth| format!("9655000000{nth}")).collect();
    let page = |agency: &Agency, order, skip, limit| -> Vec<_> {
        let rows = agency.records.list(Which::Unassigned, order, skip, limit).unwrap();
        rows.into_iter().map(|row| row.conversation).collect()
    };
    let order = |agency: &Agency| page(agency, Order::Latest, 0, 10);
    for sender in &senders {
        let chat = agency.receive(None, Some(sender), "text", None);
        assert_eq!(order(&agency).first(), Some(&chat.conversation));
    }
    let chat = agency.receive(None, senders.first().map(String::as_str), "text", None);
    assert_eq!(order(&agency).first(), Some(&chat.conversation));
    // And each page goes on where the one before ended.
    for by in [Order::Latest, Order::Longest] {
        let pages: Vec<_> = (0..8).step_by(3).flat_map(|skip| page(&agency, by, skip, 3)).collect();
        assert_eq!(pages, page(&agency, by, 0, 10));
    }
}

#[test]
fn a_conversation_is_read_page_by_page() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    for minute in 1..20 {
        agency.now.set(START + minute * MINUTE);
        match minute % 3 {
            0 => drop(agency.citizen()),
            1 => drop(agency.reply(agent, &chat).unwrap()),
            _ => {
                let note = Ask::AddNote { case: chat.case, text: "ملاحظة".into(), media: vec![] };
                agency.ask(agent, note).unwrap();
            }
        }
    }
    let whole = agency.records.latest_items(chat.conversation, 100).unwrap();
    assert_eq!(whole.len(), 21, "20 items and the opening");
    let mut pages = vec![];
    let mut before = (Millis::MAX, Seq::MAX);
    loop {
        let page = agency.records.items(chat.conversation, Side::Before, before, 4).unwrap();
        let Some(first) = page.first() else { break };
        before = (first.place, first.seq);
        pages.splice(0..0, page);
    }
    assert_eq!(pages, whole);
    // And the other way, page by page from the beginning.
    let mut pages: Vec<Item> = vec![];
    loop {
        let from = pages.last().map_or((0, 0), |last| (last.place, last.seq + 1));
        let page = agency.records.items(chat.conversation, Side::From, from, 4).unwrap();
        if page.is_empty() {
            break;
        }
        pages.extend(page);
    }
    assert_eq!(pages, whole);
}

#[test]
fn the_list_is_of_one_sort_and_in_the_order_that_is_asked_for() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let other = agency.staff("other", Role::Agent, "faults");
    let first = agency.receive(None, Some("96550000001"), "text", None);
    agency.now.set(START + HOUR);
    let second = agency.receive(None, Some("96550000002"), "text", None);
    agency.now.set(START + 2 * HOUR);
    let answered = agency.receive(None, Some("96550000003"), "text", None);
    agency.now.set(START + 3 * HOUR);
    agency.reply(agent, &answered).unwrap();
    // Who writes again has not begun to wait anew.
    agency.now.set(START + 4 * HOUR);
    agency.receive(None, Some("96550000001"), "text", None);

    let list = |which, order, skip, limit| -> Vec<_> {
        let rows = agency.records.list(which, order, skip, limit).unwrap();
        rows.into_iter().map(|row| row.conversation).collect()
    };
    let (one, two, three) = (first.conversation, second.conversation, answered.conversation);
    assert_eq!(list(Which::Open, Order::Latest, 0, 10), [one, three, two]);
    assert_eq!(list(Which::Open, Order::Longest, 0, 10), [one, two, three], "who does not wait comes last");
    assert_eq!(list(Which::Open, Order::Longest, 1, 1), [two]);
    assert_eq!(list(Which::Waiting, Order::Latest, 0, 10), [one, two]);
    assert_eq!(list(Which::Team(agent), Order::Latest, 0, 10), [one, three, two]);
    assert!(list(Which::Team(other), Order::Latest, 0, 10).is_empty());
    // The second one's window ends 25 hours after the start; the first has written since.
    let soon = (START + 24 * HOUR, START + 26 * HOUR);
    assert_eq!(list(Which::Closing(soon.0, soon.1), Order::Latest, 0, 10), [two], "who was answered is safe");
    assert_eq!(agency.records.row(one).unwrap().unwrap().waiting_since, Some(START));
    assert_eq!(agency.records.row(three).unwrap().unwrap().waiting_since, None);
    let counts = agency.records.counts(agent, soon).unwrap();
    assert_eq!((counts.open, counts.team, counts.waiting, counts.closing), (3, 3, 2, 1));
    assert_eq!(agency.records.counts(other, soon).unwrap().team, 0);
}

#[test]
fn a_forgotten_case_leaves_nothing_and_can_come_back_whole() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    let kept = agency.receive(None, Some("96597124480"), "text", None);
    agency.reply(agent, &chat).unwrap();
    agency.ask(agent, Ask::AddNote { case: chat.case, text: "ملاحظة".into(), media: vec![] }).unwrap();
    agency.ask(agent, Ask::Claim { case: chat.case }).unwrap();
    let row = |agency: &Agency| agency.records.row(chat.conversation).unwrap();
    let (before, items) = (row(&agency), agency.records.latest_items(chat.conversation, 100).unwrap());
    agency.records.forget_case(chat.case).unwrap();
    for table in ["messages", "notes", "events", "cases", "contacts", "conversations", "identifiers"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let left: u32 = agency.records.connection().query_row(&sql, [], |row| row.get(0)).unwrap();
        let expected = match table {
            "notes" => 0,
            _ => 1,
        };
        assert_eq!(left, expected, "{table}");
    }
    assert!(agency.records.row(kept.conversation).unwrap().is_some());
    for entry in agency.journal.iter().filter(|entry| entry.scope == Scope::Case(chat.case)) {
        agency.records.apply(entry).unwrap();
    }
    assert_eq!(row(&agency), before);
    assert_eq!(agency.records.latest_items(chat.conversation, 100).unwrap(), items);
}

#[test]
fn a_rebuilt_read_model_answers_the_same() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let chat = agency.citizen();
    let message = agency.reply(lead, &chat).unwrap();
    agency.report(message, Status::Sent);
    agency.ask(lead, close(chat.case)).unwrap();
    agency.citizen();
    let mut fresh = Records::open(Connection::open_in_memory().unwrap()).unwrap();
    for entry in &agency.journal {
        fresh.apply(entry).unwrap();
    }
    let dump = |records: &Records| {
        ["staff", "memberships", "audiences", "contacts", "identifiers", "conversations", "cases", "messages", "events"]
            .map(|table| {
                let sql = format!("SELECT * FROM {table} ORDER BY 1, 2");
                let mut statement = records.connection().prepare(&sql).unwrap();
                let width = statement.column_count();
                let rows = statement.query_map([], |row| {
                    (0..width).map(|i| row.get::<_, rusqlite::types::Value>(i)).collect::<Result<Vec<_>, _>>()
                });
                rows.unwrap().map(Result::unwrap).collect::<Vec<_>>()
            })
    };
    assert_eq!(dump(&agency.records), dump(&fresh));
    agency.records.wipe().unwrap();
    for entry in &agency.journal {
        agency.records.apply(entry).unwrap();
    }
    assert_eq!(dump(&agency.records), dump(&fresh));
}

#[test]
fn an_entry_of_an_unknown_kind_is_kept() {
    let mut agency = Agency::new();
    let mut entry = agency.journal[0].clone();
    entry.fact = Fact::Unknown { kind: "moon_rose".into(), body: serde_json::json!({"phase": 1}) };
    assert!(agency.records.apply(&entry).unwrap().unknown);
    let kept: String =
        agency.records.connection().query_row("SELECT entry FROM unknown_entries", [], |row| row.get(0)).unwrap();
    assert_eq!(serde_json::from_str::<Entry>(&kept).unwrap(), entry);
}
