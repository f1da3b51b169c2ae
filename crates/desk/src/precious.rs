//! The precious file: what exists nowhere else until the gateway has it. Outbox, drafts, positions, what was notified.
//!
//! It is never rebuilt, so its tables change by migrations only.

use anyhow::Context;
use domain::{
    ids::{CaseId, ConversationId, Millis, Seq},
    wire::Witness,
};
use records::migration::migrate;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    api::{Drafts, Mode},
    database::Contents,
};

/// Each brings the file from the version that is its index to the next. Released ones are never edited.
pub(crate) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE outbox (
        ordinal      INTEGER PRIMARY KEY AUTOINCREMENT,
        id           TEXT NOT NULL UNIQUE,
        conversation TEXT NOT NULL,
        case_id      TEXT NOT NULL,
        kind         TEXT NOT NULL,
        body         TEXT NOT NULL,
        written_at   INTEGER NOT NULL,
        state        TEXT NOT NULL DEFAULT 'waiting',
        attempts     INTEGER NOT NULL DEFAULT 0,
        accepted_seq INTEGER NOT NULL DEFAULT 0,
        refusal      TEXT NOT NULL DEFAULT '',
        done_at      INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX outbox_undone ON outbox (conversation, ordinal) WHERE state <> 'done';
    CREATE INDEX outbox_done ON outbox (done_at) WHERE state = 'done';

    CREATE TABLE drafts (
        conversation TEXT NOT NULL,
        mode         TEXT NOT NULL,
        text         TEXT NOT NULL,
        PRIMARY KEY (conversation, mode)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE positions (
        case_id TEXT NOT NULL PRIMARY KEY,
        seq     INTEGER NOT NULL,
        sent    INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE notified (
        key TEXT NOT NULL PRIMARY KEY,
        at  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE kept (
        name  TEXT NOT NULL PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE witnesses (
        journal TEXT NOT NULL,
        seq     INTEGER NOT NULL,
        chain   TEXT NOT NULL,
        witness TEXT NOT NULL,
        PRIMARY KEY (journal, seq, chain)
    ) STRICT, WITHOUT ROWID;
",
];

/// The precious file, open.
pub(crate) struct Precious(Connection);

impl Contents for Precious {
    fn writing(mut connection: Connection) -> anyhow::Result<Self> {
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON")
            .context("Setting the precious file up")?;
        migrate(&mut connection, MIGRATIONS).context("Bringing the precious file up to date")?;
        Ok(Self(connection))
    }

    fn reading(connection: Connection) -> anyhow::Result<Self> {
        Ok(Self(connection))
    }

    fn connection(&self) -> &Connection {
        &self.0
    }
}

fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::Reply => "reply",
        Mode::Note => "note",
    }
}

/// Keeps a draft; an empty text drops it.
pub(crate) fn save_draft(c: &Connection, conversation: ConversationId, mode: Mode, text: &str) -> anyhow::Result<()> {
    let conversation = conversation.to_string();
    if text.is_empty() {
        c.execute("DELETE FROM drafts WHERE conversation = ? AND mode = ?", params![conversation, name(mode)])
    } else {
        c.execute(
            "INSERT INTO drafts (conversation, mode, text) VALUES (?, ?, ?)
             ON CONFLICT (conversation, mode) DO UPDATE SET text = excluded.text",
            params![conversation, name(mode), text],
        )
    }
    .context("Keeping a draft")?;
    Ok(())
}

/// The drafts in a conversation.
pub(crate) fn drafts(c: &Connection, conversation: ConversationId) -> anyhow::Result<Drafts> {
    let one = |mode: Mode| -> anyhow::Result<String> {
        let text = c
            .prepare_cached("SELECT text FROM drafts WHERE conversation = ? AND mode = ?")?
            .query_row(params![conversation.to_string(), name(mode)], |row| row.get(0))
            .optional()
            .context("Reading a draft")?;
        Ok(text.unwrap_or_default())
    };
    Ok(Drafts { reply: one(Mode::Reply)?, note: one(Mode::Note)? })
}

/// Every draft: where, which and what.
pub(crate) fn all_drafts(c: &Connection) -> anyhow::Result<Vec<(ConversationId, Mode, String)>> {
    let mut query = c.prepare("SELECT conversation, mode, text FROM drafts").context("Listing drafts")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?)));
    rows.context("Listing drafts")?
        .map(|row| {
            let (conversation, mode, text) = row.context("Listing drafts")?;
            let mode = if mode == name(Mode::Note) { Mode::Note } else { Mode::Reply };
            Ok((conversation.parse().context("Reading a draft's conversation")?, mode, text))
        })
        .collect()
}

/// The conversations in which there is a draft.
pub(crate) fn drafted(c: &Connection) -> anyhow::Result<Vec<ConversationId>> {
    let mut query = c.prepare_cached("SELECT DISTINCT conversation FROM drafts").context("Listing drafts")?;
    let rows = query.query_map([], |row| row.get::<_, String>(0)).context("Listing drafts")?;
    rows.map(|id| id?.parse().context("Reading a draft's conversation")).collect()
}

/// Moves my position in a case on; the greater wins. Tells whether it moved.
pub(crate) fn move_position(c: &Connection, case: CaseId, seq: Seq) -> anyhow::Result<bool> {
    let moved = c
        .execute(
            "INSERT INTO positions (case_id, seq) VALUES (?, ?)
             ON CONFLICT (case_id) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq",
            params![case.to_string(), seq],
        )
        .context("Keeping a position")?;
    Ok(moved > 0)
}

/// My positions, by case.
pub(crate) fn positions(c: &Connection) -> anyhow::Result<Vec<(CaseId, Seq)>> {
    rows_of_positions(c, "SELECT case_id, seq FROM positions")
}

