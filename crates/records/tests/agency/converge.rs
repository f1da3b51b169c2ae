//! Whatever happens, and whenever a desk looks: who followed it all and who starts afresh hold the same rows.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use domain::{
    command::Ask,
    entry::{Entry, Fact, Scope},
    ids::{CaseId, MediaId, Seq, StaffId, Team},
    words::{Role, Status},
};
use proptest::prelude::*;
use records::Records;
use rusqlite::{Connection, types::Value};

use crate::{Agency, MINUTE, Received, close};

/// A desk as far as the records are concerned: what the gateway says to one person, applied as the desk applies it.
struct Follower {
    me: StaffId,
    records: Records,
    /// The last cursor.
    at: Seq,
    /// The last entry, which may have come over the live stream.
    heard: Seq,
    /// Told to catch up, and not done yet.
    deaf: bool,
}

impl Follower {
    fn new(me: StaffId) -> Self {
        Self { me, records: Records::open(Connection::open_in_memory().unwrap()).unwrap(), at: 0, heard: 0, deaf: true }
    }

    /// What came meanwhile over the live stream, which brings no cursor, and ends where sight changes.
    fn listen(&mut self, agency: &Agency) {
        let heard = self.heard;
        for entry in agency.journal.iter().filter(|entry| entry.seq > heard && !is_erased(entry)) {
            let (before, now) = (entry.seq - 1, entry.seq);
            let viewer = agency.records.viewer_at(self.me, now).unwrap();
            // What is written before its case is opened, in the same decision, goes with it.
            let born = |at| match entry.scope {
                Scope::Case(case) => {
                    (at..).find(|at| agency.records.audience_at(case, *at).unwrap().is_some()).unwrap()
                }
                Scope::Agency | Scope::Staff(_) => at,
            };
            let sees = |at| agency.records.sees(&viewer, &entry.scope, born(at)).unwrap();
            let moved = matches!(entry.scope, Scope::Case(case) if agency.records.audience_at(case, before).unwrap().is_some())
                && sees(before) != sees(now);
            self.deaf |= moved || agency.records.viewer_at(self.me, before).unwrap() != viewer;
            if self.deaf {
                return;
            }
            if sees(now) {
                self.records.apply(entry).unwrap();
            }
            self.heard = now;
        }
    }

    /// Asks what came since; whose account is not in use is not let in.
    fn catch_up(&mut self, agency: &Agency) {
        let through = Seq::try_from(agency.journal.len()).unwrap();
        let viewer = agency.records.viewer_at(self.me, through).unwrap();
        if !viewer.active {
            return;
        }
        let change = agency.records.sight_change(self.me, self.at, through).unwrap();
        for case in change.lost {
            self.records.forget_case(case).unwrap();
        }
        for case in &change.gained {
            self.records.forget_case(*case).unwrap();
            for entry in agency.journal.iter().filter(|entry| entry.scope == Scope::Case(*case) && !is_erased(entry)) {
                self.records.apply(entry).unwrap();
            }
        }
        let whole = |entry: &Entry| matches!(entry.scope, Scope::Case(case) if change.gained.contains(&case));
        for entry in agency.journal.iter().filter(|entry| entry.seq > self.at && !whole(entry) && !is_erased(entry)) {
            if entry.seq > self.heard && agency.records.sees(&viewer, &entry.scope, through).unwrap() {
                self.records.apply(entry).unwrap();
            }
        }
        (self.at, self.heard, self.deaf) = (through, through, false);
    }
}

/// What was erased is told to nobody.
fn is_erased(entry: &Entry) -> bool {
    matches!(entry.fact, Fact::Erased { .. })
}

/// Every row of every table that comes of entries, in an order that does not depend on how it came.
fn rows(records: &Records) -> Vec<String> {
    let connection = records.connection();
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let mut all = BTreeSet::new();
    for table in tables.iter().filter(|table| !matches!(table.as_str(), "seen" | "meta")) {
        let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let names: Vec<String> = select.column_names().map(str::to_owned).collect();
        let mut found = select.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let cells = names.iter().enumerate().map(|(n, name)| match row.get::<_, Value>(n).unwrap() {
                Value::Blob(id) => format!("{name}={}", data_encoding::HEXLOWER.encode(&id)),
                other => format!("{name}={other:?}"),
            });
            all.insert(format!("{table}: {}", cells.collect::<Vec<_>>().join(" ")));
        }
    }
    all.into_iter().collect()
}

