//! Decisions and rows together: an agency without gateway or desk, whose journal is a list.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{cell::Cell, sync::atomic::AtomicU64, sync::atomic::Ordering};

use domain::{
    command::{Ask, Code, Command, Inbound, Refusal, Report, SendOutcome, Settle, SystemAsk},
    decide::{Context, decide, decide_system},
    entry::{Entry, Fact, Identifier, IdentifierKind, NewEntry, Scope},
    ids::{CaseId, CommandId, ConversationId, EntryId, Ids, MessageId, Millis, Seq, StaffId},
    words::{CaseState, Role, Status},
};
use records::{Records, list::Which, thread::What};
use rusqlite::Connection;
use uuid::Uuid;

const START: Millis = 1_795_358_400_000;
const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

#[derive(Default)]
struct Counting(AtomicU64);

impl Ids for Counting {
    fn next(&self, now: Millis) -> Uuid {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&count.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(now.try_into().unwrap(), &bytes).into_uuid()
    }
}

struct Agency {
    records: Records,
    journal: Vec<Entry>,
    ids: Counting,
    now: Cell<Millis>,
    admin: StaffId,
    wamids: Cell<u32>,
}

impl Agency {
    fn new() -> Self {
        let records = Records::open(Connection::open_in_memory().unwrap()).unwrap();
        let ids = Counting::default();
        let admin = StaffId(ids.next(START));
        let mut agency = Self { records, journal: vec![], ids, now: Cell::new(START), admin, wamids: Cell::new(0) };
        let pack = include_str!("pack.toml").to_owned();
        agency.system(SystemAsk::LoadPack { content: pack }).unwrap();
        agency.system(SystemAsk::ConfigureLine { line: "100".into(), display_number: "+965 1".into() }).unwrap();
        let name = "مسؤول".to_owned();
        agency.system(SystemAsk::AddFirstStaff { staff: admin, username: "admin".into(), name }).unwrap();
        agency
    }

    fn append(&mut self, entries: Vec<NewEntry>) -> Vec<Seq> {
        entries
            .into_iter()
            .map(|new| {
                let seq = Seq::try_from(self.journal.len()).unwrap() + 1;
                let entry = Entry::from_new(new, seq, EntryId(self.ids.next(self.now.get())), self.now.get());
                self.records.apply(&entry).unwrap();
                self.journal.push(entry);
                seq
            })
            .collect()
    }

    fn command(&mut self, actor: StaffId, id: CommandId, ask: Ask) -> Result<Vec<Seq>, Refusal> {
        let facts = self.records.facts(actor, &ask).unwrap();
        let context = Context { now: self.now.get(), ids: &self.ids };
        let entries = decide(&facts, &Command { id, ask }, &context)?;
        Ok(self.append(entries))
    }

    fn ask(&mut self, actor: StaffId, ask: Ask) -> Result<CommandId, Refusal> {
        let id = CommandId(self.ids.next(self.now.get()));
        self.command(actor, id, ask).map(|_| id)
    }

    fn refused(&mut self, actor: StaffId, ask: Ask) -> Code {
        let before = self.journal.len();
        let code = self.ask(actor, ask).unwrap_err().code;
        assert_eq!(self.journal.len(), before);
        code
    }

    fn system(&mut self, ask: SystemAsk) -> Result<usize, Refusal> {
        let facts = self.records.system_facts(&ask).unwrap();
        let context = Context { now: self.now.get(), ids: &self.ids };
        let entries = decide_system(&facts, &ask, None, &context)?;
        Ok(self.append(entries).len())
    }

    fn staff(&mut self, username: &str, role: Role, team: &str) -> StaffId {
        let ask = Ask::AddStaff {
            username: username.into(),
            name: username.into(),
            roles: vec![role],
            teams: vec![team.into()],
        };
        StaffId(self.ask(self.admin, ask).unwrap().0)
    }