/// Positions that the gateway does not know yet.
pub(crate) fn unsent_positions(c: &Connection) -> anyhow::Result<Vec<(CaseId, Seq)>> {
    rows_of_positions(c, "SELECT case_id, seq FROM positions WHERE sent < seq LIMIT 50")
}

fn rows_of_positions(c: &Connection, query: &str) -> anyhow::Result<Vec<(CaseId, Seq)>> {
    let mut query = c.prepare_cached(query).context("Reading positions")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).context("Reading positions")?;
    rows.map(|row| {
        let (case, seq) = row.context("Reading positions")?;
        Ok((case.parse().context("Reading a position's case")?, seq))
    })
    .collect()
}

/// The gateway knows this position now.
pub(crate) fn position_sent(c: &Connection, case: CaseId, seq: Seq) -> anyhow::Result<()> {
    c.execute("UPDATE positions SET sent = max(sent, ?) WHERE case_id = ?", params![seq, case.to_string()])
        .context("Keeping a position")?;
    Ok(())
}

/// Positions of another journal say nothing.
pub(crate) fn forget_positions(c: &Connection) -> anyhow::Result<()> {
    c.execute("DELETE FROM positions", []).context("Forgetting positions")?;
    Ok(())
}

/// Marks a notification as given. Tells whether it is for the first time.
pub(crate) fn first_time(c: &Connection, key: &str, now: Millis) -> anyhow::Result<bool> {
    let new = c
        .execute("INSERT INTO notified (key, at) VALUES (?, ?) ON CONFLICT DO NOTHING", params![key, now])
        .context("Keeping what was notified")?;
    Ok(new > 0)
}

/// Keeps a head that the gateway has signed, for ever: it shows later whether the journal is still the one it was. Two
/// that contradict each other are both kept.
pub(crate) fn keep_witness(c: &Connection, witness: &Witness) -> anyhow::Result<()> {
    c.execute(
        "INSERT INTO witnesses (journal, seq, chain, witness) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        params![witness.journal, witness.seq, witness.chain, serde_json::to_string(witness)?],
    )
    .context("Keeping a signed head")?;
    Ok(())
}

/// The heads that were kept, oldest first.
pub(crate) fn witnesses(c: &Connection) -> anyhow::Result<Vec<Witness>> {
    let mut query = c.prepare("SELECT witness FROM witnesses").context("Reading signed heads")?;
    let rows = query.query_map([], |row| row.get::<_, String>(0)).context("Reading signed heads")?;
    let mut witnesses = rows
        .map(|text| serde_json::from_str(&text?).context("Reading a signed head"))
        .collect::<anyhow::Result<Vec<Witness>>>()?;
    witnesses.sort_by_key(|witness| witness.at);
    Ok(witnesses)
}

/// Something small kept under a name.
pub(crate) fn kept<T: DeserializeOwned>(c: &Connection, name: &str) -> anyhow::Result<Option<T>> {
    let value: Option<String> = c
        .query_row("SELECT value FROM kept WHERE name = ?", [name], |row| row.get(0))
        .optional()
        .with_context(|| format!("Reading {name}"))?;
    value.map(|value| serde_json::from_str(&value).with_context(|| format!("Reading {name}"))).transpose()
}

/// Keeps something small under a name.
pub(crate) fn keep<T: Serialize>(c: &Connection, name: &str, value: &T) -> anyhow::Result<()> {
    c.execute(
        "INSERT INTO kept (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params![name, serde_json::to_string(value)?],
    )
    .with_context(|| format!("Keeping {name}"))?;
    Ok(())
}

/// Keeps it no longer.
pub(crate) fn let_go(c: &Connection, name: &str) -> anyhow::Result<()> {
    c.execute("DELETE FROM kept WHERE name = ?", [name]).with_context(|| format!("Letting {name} go"))?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use uuid::Uuid;

    use super::*;

    pub(crate) fn fresh() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        connection
    }

    #[test]
    fn an_empty_draft_is_none() {
        let c = fresh();
        let conversation = ConversationId(Uuid::from_u128(1));
        save_draft(&c, conversation, Mode::Reply, "نعم").unwrap();
        save_draft(&c, conversation, Mode::Note, "اتصل").unwrap();
        save_draft(&c, conversation, Mode::Reply, "نعم، غدًا").unwrap();
        assert_eq!(drafts(&c, conversation).unwrap(), Drafts { reply: "نعم، غدًا".into(), note: "اتصل".into() });
        save_draft(&c, conversation, Mode::Reply, "").unwrap();
        assert_eq!(drafted(&c).unwrap(), [conversation]);
        save_draft(&c, conversation, Mode::Note, "").unwrap();
        assert!(drafted(&c).unwrap().is_empty());
    }

    #[test]
    fn a_position_never_goes_back_and_is_sent_once() {
        let c = fresh();
        let case = CaseId(Uuid::from_u128(1));
        assert!(move_position(&c, case, 5).unwrap());
        assert!(!move_position(&c, case, 4).unwrap());
        assert_eq!(unsent_positions(&c).unwrap(), [(case, 5)]);
        position_sent(&c, case, 5).unwrap();
        assert!(unsent_positions(&c).unwrap().is_empty());
        assert!(move_position(&c, case, 9).unwrap());
        assert_eq!(unsent_positions(&c).unwrap(), [(case, 9)]);
    }

    #[test]
    fn a_notification_is_for_the_first_time_once() {
        let c = fresh();
        assert!(first_time(&c, "a", 1).unwrap());
        assert!(!first_time(&c, "a", 2).unwrap());
    }
}
