//! What came from the gateway, made into steps, and the steps written into the records.
//!
//! Lines become steps outside of any transaction: a case that came into sight is one step, however many entries it has,
//! so it is replaced whole or not at all. A batch of steps is one transaction: entries, rows, and where the desk stands.
//!
//! The records' own `seq` is the last entry applied in order. What comes again after a break is known by it and skipped;
//! a cursor moves only the token from which the next catch-up resumes.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    entry::{Actor, Entry, Fact, Scope},
    ids::{CaseId, CommandId, ConversationId, Millis, Seq, StaffId},
    wire::{Cursor, Forget, Line, Linked, Position, Presence, Witness},
};
use records::{Records, Stand};
use serde_json::Value;

/// Beside the rows: the token of the last cursor.
const TOKEN: &str = "token";
/// Beside the rows: the gateway's clock at the last cursor.
const SYNCED_AT: &str = "synced_at";
/// Beside the rows: whether the first sync has come to its end.
const WHOLE: &str = "whole";

/// One step, done whole or not at all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// A fact, in order.
    Entry(Box<Linked>),
    /// A case that came into sight: replaces what is there.
    Case { case: CaseId, through: Seq, entries: Vec<Entry> },
    /// A case that went out of sight.
    Forget(CaseId),
    /// Up to where I have seen a case, at whichever desk.
    Position(Position),
    /// The desk stands here.
    Cursor(Cursor),
}

/// What one line of the stream says to the desk.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    /// Something to do.
    Step(Step),
    /// Part of a case that is still coming.
    More,
    /// Ask `sync`.
    CatchUp,
    /// Where a colleague is.
    Presence(Presence),
    /// Something that only a newer program understands.
    Unknown,
}

/// A line that is none.
#[derive(Debug, thiserror::Error)]
#[error("A line of the stream cannot be read: {0}")]
pub(crate) struct Unreadable(String);

/// Makes steps of lines.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    case: Option<(CaseId, Seq, Vec<Entry>)>,
}

impl Steps {
    /// Takes one line.
    pub(crate) fn take(&mut self, line: &[u8]) -> Result<Said, Unreadable> {
        let Some(line) = read(line)? else { return Ok(Said::Unknown) };
        Ok(match line {
            Line::Case(gained) => {
                self.case = Some((gained.id, gained.through, Vec::new()));
                Said::More
            }
            Line::Entry(linked) => match &mut self.case {
                Some((_, _, entries)) => {
                    entries.push(linked.entry);
                    Said::More
                }
                None => Said::Step(Step::Entry(linked)),
            },
            Line::CaseEnd(end) => match self.case.take() {
                Some((case, through, entries)) if case == end.id => Said::Step(Step::Case { case, through, entries }),
                _ => return Err(Unreadable("a case ends that did not begin".into())),
            },
            Line::Forget(Forget::Case(case)) => Said::Step(Step::Forget(case)),
            Line::Cursor(cursor) => Said::Step(Step::Cursor(cursor)),
            Line::CatchUp(_) => Said::CatchUp,
            Line::Presence(presence) => Said::Presence(presence),
            Line::Position(position) => Said::Step(Step::Position(position)),
        })
    }
}

/// Reads a line; `None` for one of a kind that a newer gateway sends.
fn read(bytes: &[u8]) -> Result<Option<Line>, Unreadable> {
    let error = match serde_json::from_slice(bytes) {
        Ok(line) => return Ok(Some(line)),
        Err(error) => error,
    };
    let value: Value = serde_json::from_slice(bytes).map_err(|error| Unreadable(place_of(&error)))?;
    let Some((kind, body)) = value.as_object().and_then(|object| object.iter().next()) else {
        return Err(Unreadable("not an object".into()));
    };
    match kind.as_str() {
        // A body that does not fit its kind is kept raw, like a kind that is not known: the stream must not end here.
        "entry" => {
            let mut body = body.clone();
            let known = body.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(kind) = body.get_mut("kind") {
                *kind = Value::String(format!("unreadable {known}"));
            }
            let linked: Linked = serde_json::from_value(body).map_err(|_| Unreadable(place_of(&error)))?;
            tracing::warn!(
                seq = linked.entry.seq,
                kind = known,
                error = place_of(&error),
                "An entry cannot be read and is kept raw"
            );
            Ok(Some(Line::Entry(Box::new(linked))))
        }
        "case" | "case_end" | "cursor" | "catch_up" => Err(Unreadable(place_of(&error))),
        _ => Ok(None),
    }
}

/// What is wrong with JSON, and where. The error itself quotes what it found, which may be a citizen's words, and goes
/// into a log.
pub(crate) fn place_of(error: &serde_json::Error) -> String {
    format!("{:?} error at line {}, column {}", error.classify(), error.line(), error.column())
}

/// Where the desk stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// From where the next catch-up resumes; `0` at first.
    pub(crate) after: String,
    /// The last entry applied.
    pub(crate) seq: Seq,
    /// The gateway's clock when the desk last stood at its head.
    pub(crate) synced_at: Option<Millis>,
    /// Whether the first sync has come to its end.
    pub(crate) whole: bool,
}

