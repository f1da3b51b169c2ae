//! A stand-in for the gateway: one agency, one person, the contract of sessions, sync, live and commands, and the faults
//! that a test asks for. It decides nothing cleverly; what it must do well is to answer the same id with the same answer.

#[path = "standin/contract.rs"] // also where another crate's tests take this file in
mod contract;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    http::HeaderMap,
    routing::{get, post},
};
use domain::{
    command::{Ask, Code, Command, Refusal, Settle},
    entry::{
        Actor, CaseAssigned, CaseChanged, CaseClosed, CaseOpened, ContactChanged, ContactErased, ConversationOpened,
        Entry, Fact, Identifier, IdentifierKind, MessageQueued, MessageReceived, MessageStatusChanged, NewEntry,
        NoteAdded, PackChanged, Recipient, Scope, StaffChanged, Subject,
    },
    erasure::mark,
    ids::{
        CaseId, CommandId, ContactId, ConversationId, EntryId, Ids, MessageId, Millis, NoteId, Seq, StaffId, System,
    },
    wire::{Answer, Cursor, Line, Outcome, Up, Witness},
    words::{CaseState, Role, Status},
};
use serde_json::Value;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

use contract::{Refused, commands, live, sign_in, sign_out, sync};

pub const PASSWORD: &str = "كلمة مرور طويلة بما يكفي";
const PACK: &str = r#"
    case_prefix = "MEW"
    time_zone = "Asia/Kuwait"
    default_team = "desk"
    default_kind = "inquiry"
    name = { ar = "وزارة الكهرباء والماء", en = "Ministry of Electricity and Water" }
    team = [{ slug = "desk", name = { ar = "المكتب", en = "Desk" } }]
    kind = [{ slug = "inquiry", name = { ar = "استفسار", en = "Inquiry" } }]
    outcome = [{ slug = "done", name = { ar = "منجز", en = "Done" } }]
"#;

/// The person at the desk.
pub fn me() -> StaffId {
    StaffId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00aa))
}

/// A colleague.
pub fn colleague() -> StaffId {
    StaffId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00bb))
}

/// What a test may ask for.
#[derive(Default)]
pub struct Faults {
    /// So many answers to commands are lost on the way back: what was asked is done all the same.
    pub lose_answers: u32,
    /// Each answer to commands waits for so long first.
    pub slow: Option<std::time::Duration>,
    /// Commands of this kind are refused with this code.
    pub refuse: BTreeMap<String, Code>,
    /// These entries are never said over `live`.
    pub swallow: BTreeSet<Seq>,
    /// Nobody is let in.
    pub signed_out: bool,
    /// Devices are told that they were shut out.
    pub revoked: bool,
    /// `sync` breaks off after so many lines, once.
    pub break_after: Option<usize>,
    /// `sync` pauses after so many lines until the test has it go on.
    pub hold_after: Option<usize>,
    /// Every request but a sign-in is answered so.
    pub status: Option<u16>,
}

pub struct Inside {
    pub journal: String,
    pub entries: Vec<Entry>,
    pub faults: Faults,
    pub password: String,
    pub device_secret: Vec<u8>,
    pub lease: Millis,
    pub offset: Millis,
    /// Each command as it came, in order, repetitions too.
    pub posted: Vec<Command>,
    /// Cases that `sync` says whole, once, before its entries.
    pub gained: Vec<CaseId>,
    /// Cases that `sync` says to forget, once.
    pub lost: Vec<CaseId>,
    /// What was asked of `sync`.
    pub asked: Vec<String>,
    /// What desks said over `live`.
    pub heard: Vec<Up>,
    /// The head that cursors carry.
    pub witness: Option<Witness>,
    answers: BTreeMap<CommandId, (Value, Answer)>,
    /// How many tokens there were.
    token: u64,
    /// Each person's token that holds.
    pub tokens: BTreeMap<String, u64>,
}

/// The stand-in, listening.
#[derive(Clone)]
pub struct Standin {
    inside: Arc<Mutex<Inside>>,
    head: watch::Sender<Seq>,
    catch_up: watch::Sender<u32>,
    says: broadcast::Sender<Line>,
    pub address: SocketAddr,
    stop: Arc<watch::Sender<bool>>,
}

