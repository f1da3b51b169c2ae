//! The outbox: commands that a person gave and that the gateway has not answered for good.
//!
//! A row *is* the pending bubble: the message or note that comes of it bears its id. A row is
//! - `waiting` until the gateway answers; it is sent as often as that takes, with the same id and the same body. Before
//!   the first time, that it may be at the gateway from now on is on the disk (`attempts`): until then it is nowhere but
//!   here, and its writer can take it back without anybody else having heard of it,
//! - `accepted` until the entries that came of it are in the records,
//! - `stuck` when the gateway refused it, until a person retries or drops it,
//! - `done`, kept for seven days: a gateway that is restored from a backup may have lost it ([`crate::restored`]).
//!
//! Within a conversation commands go one after the other. Behind a stuck reply the replies wait, and the closing of the
//! case with them: they were written to be read after it. Notes and the rest go on.

use std::collections::BTreeMap;

use anyhow::Context;
use domain::{
    command::{Ask, Command, Refusal},
    ids::{CaseId, CommandId, ConversationId, Millis, Seq},
    wire::Outcome,
};
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};

use crate::api::Problem;

/// Done commands are kept for so long.
const KEPT: Millis = 7 * 24 * 3600 * 1000;

/// The code of what waits behind a stuck reply.
pub(crate) const HELD: &str = "behind";

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Waiting,
    Accepted,
    Stuck,
}

/// A command that is not done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) ordinal: i64,
    pub(crate) id: CommandId,
    pub(crate) conversation: ConversationId,
    pub(crate) case: CaseId,
    pub(crate) kind: String,
    /// The command as it travels, byte for byte: the same id with another body would be refused.
    pub(crate) body: String,
    pub(crate) written_at: Millis,
    pub(crate) state: State,
    pub(crate) attempts: i64,
    /// The refusal's code, when stuck.
    pub(crate) refusal: String,
    /// Whether it waits behind a stuck reply.
    pub(crate) held: bool,
}

impl Row {
    /// What was asked for.
    pub(crate) fn ask(&self) -> anyhow::Result<Ask> {
        let mut fields: serde_json::Map<_, _> = serde_json::from_str(&self.body).context("Reading an outbox row")?;
        fields.remove("id");
        serde_json::from_value(fields.into()).context("Reading an outbox row")
    }

    /// Why a person has to look at it, if they have to.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let code = match self.state {
            State::Stuck => self.refusal.clone(),
            State::Waiting if self.held => HELD.to_owned(),
            State::Waiting | State::Accepted => return None,
        };
        Some(Problem { code, error: None })
    }

    /// Whether it is nowhere but here: it never left, or the gateway refused it.
    pub(crate) fn is_only_here(&self) -> bool {
        match self.state {
            State::Waiting => self.attempts == 0,
            State::Stuck => true,
            State::Accepted => false,
        }
    }

    fn is_reply(&self) -> bool {
        self.kind == "reply"
    }

    /// Whether it goes only after the replies before it have gone.
    fn follows_replies(&self) -> bool {
        matches!(self.kind.as_str(), "reply" | "close_case")
    }
}

/// Puts a command at the end.
pub(crate) fn put(
    c: &Connection,
    id: CommandId,
    conversation: ConversationId,
    case: CaseId,
    ask: Ask,
    now: Millis,
) -> anyhow::Result<()> {
    let body = serde_json::to_value(Command { id, ask })?;
    let kind = body.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned();
    c.execute(
        "INSERT INTO outbox (id, conversation, case_id, kind, body, written_at) VALUES (?, ?, ?, ?, ?, ?)",
        params![id.to_string(), conversation.to_string(), case.to_string(), kind, body.to_string(), now],
    )
    .context("Putting a command into the outbox")?;
    Ok(())
}

/// Every command that is not done, in order; `conversation` narrows it.
pub(crate) fn undone(c: &Connection, conversation: Option<ConversationId>) -> anyhow::Result<Vec<Row>> {
    let mut query = c
        .prepare_cached(
            "SELECT ordinal, id, conversation, case_id, kind, body, written_at, state, attempts, refusal FROM outbox
             WHERE state <> 'done' AND (?1 IS NULL OR conversation = ?1) ORDER BY ordinal",
        )
        .context("Reading the outbox")?;
    let rows = query
        .query_map([conversation.map(|id| id.to_string())], row)
        .context("Reading the outbox")?
        .collect::<Result<Vec<_>, _>>()
        .context("Reading the outbox")?;
    Ok(with_held(rows))
}

