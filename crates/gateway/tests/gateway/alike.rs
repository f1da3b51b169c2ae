//! Whatever is asked, both homes answer alike and hold the same: random batches, decided on each beside the other.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
    },
};

use domain::{
    command::{Ask, Command, Inbound, Report, SendOutcome, SystemAsk},
    entry::{Identifier, IdentifierKind},
    ids::{CaseId, Clock, CommandId, ConversationId, DeliveryId, Ids, MessageId, Millis, StaffId},
    words::{Role, Status},
};
use gateway::{
    decider::{Aside, Decider, Given, Item, Job},
    gateway::decide_now,
    home::{Home, Place, Server, Storage},
    journal::Journal,
    keys::{ServerKey, sha256},
};
use proptest::{prelude::*, test_runner::TestRunner};
use records::Records;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    extent::{counted, times},
    house::{LINE, pack},
    postgres,
};

/// What is compared: all but salts, what follows from them, numbers that a home gives, and its own clock.
const TABLES: &[(&str, &str)] = &[
    ("entries", "seq, id, at, actor, scope, subject, cause, kind, version, body"),
    ("head", "journal, seq, at"),
    ("seen", "item, at"),
    ("commands", "staff, id, hash, answer, at"),
    ("credentials", "staff, password, code_command, code_until"),
    ("devices", "token, staff, device, since"),
    ("attempts", "username, failures, at"),
    ("positions", "staff, case_id, seq"),
    ("orphans", "wamid, at, status, error"),
    ("signed_out", "token"),
];
const ADMIN: StaffId = StaffId(Uuid::from_u128(7));

/// The same ids for both, in the same order.
struct Counted(AtomicU64);

impl Ids for Counted {
    fn next(&self, now: Millis) -> Uuid {
        numbered(u64::try_from(now).unwrap(), self.0.fetch_add(1, SeqCst))
    }
}

fn numbered(now: u64, n: u64) -> Uuid {
    Uuid::from_u128((u128::from(now) << 80) | (7 << 76) | (2 << 62) | u128::from(n))
}

struct Shared(Arc<AtomicI64>);

impl Clock for Shared {
    fn now(&self) -> Millis {
        self.0.load(SeqCst)
    }
}

struct Side {
    place: Place,
    decider: Decider,
}

impl Side {
    fn new(place: Place, now: &Arc<AtomicI64>) -> Self {
        let journal = Journal::make(&place, Uuid::from_u128(1)).unwrap();
        let records = Records::open(rusqlite::Connection::open_in_memory().unwrap()).unwrap();
        let (clock, ids) = (Arc::new(Shared(Arc::clone(now))), Arc::new(Counted(AtomicU64::new(1))));
        let key = Arc::new(ServerKey::from_bytes([3; 32]));
        let mut decider = Decider::new("mew", journal, records, key, clock, ids);
        for ask in [
            SystemAsk::LoadPack { content: std::fs::read_to_string(pack()).unwrap() },
            SystemAsk::ConfigureLine { line: LINE.into(), display_number: "+965 22000000".into() },
            SystemAsk::AddFirstStaff { staff: ADMIN, username: "admin".into(), name: "مسؤول".into() },
        ] {
            decide_now(&mut decider, ask).unwrap().unwrap();
        }
        Self { place, decider }
    }

    /// Decides a batch; what each was answered.
    fn batch(&mut self, wanted: Vec<Wanted>) -> Vec<String> {
        let (jobs, looks): (Vec<_>, Vec<_>) = wanted.into_iter().map(Wanted::job).unzip();
        for then in self.decider.batch(jobs).unwrap().answers {
            then();
        }
        looks.into_iter().map(|look| look()).collect()
    }

    fn ids(&self, sql: &str) -> Vec<Uuid> {
        let mut select = self.decider.records().connection().prepare(sql).unwrap();
        select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn rows(&self) -> Vec<String> {
        let home = Home::reader(&self.place).unwrap();
        let mut all = Vec::new();
        for (table, columns) in TABLES {
            let found = home.query(&format!("SELECT {columns} FROM {table}"), &[]).unwrap();
            let mut rows: Vec<_> = found.into_iter().map(|row| format!("{table}: {:?}", row.into_values())).collect();
            rows.sort();
            all.extend(rows);
        }
        all
    }
}

/// One thing to decide, which can be made twice.
#[derive(Clone)]
enum Wanted {
    Inbound(Vec<([u8; 32], SystemAsk)>),
    System(SystemAsk),
    Command(StaffId, CommandId, Ask),
    Account { what: u8, whom: StaffId, n: u8, case: CaseId },
}

type Look = Box<dyn FnOnce() -> String>;

fn look<T: std::fmt::Debug + 'static>(mut answer: oneshot::Receiver<T>) -> Look {
    Box::new(move || format!("{:?}", answer.try_recv()))
}