/// One conversation with an open case.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    pub conversation: ConversationId,
    pub case: CaseId,
    pub contact: ContactId,
}

pub fn fresh() -> Uuid {
    use domain::ids::Clock;
    System.next(System.now())
}

impl Standin {
    /// Listens on a free port, with a pack and two members of staff.
    pub async fn start() -> Self {
        let inside = Inside {
            journal: "journal-1".into(),
            entries: vec![],
            faults: Faults::default(),
            password: PASSWORD.into(),
            device_secret: vec![7; 32],
            lease: 14 * 24 * 3_600_000,
            offset: 0,
            posted: vec![],
            gained: vec![],
            lost: vec![],
            asked: vec![],
            heard: vec![],
            witness: None,
            answers: BTreeMap::new(),
            token: 0,
            tokens: BTreeMap::new(),
        };
        let standin = Self {
            inside: Arc::new(Mutex::new(inside)),
            head: watch::Sender::new(0),
            catch_up: watch::Sender::new(0),
            says: broadcast::Sender::new(64),
            address: "127.0.0.1:0".parse().unwrap(),
            stop: Arc::new(watch::Sender::new(true)),
        };
        standin.found();
        standin.listen().await
    }

    /// Listens again, at the same address.
    pub async fn listen(&self) -> Self {
        let listener = loop {
            match tokio::net::TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        };
        let standin =
            Self { address: listener.local_addr().unwrap(), stop: Arc::new(watch::Sender::new(false)), ..self.clone() };
        let mut stop = standin.stop.subscribe();
        let service = Router::new()
            .route("/api/v1/session", post(sign_in).delete(sign_out))
            .route("/api/v1/sync", get(sync))
            .route("/api/v1/live", get(live))
            .route("/api/v1/commands", post(commands))
            .with_state(standin.clone());
        // What is idle is cut, and what is under way when it has been answered.
        let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
        tokio::spawn(axum::serve(listener, service).with_graceful_shutdown(stopped).into_future());
        standin
    }

    /// Stops listening and cuts every connection.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }

    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    /// What every journal begins with.
    pub fn found(&self) {
        self.append(Scope::Agency, Actor::System, None, PackChanged { sha: "1".into(), content: PACK.into() }.into());
        for (staff, username, name, roles) in
            [(me(), "lead", "نورة", vec![Role::Lead, Role::Agent]), (colleague(), "agent", "خالد", vec![Role::Agent])]
        {
            let fact = StaffChanged {
                staff,
                username: username.into(),
                name: name.into(),
                roles,
                teams: vec!["desk".into()],
                active: true,
            };
            self.append(Scope::Agency, Actor::System, None, fact.into());
        }
    }

    pub fn now(&self) -> Millis {
        use domain::ids::Clock;
        System.now() + self.inside().offset
    }

    pub fn append(&self, scope: Scope, actor: Actor, cause: Option<Uuid>, fact: Fact) -> Seq {
        let now = self.now();
        let mut inside = self.inside();
        let seq = i64::try_from(inside.entries.len()).unwrap() + 1;
        let new = NewEntry { scope, subject: Subject::Pack, actor, cause, fact };
        inside.entries.push(Entry::from_new(new, seq, EntryId(fresh()), now));
        drop(inside);
        self.head.send_replace(seq);
        seq
    }

    /// A citizen writes for the first time.
    pub fn talk(&self, name: &str, text: &str) -> Talk {
        let talk = Talk { conversation: ConversationId(fresh()), case: CaseId(fresh()), contact: ContactId(fresh()) };
        self.open(talk, name, text);
        talk
    }

    /// The same in a journal that does not know it.
    pub fn open(&self, talk: Talk, name: &str, text: &str) {
        let Talk { conversation, case, contact } = talk;
        let by = || Actor::Contact(contact);
        let scope = || Scope::Case(case);
        let line = "1055".to_owned();
        let opened = CaseOpened {
            case,
            conversation,
            number: format!("MEW-2026-{:06}", self.inside().entries.len()),
            kind: "inquiry".into(),
            team: "desk".into(),
            contact,
            line: line.clone(),
        };
        self.append(scope(), by(), None, ConversationOpened { conversation, contact, line }.into());
        self.append(scope(), by(), None, opened.into());
        let identifiers =
            vec![Identifier { kind: IdentifierKind::Phone, value: "96566041187".into(), from: 0, to: None }];
        self.append(
            scope(),
            by(),
            None,
            ContactChanged { contact, name: Some(name.into()), identifiers, merged_into: None }.into(),
        );
        self.write(talk, text);
    }