fn row(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    fn id<T: std::str::FromStr<Err = uuid::Error>>(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<T> {
        row.get::<_, String>(column)?.parse().map_err(|error: uuid::Error| {
            rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
        })
    }
    Ok(Row {
        ordinal: row.get(0)?,
        id: id(row, 1)?,
        conversation: id(row, 2)?,
        case: id(row, 3)?,
        kind: row.get(4)?,
        body: row.get(5)?,
        written_at: row.get(6)?,
        state: match row.get::<_, String>(7)?.as_str() {
            "accepted" => State::Accepted,
            "stuck" => State::Stuck,
            _ => State::Waiting,
        },
        attempts: row.get(8)?,
        refusal: row.get(9)?,
        held: false,
    })
}

fn with_held(mut rows: Vec<Row>) -> Vec<Row> {
    let mut stuck = BTreeMap::new();
    for row in &mut rows {
        let stuck: &mut bool = stuck.entry(row.conversation).or_default();
        // What may be at the gateway already is asked for until there is an answer, whatever became of the ones before.
        row.held = row.state == State::Waiting && row.attempts == 0 && row.follows_replies() && *stuck;
        *stuck |= row.state == State::Stuck && row.is_reply();
    }
    rows
}

/// What may be sent now: of each conversation the first that waits and is not held.
fn sendable(rows: Vec<Row>) -> Vec<Row> {
    let mut first = BTreeMap::new();
    for row in rows.into_iter().filter(|row| row.state == State::Waiting && !row.held) {
        first.entry(row.conversation).or_insert(row);
    }
    let mut rows: Vec<Row> = first.into_values().collect();
    rows.sort_by_key(|row| row.ordinal);
    rows
}

/// Whether anything may be sent now.
pub(crate) fn is_anything_sendable(c: &Connection) -> anyhow::Result<bool> {
    Ok(!sendable(undone(c, None)?).is_empty())
}

/// Chooses what is sent now and notes that, in one transaction: from here on it may be at the gateway, so its body is
/// fixed, and nobody takes it out any more.
pub(crate) fn begin(c: &Connection) -> anyhow::Result<Vec<Row>> {
    let rows = sendable(undone(c, None)?);
    for row in &rows {
        c.execute("UPDATE outbox SET attempts = attempts + 1 WHERE ordinal = ?", [row.ordinal])
            .context("Noting an attempt")?;
    }
    Ok(rows)
}

/// Takes that back: nothing of them has left this computer.
pub(crate) fn did_not_leave(c: &Connection, rows: &[Row]) -> anyhow::Result<()> {
    for row in rows {
        c.execute("UPDATE outbox SET attempts = attempts - 1 WHERE id = ? AND attempts > 0", [row.id.to_string()])
            .context("Noting that an attempt was none")?;
    }
    Ok(())
}

/// Keeps the gateway's answer to a command.
pub(crate) fn answered(c: &Connection, id: CommandId, outcome: &Outcome, now: Millis) -> anyhow::Result<()> {
    match outcome {
        Outcome::Accepted(seqs) => match seqs.iter().max() {
            Some(last) => c.execute(
                "UPDATE outbox SET state = 'accepted', accepted_seq = ? WHERE id = ? AND state = 'waiting'",
                params![last, id.to_string()],
            ),
            None => return done(c, [id], now),
        },
        Outcome::Refused(refusal) => return refused(c, id, refusal.code.as_str(), now),
    }
    .context("Keeping an answer")?;
    Ok(())
}

/// Marks a command as refused with this code.
pub(crate) fn refused(c: &Connection, id: CommandId, code: &str, now: Millis) -> anyhow::Result<()> {
    // To settle what is settled already, or to take back what has gone, needs nobody's attention: the message itself says
    // how it stands.
    let says_itself = matches!(kind_of(c, id)?.as_deref(), Some("settle_uncertain" | "recall"));
    let (state, done_at) = if says_itself { ("done", now) } else { ("stuck", 0) };
    c.execute(
        "UPDATE outbox SET state = ?, refusal = ?, done_at = ? WHERE id = ? AND state = 'waiting'",
        params![state, code, done_at, id.to_string()],
    )
    .context("Keeping a refusal")?;
    Ok(())
}

fn kind_of(c: &Connection, id: CommandId) -> anyhow::Result<Option<String>> {
    c.query_row("SELECT kind FROM outbox WHERE id = ?", [id.to_string()], |row| row.get(0))
        .optional()
        .context("Reading an outbox row")
}

/// Marks commands as done: their entries are in the records.
pub(crate) fn done(c: &Connection, ids: impl IntoIterator<Item = CommandId>, now: Millis) -> anyhow::Result<()> {
    let mut mark = c
        .prepare_cached("UPDATE outbox SET state = 'done', refusal = '', done_at = ? WHERE id = ? AND state <> 'done'")
        .context("Marking as done")?;
    for id in ids {
        mark.execute(params![now, id.to_string()]).context("Marking as done")?;
    }
    Ok(())
}

/// Marks as done whatever was accepted at or before the seq at which the records stand, and drops what is long done.
pub(crate) fn done_up_to(c: &Connection, seq: Seq, now: Millis) -> anyhow::Result<()> {
    c.execute(
        "UPDATE outbox SET state = 'done', done_at = ? WHERE state = 'accepted' AND accepted_seq <= ?",
        params![now, seq],
    )
    .context("Marking as done")?;
    c.execute("DELETE FROM outbox WHERE state = 'done' AND done_at < ?", [now - KEPT])
        .context("Dropping old commands")?;
    Ok(())
}

/// After another journal has begun, nothing says any more when the entries of what was accepted are here: they are.
pub(crate) fn forget_seqs(c: &Connection, now: Millis) -> anyhow::Result<()> {
    c.execute("UPDATE outbox SET state = 'done', done_at = ? WHERE state = 'accepted'", [now])
        .context("Marking as done")?;
    Ok(())
}

/// Replies and notes that were done within the time for which that is kept.
pub(crate) fn lately_done(c: &Connection, now: Millis) -> anyhow::Result<Vec<(CommandId, String)>> {
    let sql = "SELECT id, kind FROM outbox WHERE state = 'done' AND kind IN ('reply', 'add_note') AND done_at >= ?";
    let mut query = c.prepare(sql).context("Reading what was done")?;
    let rows = query.query_map([now - KEPT], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)));
    rows.context("Reading what was done")?
        .map(|row| {
            let (id, kind) = row.context("Reading what was done")?;
            Ok((id.parse().context("Reading a command's id")?, kind))
        })
        .collect()
}