    /// A message from whoever has these identifiers; answers with its conversation and case.
    fn receive(&mut self, bsuid: Option<&str>, phone: Option<&str>, r#type: &str, quotes: Option<&str>) -> Received {
        let identifier = |kind, value: &str| Identifier { kind, value: value.into(), from: self.now.get(), to: None };
        let identifiers = bsuid
            .map(|value| identifier(IdentifierKind::Bsuid, value))
            .into_iter()
            .chain(phone.map(|value| identifier(IdentifierKind::Phone, value)))
            .collect();
        self.wamids.set(self.wamids.get() + 1);
        let wamid = format!("wamid.in{}", self.wamids.get());
        let inbound = Inbound {
            line: "100".into(),
            wamid: wamid.clone(),
            identifiers,
            name: Some("خالد".into()),
            r#type: r#type.into(),
            text: (r#type == "text").then(|| "متى ترجع الكهرباء؟".into()),
            context: quotes.map(str::to_owned),
            sent_at: self.now.get() - 2_000,
            received_at: self.now.get(),
            raw: None,
        };
        self.system(SystemAsk::Receive(Box::new(inbound))).unwrap();
        match &self.journal.last().unwrap().fact {
            Fact::MessageReceived(body) => Received { conversation: body.conversation, case: body.case, wamid },
            other => panic!("{other:?}"),
        }
    }

    fn citizen(&mut self) -> Received {
        self.receive(None, Some("96566041187"), "text", None)
    }

    fn reply(&mut self, actor: StaffId, to: &Received) -> Result<MessageId, Refusal> {
        let seen = self.journal.last().unwrap().seq;
        self.reply_having_seen(actor, to, seen)
    }

    fn reply_having_seen(&mut self, actor: StaffId, to: &Received, seen: Seq) -> Result<MessageId, Refusal> {
        let ask = Ask::Reply { conversation: to.conversation, case: Some(to.case), text: "نعم".into(), seen };
        self.ask(actor, ask).map(|id| MessageId(id.0))
    }

    fn status(&self, message: MessageId) -> Option<Status> {
        match self.records.message(message).unwrap().unwrap().1.what {
            What::Message(message) => message.status,
            other => panic!("{other:?}"),
        }
    }

    fn report(&mut self, message: MessageId, status: Status) -> usize {
        let report = Report { message: Some(message), wamid: "wamid.out".into(), status, error: None };
        self.system(SystemAsk::Report(report)).unwrap()
    }

    fn number(&self, case: CaseId) -> String {
        self.records.case(case).unwrap().unwrap().number
    }
}

#[derive(Clone)]
struct Received {
    conversation: ConversationId,
    case: CaseId,
    wamid: String,
}

fn close(case: CaseId) -> Ask {
    Ask::CloseCase { case, outcome: "done".into() }
}

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
    assert_eq!(agency.records.counts(lead).unwrap().closed, 1);
    agency.now.set(START + 11 * HOUR);
    let thanks = agency.citizen();
    assert_eq!(thanks.case, first.case);
    assert_eq!(agency.records.counts(lead).unwrap().open, 1, "staff look at it, leave it, or reopen it");
    agency.ask(lead, close(first.case)).unwrap();
    assert_eq!(agency.records.counts(lead).unwrap().closed, 1, "left as it is");
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
    let lead = agency.staff("lead", Role::Lead, "desk");
    let message = agency.reply(lead, &before).unwrap();
    match &agency.journal.last().unwrap().fact {
        Fact::MessageQueued(body) => {
            assert_eq!((body.message, body.recipient.kind), (message, IdentifierKind::Bsuid), "not to the number");
        }
        other => panic!("{other:?}"),
    }
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
            sent_at,
            received_at: START,
            raw: None,
        };
        agency.system(SystemAsk::Receive(Box::new(inbound))).unwrap();
        assert_eq!(place(&agency), (sent_at, stands));
    }
}