    /// The citizen writes again.
    pub fn write(&self, talk: Talk, text: &str) -> Seq {
        self.write_as(talk, text, &format!("wamid.{}", fresh()), None)
    }

    /// The citizen writes under this id of WhatsApp's, and may quote a message by its id.
    pub fn write_as(&self, talk: Talk, text: &str, wamid: &str, quoted: Option<&str>) -> Seq {
        let now = self.now();
        let fact = MessageReceived {
            message: MessageId(fresh()),
            conversation: talk.conversation,
            case: talk.case,
            wamid: wamid.into(),
            r#type: "text".into(),
            text: Some(text.into()),
            context: quoted.map(Into::into),
            media: vec![],
            sent_at: now,
            place: now,
            raw: None,
            reader: None,
        };
        self.append(Scope::Case(talk.case), Actor::Contact(talk.contact), None, fact.into())
    }

    /// A reply of mine, as a journal has it that was restored.
    pub fn append_reply(&self, talk: Talk, id: CommandId, text: &str) -> Seq {
        let recipient = Recipient { kind: IdentifierKind::Phone, value: "96566041187".into() };
        let fact = MessageQueued {
            message: MessageId(id.0),
            conversation: talk.conversation,
            case: talk.case,
            recipient,
            r#type: "text".into(),
            text: Some(text.into()),
            by: me(),
        };
        self.append(Scope::Case(talk.case), Actor::Staff(me()), Some(id.0), fact.into())
    }

    /// The citizen is erased: what was said in their case is served no more.
    pub fn erase(&self, talk: Talk) {
        self.inside().entries.iter_mut().for_each(|entry| {
            if entry.scope == Scope::Case(talk.case) {
                entry.scope = Scope::Staff(colleague());
            }
        });
        let fact = ContactErased {
            contact: talk.contact,
            contacts: vec![talk.contact],
            conversations: vec![mark(talk.conversation.0)],
            cases: vec![mark(talk.case.0)],
            number: None,
            reason: "1".into(),
        };
        self.append(Scope::Agency, Actor::System, None, fact.into());
    }

    /// A colleague gives the case to somebody.
    pub fn assign(&self, talk: Talk, staff: Option<StaffId>) -> Seq {
        let fact = CaseAssigned { case: talk.case, team: "desk".into(), staff };
        self.append(Scope::Case(talk.case), Actor::Staff(colleague()), None, fact.into())
    }

    pub fn set_status(&self, talk: Talk, message: MessageId, status: Status) -> Seq {
        let fact = MessageStatusChanged { message, wamid: None, status, error: None };
        self.append(Scope::Case(talk.case), Actor::System, None, fact.into())
    }

    /// What was held goes on.
    pub fn go_on(&self) {
        self.inside().faults.hold_after = None;
    }

    /// Tells every listener to catch up.
    pub fn say_catch_up(&self) {
        self.catch_up.send_modify(|times| *times += 1);
    }

    /// Says a line to every listener.
    pub fn say(&self, line: Line) {
        self.says.send(line).unwrap();
    }

    /// Another journal, empty but for what each begins with.
    pub fn begin_another_journal(&self) {
        let mut inside = self.inside();
        inside.journal = "journal-2".into();
        inside.entries.clear();
        inside.answers.clear();
        drop(inside);
        self.found();
    }

    /// The texts of replies in the journal, in order.
    pub fn replies(&self) -> Vec<String> {
        let text = |entry: &Entry| match &entry.fact {
            Fact::MessageQueued(body) => body.text.clone(),
            _ => None,
        };
        self.inside().entries.iter().filter_map(text).collect()
    }

    /// The texts of notes in the journal, in order.
    pub fn notes(&self) -> Vec<String> {
        let text = |entry: &Entry| match &entry.fact {
            Fact::NoteAdded(body) => Some(body.text.clone()),
            _ => None,
        };
        self.inside().entries.iter().filter_map(text).collect()
    }