/// Marks as stuck what was done, and is in no journal any more.
pub(crate) fn lost(c: &Connection, ids: &[CommandId]) -> anyhow::Result<()> {
    for id in ids {
        let sql =
            "UPDATE outbox SET state = 'stuck', refusal = 'restored', done_at = 0 WHERE id = ? AND state = 'done'";
        c.execute(sql, [id.to_string()]).context("Marking as lost")?;
    }
    Ok(())
}

/// Tries a stuck command again, and whatever is held behind it: the person has seen the conversation up to `seen`. A
/// command that was refused gets a new id, since the old one has its answer for ever; one that was never sent keeps its
/// own. Tells whether there was such a command.
pub(crate) fn retry(
    c: &Connection,
    id: CommandId,
    seen: Seq,
    mut new_id: impl FnMut() -> CommandId,
    now: Millis,
) -> anyhow::Result<bool> {
    let rows = undone(c, None)?;
    let Some(wanted) = rows.iter().find(|row| row.id == id && row.problem().is_some()) else { return Ok(false) };
    for row in rows.iter().filter(|row| row.conversation == wanted.conversation && row.problem().is_some()) {
        let whole_chain = wanted.follows_replies() && row.follows_replies();
        if row.id != id && !whole_chain {
            continue;
        }
        let ask = match row.ask()? {
            Ask::Reply { conversation, case, text, seen: before } => {
                Ask::Reply { conversation, case, text, seen: seen.max(before) }
            }
            other => other,
        };
        let fresh = if row.state == State::Stuck { new_id() } else { row.id };
        let body = serde_json::to_string(&Command { id: fresh, ask })?;
        c.execute(
            "UPDATE outbox SET id = ?, body = ?, written_at = ?, state = 'waiting', attempts = 0, refusal = ''
             WHERE ordinal = ?",
            params![fresh.to_string(), body, now, row.ordinal],
        )
        .context("Trying a command again")?;
    }
    Ok(true)
}