#[test]
fn a_reply_is_refused_where_it_would_do_harm() {
    let mut agency = Agency::new();
    let (lead, agent) = (agency.staff("lead", Role::Lead, "desk"), agency.staff("agent", Role::Agent, "desk"));
    let stranger = agency.staff("stranger", Role::Agent, "faults");
    let clerk = agency.staff("clerk", Role::Admin, "desk");
    let chat = agency.citizen();
    let seen = agency.journal.last().unwrap().seq;
    agency.reply(lead, &chat).unwrap();
    let code = |refusal: Result<MessageId, Refusal>| refusal.unwrap_err().code;

    assert_eq!(code(agency.reply(clerk, &chat)), Code::Forbidden);
    assert_eq!(code(agency.reply(stranger, &chat)), Code::NotFound);
    assert_eq!(code(agency.reply_having_seen(agent, &chat, seen)), Code::NewerReply);
    agency.reply_having_seen(lead, &chat, seen).unwrap();
    agency.reply(agent, &chat).unwrap();

    let ask = |text: String| Ask::Reply { conversation: chat.conversation, case: None, text, seen: 99 };
    assert_eq!(agency.refused(agent, ask("  \n".into())), Code::Invalid);
    assert_eq!(agency.refused(agent, ask("ا".repeat(4097))), Code::Invalid);
    agency.ask(agent, ask("ا".repeat(4096))).unwrap();

    let other = agency.receive(None, Some("96597124480"), "text", None);
    let crossed = Received { case: other.case, ..chat.clone() };
    assert_eq!(code(agency.reply(agent, &crossed)), Code::CaseMoved);

    agency.now.set(START + 24 * HOUR - 2_000 - 1);
    agency.reply(agent, &chat).unwrap();
    agency.now.set(START + 24 * HOUR - 2_000);
    assert_eq!(code(agency.reply(agent, &chat)), Code::WindowClosed);
    agency.citizen();
    agency.reply(agent, &chat).unwrap();
    agency.ask(lead, close(chat.case)).unwrap();
    assert_eq!(code(agency.reply(agent, &chat)), Code::Closed);
}

#[test]
fn an_old_reply_is_looked_at_again_when_the_citizen_wrote_since() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    let seen = agency.journal.last().unwrap().seq;
    let reply =
        |seen| Ask::Reply { conversation: chat.conversation, case: Some(chat.case), text: "نعم".into(), seen };
    let old = CommandId(agency.ids.next(START));
    let older = CommandId(agency.ids.next(START));
    agency.now.set(START + 61 * MINUTE);
    agency.command(agent, old, reply(seen)).unwrap();
    agency.citizen();
    assert_eq!(agency.command(agent, older, reply(seen)).unwrap_err().code, Code::Stale);
    let seen = agency.journal.last().unwrap().seq;
    agency.command(agent, older, reply(seen)).unwrap();
}

#[test]
fn a_case_has_one_owner() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let (one, two) = (agency.staff("one", Role::Agent, "desk"), agency.staff("two", Role::Agent, "desk"));
    let stranger = agency.staff("stranger", Role::Agent, "faults");
    let case = agency.citizen().case;
    agency.ask(one, Ask::Claim { case }).unwrap();
    agency.ask(one, Ask::Claim { case }).unwrap();
    for ask in [Ask::Claim { case }, Ask::Release { case }, close(case)] {
        assert_eq!(agency.refused(two, ask), Code::Owned);
    }
    assert_eq!(agency.refused(two, Ask::Assign { case, staff: two }), Code::Forbidden);
    assert_eq!(agency.refused(lead, Ask::Assign { case, staff: stranger }), Code::Invalid);
    assert_eq!(agency.refused(stranger, Ask::Claim { case }), Code::NotFound);
    agency.ask(lead, Ask::Assign { case, staff: two }).unwrap();
    assert_eq!(agency.records.list(Which::Mine(two), 10).unwrap().len(), 1);
    agency.ask(two, Ask::Release { case }).unwrap();
    assert_eq!(agency.records.list(Which::Unassigned, 10).unwrap().len(), 1);
    agency.ask(lead, Ask::Transfer { case, team: "faults".into() }).unwrap();
    assert_eq!(agency.refused(lead, Ask::Claim { case }), Code::NotFound, "out of sight");
    agency.ask(stranger, Ask::Claim { case }).unwrap();
    assert_eq!(agency.refused(stranger, Ask::CloseCase { case, outcome: "moon".into() }), Code::Invalid);
    agency.ask(stranger, close(case)).unwrap();
    assert_eq!(agency.records.case(case).unwrap().unwrap().state, CaseState::Closed);
    assert_eq!(agency.refused(stranger, Ask::Claim { case }), Code::Closed);
    agency.ask(stranger, Ask::AddNote { case, text: "أُغلق بعد الاتصال".into() }).unwrap();
}