    /// Does what a command asks for, as it comes.
    fn decide(&self, command: &Command) -> Outcome {
        let kind = serde_json::to_value(&command.ask).unwrap()["kind"].as_str().unwrap().to_owned();
        if let Some(code) = self.inside().faults.refuse.get(&kind) {
            return Outcome::Refused(Refusal::new(*code, "As the test asked"));
        }
        let (case, fact): (CaseId, Fact) = match command.ask.clone() {
            Ask::Reply { conversation, case, text, .. } => {
                let recipient = Recipient { kind: IdentifierKind::Phone, value: "96566041187".into() };
                let message = MessageId(command.id.0);
                let (case, r#type, by) = (case.unwrap(), "text".into(), me());
                (case, MessageQueued { message, conversation, case, recipient, r#type, text: Some(text), by }.into())
            }
            Ask::AddNote { case, text, media } => {
                (case, NoteAdded { note: NoteId(command.id.0), case, text, media }.into())
            }
            Ask::Claim { case } => (case, CaseAssigned { case, team: "desk".into(), staff: Some(me()) }.into()),
            Ask::Assign { case, staff } => {
                (case, CaseAssigned { case, team: "desk".into(), staff: Some(staff) }.into())
            }
            Ask::Release { case } => (case, CaseAssigned { case, team: "desk".into(), staff: None }.into()),
            Ask::CloseCase { case, outcome } => (case, CaseClosed { case, outcome }.into()),
            Ask::ReopenCase { case } => (case, CaseChanged { case, state: Some(CaseState::Open), kind: None }.into()),
            Ask::SettleUncertain { .. } | Ask::Recall { .. } => {
                let (message, status) = match command.ask {
                    Ask::SettleUncertain { message, settle: Settle::Sent } => (message, Status::Sent),
                    Ask::SettleUncertain { message, .. } => (message, Status::Queued),
                    Ask::Recall { message } => (message, Status::Recalled),
                    _ => unreachable!(),
                };
                let found = self.inside().entries.iter().find_map(|entry| match &entry.fact {
                    Fact::MessageQueued(body) if body.message == message => Some(body.case),
                    _ => None,
                });
                (found.unwrap(), MessageStatusChanged { message, wamid: None, status, error: None }.into())
            }
            _ => return Outcome::Accepted(vec![]),
        };
        Outcome::Accepted(vec![self.append(Scope::Case(case), Actor::Staff(me()), Some(command.id.0), fact)])
    }

    fn cursor(&self) -> Cursor {
        let now = self.now();
        let inside = self.inside();
        let seq = i64::try_from(inside.entries.len()).unwrap();
        let witness = inside.witness.clone().map(Box::new);
        Cursor { token: format!("{}:{seq}", inside.journal), seq, journal: inside.journal.clone(), now, witness }
    }

    /// After which entry `after` stands; an error for another journal's.
    fn place(&self, after: &str) -> Result<Seq, Refused> {
        let (journal, seq) = after.split_once(':').unwrap_or(("", after));
        let seq: Seq = seq.parse().unwrap();
        let inside = self.inside();
        if (!journal.is_empty() && journal != inside.journal) || seq > i64::try_from(inside.entries.len()).unwrap() {
            return Err((410, "cursor_gone"));
        }
        Ok(seq)
    }

    /// A connection that was open when the stand-in stopped says no more.
    fn listens(&self) -> Result<(), Refused> {
        if self.is_stopped() { Err((503, "not_ready")) } else { Ok(()) }
    }

    fn let_in(&self, headers: &HeaderMap) -> Result<(), Refused> {
        self.listens()?;
        let inside = self.inside();
        if let Some(status) = inside.faults.status {
            return Err((status, "fault"));
        }
        if inside.faults.revoked {
            return Err((401, "revoked"));
        }
        let given =
            headers.get("authorization").and_then(|given| given.to_str().ok()?.strip_prefix("Bearer token-canary-"));
        let holds = given.is_some_and(|given| inside.tokens.values().any(|token| token.to_string() == given));
        if inside.faults.signed_out || !holds {
            return Err((401, "signed_out"));
        }
        Ok(())
    }
}