#[derive(Debug, Clone)]
enum Act {
    Write { bsuid: u8, phone: u8, line: bool, text: bool, quotes: u8 },
    Reply { staff: u8, to: u8 },
    Note { staff: u8, on: u8 },
    Claim { staff: u8, case: u8 },
    Assign { staff: u8, case: u8 },
    Release { case: u8 },
    Transfer { case: u8, team: u8 },
    Close { case: u8 },
    Reopen { case: u8 },
    Erase { whom: u8 },
    Recall { message: u8 },
    Teams { staff: u8, teams: u8 },
    Active { staff: u8, active: bool },
    Report { message: u8, status: u8 },
    Wait { minutes: i64 },
    Look { staff: u8 },
    Listen { staff: u8 },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0..3_u8, 0..3_u8, prop::bool::weighted(0.8), prop::bool::weighted(0.8), any::<u8>())
            .prop_map(|(bsuid, phone, line, text, quotes)| Act::Write { bsuid, phone, line, text, quotes }),
        5 => any::<(u8, u8)>().prop_map(|(staff, to)| Act::Reply { staff, to }),
        2 => any::<(u8, u8)>().prop_map(|(staff, on)| Act::Note { staff, on }),
        2 => any::<(u8, u8)>().prop_map(|(staff, case)| Act::Claim { staff, case }),
        1 => any::<(u8, u8)>().prop_map(|(staff, case)| Act::Assign { staff, case }),
        1 => any::<u8>().prop_map(|case| Act::Release { case }),
        4 => any::<(u8, u8)>().prop_map(|(case, team)| Act::Transfer { case, team }),
        3 => any::<u8>().prop_map(|case| Act::Close { case }),
        4 => any::<u8>().prop_map(|case| Act::Reopen { case }),
        1 => any::<u8>().prop_map(|whom| Act::Erase { whom }),
        1 => any::<u8>().prop_map(|message| Act::Recall { message }),
        3 => any::<(u8, u8)>().prop_map(|(staff, teams)| Act::Teams { staff, teams }),
        1 => any::<(u8, bool)>().prop_map(|(staff, active)| Act::Active { staff, active }),
        2 => any::<(u8, u8)>().prop_map(|(message, status)| Act::Report { message, status }),
        2 => prop::sample::select(vec![1, 13 * 60]).prop_map(|minutes| Act::Wait { minutes }),
        3 => any::<u8>().prop_map(|staff| Act::Look { staff }),
        4 => any::<u8>().prop_map(|staff| Act::Listen { staff }),
    ]
}

fn pick<T: Clone>(from: &[T], n: u8) -> Option<T> {
    from.get(usize::from(n).checked_rem(from.len())?).cloned()
}

/// One agency with three people of two teams, the third of whom always sees all.
struct World {
    agency: Agency,
    staff: Vec<StaffId>,
    desks: Vec<Follower>,
    received: Vec<Received>,
    sent: Vec<domain::ids::MessageId>,
}

impl World {
    fn new() -> Self {
        let mut agency = Agency::new();
        let mut staff = vec![agency.staff("a", Role::Agent, "desk"), agency.staff("b", Role::Agent, "faults")];
        let ask = Ask::AddStaff {
            username: "lead".into(),
            name: "lead".into(),
            roles: vec![Role::Lead],
            teams: vec!["desk".into(), "faults".into()],
        };
        staff.push(StaffId(agency.ask(agency.admin, ask).unwrap().0));
        let desks = staff.iter().map(|staff| Follower::new(*staff)).collect();
        Self { agency, staff, desks, received: vec![], sent: vec![] }
    }