/// Tokens that hold no longer: no home promises an order.
fn any_order(mut tokens: Vec<[u8; 32]>) -> String {
    tokens.sort_unstable();
    format!("{tokens:?}")
}

impl Wanted {
    fn job(self) -> (Job, Look) {
        match self {
            Self::Inbound(items) => {
                let (done, answer) = oneshot::channel();
                let items = items.into_iter().map(|(key, ask)| Item { key, ask }).collect();
                (Job::Inbound { cause: DeliveryId(numbered(1, 1)), items, done }, look(answer))
            }
            Self::System(ask) => {
                let (done, answer) = oneshot::channel();
                (Job::System { ask, done }, look(answer))
            }
            Self::Command(staff, id, ask) => {
                let (done, answer) = oneshot::channel();
                let hash = sha256(format!("{ask:?}").as_bytes());
                let given = Given { id, hash, command: Ok(Command { id, ask }) };
                (Job::Command { staff, given, done }, look(answer))
            }
            Self::Account { what, whom, n, case } => {
                let (done, answer) = oneshot::channel();
                let aside: Aside = Box::new(move |batch, _| {
                    let (token, name) = ([n; 32], format!("desk {}", n % 3));
                    let told = match what {
                        0 => any_order(batch.add_device(&token, whom, &name, 5)?),
                        1 => any_order(batch.revoke_devices(whom)?),
                        2 => format!("{:?}", batch.give_code(whom, CommandId(numbered(1, n.into())), n.into())?),
                        3 => any_order(batch.set_password(whom, &name)?),
                        4 => format!("{:?}", batch.count_failure(&name, n.into(), n.saturating_sub(9).into())?),
                        5 => format!("{:?}", batch.clear_failures(&name)?),
                        _ => format!("{:?}", batch.seen_up_to(whom, case, n.into())?),
                    };
                    Ok(Box::new(move || {
                        let _ = done.send((told, "committed"));
                        None
                    }))
                });
                (Job::Aside(aside), look(answer))
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Op {
    Write { from: u8, key: u8, quotes: bool },
    Status { key: u8, of: u8, word: u8 },
    Act { id: u8, what: u8, of: u8, text: u8, by: bool },
    Send { of: u8, how: u8 },
    Account { what: u8, whom: bool, n: u8 },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..4_u8, 0..20_u8, any::<bool>()).prop_map(|(from, key, quotes)| Op::Write { from, key, quotes }),
        2 => (0..9_u8, 0..6_u8, 0..4_u8).prop_map(|(key, of, word)| Op::Status { key, of, word }),
        5 => (0..30_u8, 0..7_u8, any::<u8>(), 0..3_u8, any::<bool>())
            .prop_map(|(id, what, of, text, by)| Op::Act { id, what, of, text, by }),
        3 => (any::<u8>(), 0..4_u8).prop_map(|(of, how)| Op::Send { of, how }),
        3 => (0..7_u8, any::<bool>(), any::<u8>()).prop_map(|(what, whom, n)| Op::Account { what, whom, n }),
    ]
}

/// What an operation asks for, where there is something to ask it of.
fn wanted(op: &Op, side: &Side, now: Millis, agent: StaffId) -> Option<Wanted> {
    let pick = |ids: Vec<Uuid>, n: u8| (!ids.is_empty()).then(|| ids[usize::from(n) % ids.len()]);
    let case = |n| pick(side.ids("SELECT id FROM cases ORDER BY opened_seq"), n).map(CaseId);
    Some(match op {
        Op::Write { from, key, quotes } => {
            let wamid = format!("wamid.{key}");
            let phone =
                Identifier { kind: IdentifierKind::Phone, value: format!("9655000000{from}"), from: now, to: None };
            let inbound = Inbound {
                line: LINE.into(),
                wamid: wamid.clone(),
                identifiers: vec![phone],
                name: Some(format!("مراجع {from}")),
                r#type: "text".into(),
                text: Some("السلام عليكم 'x' \" \u{0} \\".replace('\0', "")),
                context: quotes.then(|| format!("wamid.{}", key / 2)),
                media: vec![],
                sent_at: now,
                received_at: now,
                raw: None,
                reader: 1,
            };
            Wanted::Inbound(vec![(sha256(wamid.as_bytes()), SystemAsk::Receive(Box::new(inbound)))])
        }
        Op::Status { key, of, word } => {
            let status = [Status::Sent, Status::Delivered, Status::Read, Status::Failed][usize::from(*word)];
            let report = Report { message: None, wamid: format!("out.{of}"), status, error: None };
            Wanted::Inbound(vec![([100 + key; 32], SystemAsk::Report(report))])
        }
        Op::Act { id, what, of, text, by } => {
            let case = case(*of)?;
            let text = format!("نص {text}");
            let ask = match what {
                0 => Ask::Claim { case },
                1 => Ask::Release { case },
                2 => Ask::AddNote { case, text, media: vec![] },
                3 => Ask::CloseCase { case, outcome: "resolved".into() },
                4 => Ask::ReopenCase { case },
                _ => {
                    let conversation = ConversationId(pick(side.ids("SELECT id FROM conversations ORDER BY id"), *of)?);
                    Ask::Reply { conversation, case: None, text, seen: i64::MAX }
                }
            };
            Wanted::Command(if *by { agent } else { ADMIN }, CommandId(numbered(9, 500 + u64::from(*id))), ask)
        }
        Op::Send { of, how } => {
            let sql = "SELECT id FROM messages WHERE inbound = 0 ORDER BY seq";
            let message = MessageId(pick(side.ids(sql), *of)?);
            let sql = format!("SELECT coalesce(status_seq, 0) FROM messages WHERE id = x'{}'", message.0.simple());
            let begun = side.decider.records().connection().query_row(&sql, [], |row| row.get(0)).unwrap();
            Wanted::System(match how {
                0 | 1 => SystemAsk::BeginSending { message },
                2 => SystemAsk::EndSending { message, begun, outcome: SendOutcome::NotSent },
                _ => {
                    let outcome = SendOutcome::Accepted { wamid: format!("out.{}", of % 6) };
                    SystemAsk::EndSending { message, begun, outcome }
                }
            })
        }
        Op::Account { what, whom, n } => Wanted::Account {
            what: *what,
            whom: if *whom { agent } else { ADMIN },
            n: *n,
            case: case(*n).unwrap_or(CaseId(Uuid::nil())),
        },
    })
}

fn alike(batches: &[(Vec<Op>, i64)], folder: &Path) -> Result<(), TestCaseError> {
    let now = Arc::new(AtomicI64::new(1_790_000_000_000));
    let server = Arc::new(Server::new(&postgres::database(postgres::shared()), None, None).unwrap());
    let mut file = Side::new(Place::Sqlite(folder.join("journal.db")), &now);
    let mut server = Side::new(Storage::Postgres(server).journal("mew"), &now);
    let (roles, teams) = (vec![Role::Agent], vec!["customer-service".into()]);
    let agent = StaffId(numbered(9, 1));
    let hired = Ask::AddStaff { username: "agent1".into(), name: "موظف".into(), roles, teams };
    let hired = vec![Wanted::Command(ADMIN, CommandId(agent.0), hired)];
    prop_assert_eq!(file.batch(hired.clone()), server.batch(hired));
    for (ops, minutes) in batches {
        now.fetch_add(minutes * 60_000, SeqCst);
        let ops: Vec<_> = ops.iter().filter_map(|op| wanted(op, &file, now.load(SeqCst), agent)).collect();
        prop_assert_eq!(file.batch(ops.clone()), server.batch(ops));
        prop_assert_eq!(file.rows(), server.rows());
    }
    for side in [file, server] {
        let head = gateway::verify::journal(side.place.clone(), &[]).unwrap();
        prop_assert!(head.is_ok(), "{:?}", head);
    }
    Ok(())
}

#[test]
fn both_homes_answer_alike_and_hold_the_same() {
    let cases = u32::try_from(times(8, 500, 5000)).unwrap();
    let batches = prop::collection::vec((prop::collection::vec(op(), 1..12), 0..400_i64), 1..12);
    let config = ProptestConfig { cases, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config).run(&batches, |batches| alike(&batches, tempfile::tempdir().unwrap().path())).unwrap();
    counted(serde_json::json!({ "sequences": cases }));
}