impl Standing {
    pub(crate) fn of(records: &Records) -> anyhow::Result<Self> {
        Ok(Self {
            after: records.meta(TOKEN)?.unwrap_or_else(|| "0".into()),
            seq: records.stand()?.seq,
            synced_at: records.meta(SYNCED_AT)?.and_then(|at| at.parse().ok()),
            whole: records.meta(WHOLE)?.is_some(),
        })
    }
}

/// What a batch changed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Conversations whose rows changed.
    pub(crate) conversations: BTreeSet<ConversationId>,
    /// Whether staff, pack or lines changed.
    pub(crate) agency: bool,
    /// Whether something went out of sight, and must leave the disk too.
    pub(crate) forgot: bool,
    /// Whether somebody was erased, and the traces must go.
    pub(crate) erased: bool,
    /// My commands of which entries came.
    pub(crate) causes: Vec<CommandId>,
    /// Up to where I have seen cases, as the gateway knows it.
    pub(crate) positions: Vec<Position>,
    /// Heads that the gateway has signed.
    pub(crate) witnesses: Vec<Witness>,
    /// What may deserve a notification.
    pub(crate) news: Vec<Entry>,
    /// How many entries were applied.
    pub(crate) entries: u32,
    /// The last seq that is here now.
    pub(crate) seq: Seq,
}

/// The cases that this stream brought whole, and up to where.
pub(crate) type Gained = BTreeMap<CaseId, Seq>;

/// Writes steps into the records, in the caller's transaction.
pub(crate) fn apply(
    records: &mut Records,
    steps: &[Step],
    gained: &mut Gained,
    me: StaffId,
) -> anyhow::Result<Changes> {
    let mut stand = records.stand()?;
    let mut changes = Changes::default();
    for step in steps {
        match step {
            Step::Entry(linked) => {
                let entry = &linked.entry;
                let through = match &entry.scope {
                    Scope::Case(case) => gained.get(case).copied(),
                    Scope::Agency | Scope::Staff(_) => None,
                };
                if entry.seq > through.unwrap_or(stand.seq) {
                    apply_entry(records, entry, &mut changes, me)?;
                }
                stand.seq = stand.seq.max(entry.seq);
            }
            Step::Case { case, through, entries } => {
                changes.conversations.extend(records.forget_case(*case)?);
                for entry in entries {
                    apply_entry(records, entry, &mut changes, me)?;
                }
                gained.insert(*case, *through);
            }
            Step::Forget(case) => {
                changes.conversations.extend(records.forget_case(*case)?);
                changes.forgot = true;
                gained.remove(case);
            }
            Step::Position(position) => {
                if records.set_seen(position.case, position.seq)? {
                    changes.conversations.extend(records.case(position.case)?.map(|case| case.conversation));
                }
                changes.positions.push(*position);
            }
            Step::Cursor(cursor) => {
                changes.witnesses.extend(cursor.witness.as_deref().cloned());
                records.set_meta(TOKEN, &cursor.token)?;
                records.set_meta(SYNCED_AT, &cursor.now.to_string())?;
                stand.journal.clone_from(&cursor.journal);
                changes.seq = changes.seq.max(cursor.seq);
            }
        }
    }
    changes.seq = changes.seq.max(stand.seq);
    records.set_stand(&stand)?;
    Ok(changes)
}

fn apply_entry(records: &mut Records, entry: &Entry, changes: &mut Changes, me: StaffId) -> anyhow::Result<()> {
    let applied = records.apply(entry)?;
    changes.conversations.extend(applied.conversation);
    changes.agency |= applied.agency;
    changes.entries += 1;
    changes.erased |= matches!(entry.fact, Fact::ContactErased(_));
    if entry.actor == Actor::Staff(me) {
        changes.causes.extend(entry.cause.map(CommandId));
    } else if matches!(entry.fact, Fact::MessageReceived(_) | Fact::CaseOpened(_) | Fact::CaseAssigned(_)) {
        changes.news.push(entry.clone());
    }
    Ok(())
}

/// The first sync has come to its end. What was answered before this desk knew of it is not new to this person.
pub(crate) fn first_sync_ended(records: &Records) -> anyhow::Result<()> {
    records.set_meta(WHOLE, "1")?;
    records.connection().execute(
        "INSERT INTO seen (case_id, seq)
         SELECT id, CASE WHEN waiting THEN max(last_reply, closed_seq) ELSE last_seq END FROM cases WHERE true
         ON CONFLICT (case_id) DO NOTHING",
        [],
    )?;
    Ok(())
}