    fn case(&self, n: u8) -> Option<CaseId> {
        pick(&self.received, n).map(|received| received.case)
    }

    fn lead(&self) -> StaffId {
        self.staff[2]
    }

    /// Does it, where it can be done: what is refused changes nothing, which is as good.
    fn act(&mut self, act: &Act) -> Option<()> {
        let asked = match *act {
            Act::Write { bsuid, phone, line, text, quotes } => {
                self.agency.line.set(if line { "100" } else { "200" });
                let names = [None, Some("1"), Some("2")];
                let (bsuid, phone) = (names[usize::from(bsuid)], names[usize::from(phone)]);
                bsuid.or(phone)?;
                let bsuid = bsuid.map(|n| format!("KW.{n}"));
                let phone = phone.map(|n| format!("9656604118{n}"));
                let quoted = pick(&self.received, quotes).filter(|_| quotes.is_multiple_of(3));
                let quoted = quoted.map(|received| received.wamid);
                self.agency.file.set(MediaId([quotes % 3; 32]));
                let r#type = if text { "text" } else { "sticker" };
                let received = self.agency.receive(bsuid.as_deref(), phone.as_deref(), r#type, quoted.as_deref());
                self.received.push(received);
                return Some(());
            }
            Act::Reply { staff, to } => {
                let (staff, to) = (pick(&self.staff, staff)?, pick(&self.received, to)?);
                self.sent.push(self.agency.reply(staff, &to).ok()?);
                return Some(());
            }
            Act::Report { message, status } => {
                let all = [Status::Sent, Status::Delivered, Status::Read, Status::Failed];
                let message = pick(&self.sent, message)?;
                self.agency.records.message(message).unwrap()?;
                self.agency.report(message, pick(&all, status)?);
                return Some(());
            }
            Act::Wait { minutes } => {
                self.agency.now.set(self.agency.now.get() + minutes * MINUTE);
                return Some(());
            }
            Act::Look { staff } => {
                let n = usize::from(staff) % self.desks.len();
                self.desks[n].catch_up(&self.agency);
                return Some(());
            }
            Act::Listen { staff } => {
                let n = usize::from(staff) % self.desks.len();
                self.desks[n].listen(&self.agency);
                return Some(());
            }
            Act::Note { staff, on } => {
                let media = if on.is_multiple_of(2) { vec![MediaId([staff % 3; 32])] } else { vec![] };
                (pick(&self.staff, staff)?, Ask::AddNote { case: self.case(on)?, text: "ملاحظة".into(), media })
            }
            Act::Claim { staff, case } => (pick(&self.staff, staff)?, Ask::Claim { case: self.case(case)? }),
            Act::Assign { staff, case } => {
                (self.lead(), Ask::Assign { case: self.case(case)?, staff: pick(&self.staff, staff)? })
            }
            Act::Release { case } => (self.lead(), Ask::Release { case: self.case(case)? }),
            Act::Transfer { case, team } => {
                (self.lead(), Ask::Transfer { case: self.case(case)?, team: pick(&["desk", "faults"], team)?.into() })
            }
            Act::Close { case } => (self.lead(), close(self.case(case)?)),
            Act::Reopen { case } => (self.lead(), Ask::ReopenCase { case: self.case(case)? }),
            Act::Erase { whom } => {
                let conversation = pick(&self.received, whom)?.conversation;
                let contact = self.agency.records.row(conversation).unwrap()?.contact;
                (self.agency.admin, Ask::EraseContact { contact, reason: "كتاب 12".into() })
            }
            Act::Recall { message } => (self.lead(), Ask::Recall { message: pick(&self.sent, message)? }),
            Act::Teams { staff, teams } => {
                let choice: [&[&str]; 4] = [&[], &["desk"], &["faults"], &["desk", "faults"]];
                let teams: Vec<Team> = pick(&choice, teams)?.iter().map(|team| (*team).to_owned()).collect();
                let staff = pick(&self.staff[..2], staff)?;
                let change = Ask::ChangeStaff { staff, name: None, roles: None, teams: Some(teams), active: None };
                (self.agency.admin, change)
            }
            Act::Active { staff, active } => {
                let staff = pick(&self.staff[..2], staff)?;
                let change = Ask::ChangeStaff { staff, name: None, roles: None, teams: None, active: Some(active) };
                (self.agency.admin, change)
            }
        };
        self.agency.ask(asked.0, asked.1).ok().map(drop)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_time: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_followed_it_all_and_who_starts_afresh_hold_the_same(acts in prop::collection::vec(act(), 1..120)) {
        converge(&acts);
    }
}

fn converge(acts: &[Act]) {
    let mut world = World::new();
    for act in acts {
        world.act(act);
    }
    for (n, desk) in world.desks.iter_mut().enumerate() {
        let back = Ask::ChangeStaff { staff: world.staff[n], name: None, roles: None, teams: None, active: Some(true) };
        world.agency.ask(world.agency.admin, back).unwrap();
        desk.catch_up(&world.agency);
        let mut fresh = Follower::new(desk.me);
        fresh.catch_up(&world.agency);
        same(&desk.records, &fresh.records);
    }
    // Who sees all has what the gateway has.
    world.desks[2].catch_up(&world.agency);
    same(&world.desks[2].records, &world.agency.records);
}

pub(crate) fn same(one: &Records, other: &Records) {
    let (one, other) = (rows(one), rows(other));
    let only = |of: &[String], not: &[String]| of.iter().filter(|row| !not.contains(row)).cloned().collect::<Vec<_>>();
    assert_eq!(only(&one, &other), only(&other, &one));
    assert_eq!(one.len(), other.len());
}

fn write(bsuid: u8, phone: u8, line: bool) -> Act {
    Act::Write { bsuid, phone, line, text: true, quotes: 1 }
}

const A_DAY: Act = Act::Wait { minutes: 24 * 60 - 1 };

#[test]
fn of_messages_with_one_place_the_later_is_the_last_whatever_comes_first() {
    let again = [A_DAY, write(0, 1, true), Act::Reopen { case: 0 }];
    let replies = [Act::Reply { staff: 2, to: 0 }, Act::Reply { staff: 2, to: 1 }];
    let there_and_back =
        [Act::Transfer { case: 0, team: 1 }, Act::Look { staff: 0 }, Act::Transfer { case: 0, team: 0 }];
    let begin = [write(0, 1, true), Act::Close { case: 0 }];
    converge(&[&begin[..], &again, &replies, &there_and_back].concat());
}

#[test]
fn a_conversation_is_named_as_the_first_case_that_is_here_names_it() {
    let joined = [write(0, 1, true), write(1, 0, false), write(1, 1, false), Act::Close { case: 0 }];
    let both = [A_DAY, write(1, 0, true), Act::Reopen { case: 0 }, Act::Look { staff: 0 }];
    let lost = [Act::Transfer { case: 0, team: 1 }];
    converge(&[&joined[..], &both, &lost].concat());
}

#[test]
fn what_a_case_was_told_of_its_contact_leaves_with_it() {
    let two = [write(2, 1, true), Act::Look { staff: 0 }, write(1, 1, true), Act::Look { staff: 0 }];
    converge(&[&two[..], &[Act::Transfer { case: 0, team: 1 }]].concat());
    converge(&[&two[..], &[Act::Transfer { case: 1, team: 1 }]].concat());
}

#[test]
fn a_case_that_came_and_went_between_two_cursors_is_forgotten() {
    let came = [Act::Look { staff: 0 }, write(0, 1, true), Act::Listen { staff: 0 }];
    converge(&[&came[..], &[Act::Transfer { case: 0, team: 1 }, Act::Listen { staff: 0 }]].concat());
}

#[test]
fn a_case_that_is_given_to_my_team_soon_after_it_began_comes_whole() {
    let began =
        [Act::Look { staff: 1 }, write(0, 1, true), Act::Teams { staff: 0, teams: 1 }, Act::Listen { staff: 1 }];
    converge(&[&began[..], &[Act::Transfer { case: 0, team: 1 }, Act::Listen { staff: 1 }]].concat());
}