/// Takes out a command that is nowhere but here, and gives it. What may be at the gateway already stays.
pub(crate) fn take_out(c: &Connection, id: CommandId) -> anyhow::Result<Option<Row>> {
    let Some(row) = undone(c, None)?.into_iter().find(|row| row.id == id && row.is_only_here()) else {
        return Ok(None);
    };
    // Not kept as done: it never was.
    c.execute("DELETE FROM outbox WHERE id = ?", [id.to_string()]).context("Taking a command out")?;
    Ok(Some(row))
}

/// Puts a command that was dropped where it was. Tells whether there was room: the same id is never there twice.
pub(crate) fn put_back(c: &Connection, row: &Row) -> anyhow::Result<bool> {
    let state = if row.state == State::Stuck { "stuck" } else { "waiting" };
    let put = c.execute(
        "INSERT INTO outbox (ordinal, id, conversation, case_id, kind, body, written_at, state, attempts, refusal)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        params![
            row.ordinal,
            row.id.to_string(),
            row.conversation.to_string(),
            row.case.to_string(),
            row.kind,
            row.body,
            row.written_at,
            state,
            row.attempts,
            row.refusal
        ],
    );
    Ok(put.context("Putting a command back")? > 0)
}

/// A refusal that the desk makes itself, where the gateway's answer was no answer to the command.
pub(crate) fn unanswerable() -> Refusal {
    Refusal::new(domain::command::Code::Invalid, "The gateway cannot read this command")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::precious::tests::fresh;

    fn id(n: u128) -> CommandId {
        CommandId(Uuid::from_u128(n))
    }

    fn conversation(n: u128) -> ConversationId {
        ConversationId(Uuid::from_u128(n))
    }

    fn reply(c: &Connection, n: u128, where_: u128) {
        let ask = Ask::Reply { conversation: conversation(where_), case: None, text: format!("رد {n}"), seen: 5 };
        put(c, id(n), conversation(where_), CaseId(Uuid::from_u128(where_)), ask, 100).unwrap();
    }

    fn note(c: &Connection, n: u128, where_: u128) {
        let case = CaseId(Uuid::from_u128(where_));
        put(c, id(n), conversation(where_), case, Ask::AddNote { case, text: "س".into(), media: vec![] }, 100).unwrap();
    }

    fn close(c: &Connection, n: u128, where_: u128) {
        let case = CaseId(Uuid::from_u128(where_));
        put(c, id(n), conversation(where_), case, Ask::CloseCase { case, outcome: "done".into() }, 100).unwrap();
    }

    fn next(c: &Connection) -> Vec<CommandId> {
        sendable(undone(c, None).unwrap()).iter().map(|row| row.id).collect()
    }

    #[test]
    fn one_after_the_other_within_a_conversation_and_side_by_side_across() {
        let c = fresh();
        reply(&c, 1, 100);
        reply(&c, 2, 100);
        note(&c, 3, 200);
        reply(&c, 4, 200);
        assert_eq!(next(&c), [id(1), id(3)]);
        answered(&c, id(1), &Outcome::Accepted(vec![7, 8]), 0).unwrap();
        assert_eq!(next(&c), [id(2), id(3)]);
        done_up_to(&c, 7, 0).unwrap();
        assert_eq!(undone(&c, Some(conversation(100))).unwrap().len(), 2, "its last entry is not here yet");
        done_up_to(&c, 8, 0).unwrap();
        assert_eq!(undone(&c, Some(conversation(100))).unwrap().len(), 1);
    }

    #[test]
    fn behind_a_stuck_reply_replies_wait_and_notes_go_on() {
        let c = fresh();
        reply(&c, 1, 100);
        reply(&c, 2, 100);
        note(&c, 3, 100);
        close(&c, 4, 100);
        reply(&c, 5, 200);
        refused(&c, id(1), "window_closed", 0).unwrap();
        assert_eq!(next(&c), [id(3), id(5)]);
        let rows = undone(&c, Some(conversation(100))).unwrap();
        let codes: Vec<_> = rows.iter().map(|row| row.problem().map(|problem| problem.code)).collect();
        assert_eq!(codes, [Some("window_closed".into()), Some(HELD.into()), None, Some(HELD.into())]);
    }

    #[test]
    fn a_stuck_act_holds_nothing() {
        let c = fresh();
        let case = CaseId(Uuid::from_u128(100));
        put(&c, id(1), conversation(100), case, Ask::Claim { case }, 0).unwrap();
        reply(&c, 2, 100);
        refused(&c, id(1), "owned", 0).unwrap();
        assert_eq!(next(&c), [id(2)]);
    }

    #[test]
    fn retrying_makes_a_new_id_with_the_new_seen_the_same_text_and_the_same_place() {
        let c = fresh();
        reply(&c, 1, 100);
        reply(&c, 2, 100);
        assert_eq!(begin(&c).unwrap().len(), 1);
        refused(&c, id(1), "newer_reply", 0).unwrap();
        assert!(retry(&c, id(1), 12, || id(9), 200).unwrap());
        assert_eq!(next(&c), [id(9)], "it goes first, as before");
        let rows = undone(&c, None).unwrap();
        for (row, wanted, text) in [(&rows[0], id(9), "رد 1"), (&rows[1], id(2), "رد 2")] {
            let body: Value = serde_json::from_str(&row.body).unwrap();
            assert_eq!(row.id, wanted);
            assert_eq!(body["id"], wanted.to_string());
            assert_eq!(body["seen"], 12);
            assert_eq!(body["text"], text);
        }
        assert!(!retry(&c, id(9), 12, || id(10), 200).unwrap(), "what waits is not tried again with a new id");
    }

    #[test]
    fn what_never_left_or_was_refused_is_taken_out_and_nothing_else() {
        let c = fresh();
        reply(&c, 1, 100);
        reply(&c, 2, 100);
        reply(&c, 3, 100);
        assert_eq!(begin(&c).unwrap().iter().map(|row| row.id).collect::<Vec<_>>(), [id(1)]);
        assert!(take_out(&c, id(1)).unwrap().is_none(), "it may be at the gateway already");
        assert!(take_out(&c, id(2)).unwrap().is_some(), "it never left");
        refused(&c, id(1), "stale", 0).unwrap();
        assert!(take_out(&c, id(1)).unwrap().is_some());
        assert_eq!(next(&c), [id(3)]);
        begin(&c).unwrap();
        answered(&c, id(3), &Outcome::Accepted(vec![7]), 0).unwrap();
        assert!(take_out(&c, id(3)).unwrap().is_none(), "the gateway has it");
    }

    #[test]
    fn what_had_no_connection_never_left_unless_it_did_before() {
        let c = fresh();
        reply(&c, 1, 100);
        let begun = begin(&c).unwrap();
        did_not_leave(&c, &begun).unwrap();
        assert!(undone(&c, None).unwrap()[0].is_only_here());
        begin(&c).unwrap();
        let begun = begin(&c).unwrap();
        did_not_leave(&c, &begun).unwrap();
        assert!(!undone(&c, None).unwrap()[0].is_only_here(), "the first answer may be lost");
    }

    #[test]
    fn what_may_be_at_the_gateway_is_not_held_behind_what_a_restored_one_has_lost() {
        let c = fresh();
        reply(&c, 1, 100);
        done(&c, [id(1)], 0).unwrap();
        reply(&c, 2, 100);
        reply(&c, 3, 100);
        begin(&c).unwrap();
        lost(&c, &[id(1)]).unwrap();
        assert_eq!(next(&c), [id(2)], "under its own id: another would be a second copy");
        let rows = undone(&c, None).unwrap();
        assert_eq!(rows.iter().map(|row| row.held).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn done_commands_stay_seven_days() {
        let c = fresh();
        reply(&c, 1, 100);
        done(&c, [id(1)], 1_000).unwrap();
        let kept = |c: &Connection| c.query_row("SELECT count(*) FROM outbox", [], |row| row.get::<_, i64>(0)).unwrap();
        done_up_to(&c, 0, 1_000 + KEPT).unwrap();
        assert_eq!(kept(&c), 1);
        done_up_to(&c, 0, 1_001 + KEPT).unwrap();
        assert_eq!(kept(&c), 0);
    }

    #[test]
    fn settling_what_is_settled_bothers_nobody() {
        let c = fresh();
        let ask = Ask::SettleUncertain { message: id(7).0.into(), settle: domain::command::Settle::Sent };
        put(&c, id(1), conversation(1), CaseId(Uuid::from_u128(1)), ask, 0).unwrap();
        refused(&c, id(1), "not_uncertain", 5).unwrap();
        assert!(undone(&c, None).unwrap().is_empty());
    }
}