/// Another journal has begun: nothing here holds any more.
pub(crate) fn start_afresh(records: &mut Records) -> anyhow::Result<()> {
    records.wipe()?;
    records.connection().execute("DELETE FROM seen", [])?;
    records.set_stand(&Stand { journal: String::new(), seq: 0, chain: domain::chain::START })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CASE: &str = "01900000-0000-7000-8000-00000000000c";

    fn entry(seq: Seq, prev: Seq, kind: &str, body: &Value) -> Vec<u8> {
        json!({"entry": {"seq": seq, "prev": prev, "id": format!("01900000-0000-7000-8000-{seq:012x}"), "at": seq,
            "scope": format!("case:{CASE}"), "subject": format!("case:{CASE}"), "actor": "system", "cause": null,
            "kind": kind, "version": 1, "body": body}})
        .to_string()
        .into_bytes()
    }

    fn opened(seq: Seq) -> Vec<u8> {
        entry(
            seq,
            0,
            "case_opened",
            &json!({"case": CASE, "conversation": "01900000-0000-7000-8000-0000000000c0", "number": "MEW-2026-000001",
            "kind": "inquiry", "team": "desk", "contact": "01900000-0000-7000-8000-0000000000c1", "line": "1"}),
        )
    }

    fn note(seq: Seq, n: u32) -> Vec<u8> {
        let note = format!("01900000-0000-7000-8000-0000000a{n:04x}");
        let mut line: Value =
            serde_json::from_slice(&entry(seq, 0, "note_added", &json!({"note": note, "case": CASE, "text": "س"})))
                .unwrap();
        line["entry"]["actor"] = json!("staff:01900000-0000-7000-8000-0000000000f1");
        line.to_string().into_bytes()
    }

    fn steps(lines: &[Vec<u8>]) -> Vec<Step> {
        let mut steps = Steps::default();
        let said = lines.iter().map(|line| steps.take(line).unwrap());
        said.filter_map(|said| if let Said::Step(step) = said { Some(step) } else { None }).collect()
    }

    fn me() -> StaffId {
        StaffId(uuid::Uuid::from_u128(1))
    }

    fn records() -> Records {
        Records::open(rusqlite::Connection::open_in_memory().unwrap()).unwrap()
    }

    #[test]
    fn what_a_newer_gateway_says_ends_nothing() {
        let mut steps = Steps::default();
        assert_eq!(steps.take(br#"{"presence": {"viewing": 1}}"#).unwrap(), Said::Unknown);
        assert_eq!(steps.take(br#"{"later": {"case": 1}}"#).unwrap(), Said::Unknown);
        assert_eq!(steps.take(br#"{"forget": {"message": 1}}"#).unwrap(), Said::Unknown);
        assert_eq!(steps.take(br#"{"catch_up": true}"#).unwrap(), Said::CatchUp);
        assert!(steps.take(b"{\"entry\": ").is_err());
        assert!(steps.take(b"{\"cursor\": {}}").is_err());
        let Said::Step(Step::Entry(linked)) = steps.take(&entry(4, 3, "note_added", &json!({"text": 7}))).unwrap()
        else {
            panic!("Not an entry")
        };
        assert!(matches!(linked.entry.fact, Fact::Unknown { .. }), "a body that does not fit is kept raw");
    }

    #[test]
    fn an_error_does_not_quote_what_it_found() {
        let line = br#"{"cursor": {"token": "canary", "seq": "canary", "journal": "canary", "now": 5}}"#;
        let error = Steps::default().take(line).unwrap_err().to_string();
        assert!(!error.contains("canary") && error.contains("column"), "{error}");
    }

    #[test]
    fn a_case_that_came_into_sight_is_one_step() {
        let mut lines = vec![json!({"case": {"id": CASE, "through": 9}}).to_string().into_bytes()];
        lines.extend([opened(3), note(5, 1)]);
        let mut half = Steps::default();
        for line in &lines {
            assert_eq!(half.take(line).unwrap(), Said::More, "half a case is nothing yet");
        }
        lines.push(json!({"case_end": {"id": CASE}}).to_string().into_bytes());
        let found = steps(&lines);
        assert!(matches!(&*found, [Step::Case { through: 9, entries, .. }] if entries.len() == 2));
    }

    #[test]
    fn what_comes_twice_is_applied_once() {
        let mut records = records();
        let found = steps(&[opened(3), note(5, 1)]);
        assert_eq!(apply(&mut records, &found, &mut Gained::new(), me()).unwrap().entries, 2);
        assert_eq!(apply(&mut records, &found, &mut Gained::new(), me()).unwrap().entries, 0);
    }

    #[test]
    fn a_gained_case_replaces_what_was_there_and_its_later_entries_follow_once() {
        let mut records = records();
        apply(&mut records, &steps(&[opened(3), note(5, 1), note(20, 9)]), &mut Gained::new(), me()).unwrap();
        let mut lines = vec![json!({"case": {"id": CASE, "through": 9}}).to_string().into_bytes()];
        lines.extend([opened(3), note(5, 1), note(9, 2), json!({"case_end": {"id": CASE}}).to_string().into_bytes()]);
        lines.extend([note(9, 2), note(12, 3), note(20, 9)]);
        let mut gained = Gained::new();
        apply(&mut records, &steps(&lines), &mut gained, me()).unwrap();
        let case: CaseId = CASE.parse().unwrap();
        let seqs: Vec<_> = records.notes(case).unwrap().iter().map(|note| note.seq).collect();
        assert_eq!(seqs, [5, 9, 12, 20]);
    }
}
