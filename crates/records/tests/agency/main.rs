//! Decisions and rows together: an agency without gateway or desk, whose journal is a list.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod cases;
mod converge;
mod erasure;
mod inbound;
mod media;
mod outbound;
mod rows;

use std::{cell::Cell, sync::atomic::AtomicU64, sync::atomic::Ordering};

use domain::{
    command::{Ask, Code, Command, Inbound, Refusal, Report, SystemAsk},
    decide::{Context, decide, decide_system},
    entry::{Entry, Fact, Identifier, IdentifierKind, NewEntry, Scope},
    erasure::mark,
    ids::{CaseId, CommandId, ConversationId, EntryId, Ids, MediaId, MessageId, Millis, Seq, StaffId},
    words::{Role, Status},
};
use records::{Records, thread::What};
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
    line: Cell<&'static str>,
    /// The file in whatever is no text.
    file: Cell<MediaId>,
}

impl Agency {
    fn new() -> Self {
        let records = Records::open(Connection::open_in_memory().unwrap()).unwrap();
        let ids = Counting::default();
        let admin = StaffId(ids.next(START));
        let mut agency = Self {
            records,
            journal: vec![],
            ids,
            now: Cell::new(START),
            admin,
            wamids: Cell::new(0),
            line: Cell::new("100"),
            file: Cell::new(MediaId([0; 32])),
        };
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
                self.blank();
                seq
            })
            .collect()
    }

    /// What an erasure leaves of the entries that it covers.
    fn blank(&mut self) {
        let Some(Fact::ContactErased(erased)) = self.journal.last().map(|entry| entry.fact.clone()) else { return };
        for entry in &mut self.journal {
            if matches!(entry.scope, Scope::Case(case) if erased.cases.contains(&mark(case.0))) {
                entry.fact = Fact::Erased { kind: entry.fact.kind().to_owned() };
            }
        }
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
            line: self.line.get().into(),
            wamid: wamid.clone(),
            identifiers,
            name: Some("خالد".into()),
            r#type: r#type.into(),
            text: (r#type == "text").then(|| "متى ترجع الكهرباء؟".into()),
            context: quotes.map(str::to_owned),
            media: (r#type != "text").then(|| self.file.get()).into_iter().collect(),
            sent_at: self.now.get() - 2_000,
            received_at: self.now.get(),
            raw: None,
            reader: 1,
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