#[test]
fn sight_changes_with_the_case_and_with_the_person() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let stranger = agency.staff("stranger", Role::Agent, "faults");
    let case = agency.citizen().case;
    let before = agency.journal.last().unwrap().seq;
    agency.ask(lead, Ask::Transfer { case, team: "faults".into() }).unwrap();
    let after = agency.journal.last().unwrap().seq;
    let change = |agency: &Agency, staff, from, to| agency.records.sight_change(staff, from, to).unwrap();
    assert_eq!(change(&agency, lead, before, after).lost, [case]);
    assert_eq!(change(&agency, stranger, before, after).gained, [case]);
    assert!(change(&agency, stranger, 1, after).gained.is_empty(), "its entries are all since then");

    let change_staff = |teams: &[&str]| Ask::ChangeStaff {
        staff: stranger,
        name: None,
        roles: None,
        teams: Some(teams.iter().map(|team| (*team).to_owned()).collect()),
        active: None,
    };
    agency.ask(stranger, Ask::Claim { case }).unwrap();
    agency.ask(agency.admin, change_staff(&[])).unwrap();
    let out = agency.journal.last().unwrap().seq;
    assert_eq!(change(&agency, stranger, after, out).lost, [case]);
    assert_eq!(agency.records.case(case).unwrap().unwrap().owner, None, "back in its queue");
    agency.ask(agency.admin, change_staff(&["faults"])).unwrap();
    let back = agency.journal.last().unwrap().seq;
    assert_eq!(change(&agency, stranger, out, back).gained, [case]);
    assert_eq!(change(&agency, stranger, after, back), records::sight::SightChange::default(), "as if never gone");
}

#[test]
fn nobody_gives_themself_sight() {
    let mut agency = Agency::new();
    let clerk = agency.staff("clerk", Role::Admin, "desk");
    let change = |roles: &[Role]| Ask::ChangeStaff {
        staff: clerk,
        name: None,
        roles: Some(roles.to_vec()),
        teams: None,
        active: None,
    };
    assert_eq!(agency.refused(clerk, change(&[Role::Admin, Role::Lead])), Code::Forbidden);
    let add = |username: &str| Ask::AddStaff {
        username: username.into(),
        name: "س".into(),
        roles: vec![Role::Agent],
        teams: vec!["desk".into()],
    };
    assert_eq!(agency.refused(clerk, add("clerk")), Code::Taken);
    assert_eq!(agency.refused(clerk, add("Sami")), Code::Invalid);
    agency.ask(clerk, add("sami")).unwrap();
    let off = Ask::ChangeStaff { staff: clerk, name: None, roles: None, teams: None, active: Some(false) };
    agency.ask(agency.admin, off).unwrap();
    assert_eq!(agency.refused(clerk, add("salem")), Code::Forbidden);
}

#[test]
fn a_message_is_sent_once_and_its_ticks_never_go_back() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    let (first, second) = (agency.reply(agent, &chat).unwrap(), agency.reply(agent, &chat).unwrap());
    let turn = |agency: &Agency| -> Vec<MessageId> {
        agency.records.outgoing(agency.now.get(), MINUTE, 10).unwrap().iter().map(|out| out.message).collect()
    };
    assert_eq!(turn(&agency), [first], "one in flight for each conversation");
    agency.system(SystemAsk::BeginSending { message: first }).unwrap();
    assert!(agency.system(SystemAsk::BeginSending { message: first }).is_err(), "one permission, ever");
    assert!(turn(&agency).is_empty());
    let accepted = || SendOutcome::Accepted { wamid: "wamid.out".into() };
    agency.system(SystemAsk::EndSending { message: first, outcome: accepted() }).unwrap();
    assert_eq!(turn(&agency), [second]);

    assert_eq!(agency.report(first, Status::Read), 1);
    for late in [Status::Sent, Status::Delivered, Status::Read, Status::Failed] {
        assert_eq!(agency.report(first, late), 0);
    }
    assert_eq!(agency.status(first), Some(Status::Read));
}

#[test]
fn an_uncertain_message_is_settled_by_whatsapp_or_by_a_person() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let stranger = agency.staff("stranger", Role::Agent, "faults");
    let chat = agency.citizen();
    let (first, second) = (agency.reply(agent, &chat).unwrap(), agency.reply(agent, &chat).unwrap());
    let settle = |message, settle| Ask::SettleUncertain { message, settle };
    assert_eq!(agency.refused(agent, settle(first, Settle::Sent)), Code::NotUncertain);

    agency.system(SystemAsk::BeginSending { message: first }).unwrap();
    assert_eq!(agency.records.under_way().unwrap(), [first]);
    agency.system(SystemAsk::Abandon { message: first }).unwrap();
    assert_eq!(agency.status(first), Some(Status::Uncertain));
    let turn = |agency: &Agency| agency.records.outgoing(agency.now.get(), MINUTE, 10).unwrap().len();
    assert_eq!(turn(&agency), 0);
    agency.now.set(START + MINUTE);
    assert_eq!(turn(&agency), 1, "the later replies do not wait for ever");

    assert_eq!(agency.refused(stranger, settle(first, Settle::Sent)), Code::NotFound);
    assert_eq!(agency.report(first, Status::Delivered), 1);
    assert_eq!(agency.refused(agent, settle(first, Settle::Resend)), Code::NotUncertain);

    agency.system(SystemAsk::BeginSending { message: second }).unwrap();
    agency.system(SystemAsk::Abandon { message: second }).unwrap();
    agency.ask(agent, settle(second, Settle::Resend)).unwrap();
    assert_eq!(agency.status(second), Some(Status::Queued));
    assert_eq!(turn(&agency), 1);
}

#[test]
fn an_outcome_that_comes_too_late_changes_nothing_that_is_known() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    let message = agency.reply(agent, &chat).unwrap();
    agency.system(SystemAsk::BeginSending { message }).unwrap();
    agency.report(message, Status::Delivered);
    let error = domain::entry::SendError { code: 131_000, title: "x".into(), details: None };
    for outcome in [
        SendOutcome::Accepted { wamid: "w".into() },
        SendOutcome::NotSent,
        SendOutcome::Refused(error.clone()),
        SendOutcome::Ambiguous(error),
    ] {
        assert_eq!(agency.system(SystemAsk::EndSending { message, outcome }).unwrap(), 0);
    }
    assert_eq!(agency.status(message), Some(Status::Delivered));
}

#[test]
fn the_list_shows_what_waits_and_what_is_new() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    agency.now.set(START + MINUTE);
    agency.citizen();
    let row = |agency: &Agency| agency.records.list(Which::Unassigned, 10).unwrap().remove(0);
    assert_eq!((row(&agency).unread, row(&agency).waiting), (2, true));
    agency.records.set_seen(chat.case, agency.journal.last().unwrap().seq).unwrap();
    assert_eq!((row(&agency).unread, row(&agency).waiting), (0, true), "seen is not answered");
    agency.reply(agent, &chat).unwrap();
    assert_eq!((row(&agency).unread, row(&agency).waiting), (0, false));
    assert_eq!(row(&agency).last.unwrap().author, Some(agent));
    assert_eq!(agency.records.counts(agent).unwrap().waiting, 0);
    agency.citizen();
    assert_eq!((row(&agency).unread, row(&agency).waiting), (1, true));
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
            _ => drop(agency.ask(agent, Ask::AddNote { case: chat.case, text: "ملاحظة".into() }).unwrap()),
        }
    }
    let whole = agency.records.items(chat.conversation, None, 100).unwrap();
    assert_eq!(whole.len(), 21, "20 items and the opening");
    let mut pages = vec![];
    let mut before = None;
    loop {
        let page = agency.records.items(chat.conversation, before, 4).unwrap();
        let Some(first) = page.first() else { break };
        before = Some((first.place, first.seq));
        pages.splice(0..0, page);
    }
    assert_eq!(pages, whole);
}

#[test]
fn a_forgotten_case_leaves_nothing_and_can_come_back_whole() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    let kept = agency.receive(None, Some("96597124480"), "text", None);
    agency.reply(agent, &chat).unwrap();
    agency.ask(agent, Ask::AddNote { case: chat.case, text: "ملاحظة".into() }).unwrap();
    agency.ask(agent, Ask::Claim { case: chat.case }).unwrap();
    let row = |agency: &Agency| agency.records.row(chat.conversation).unwrap();
    let (before, items) = (row(&agency), agency.records.items(chat.conversation, None, 100).unwrap());
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
    assert_eq!(agency.records.items(chat.conversation, None, 100).unwrap(), items);
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
