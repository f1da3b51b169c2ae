//! Entry → rows. Entries of one scope come in order of seq; between scopes a desk may meet them late (a case that came
//! into sight), so what is not a case's own is only overwritten by what is newer.

use domain::{
    entry::{
        Actor, CaseAssigned, CaseChanged, CaseClosed, CaseOpened, ContactChanged, ConversationOpened, Entry, Fact,
        Identifier, MessageQueued, MessageReceived, MessageStatusChanged, MessageUnderstood, NoteAdded, Scope,
        StaffChanged,
    },
    ids::{CaseId, ConversationId, MediaId, Millis, Seq},
    words::{CaseState, Status},
};
use rusqlite::{OptionalExtension, named_params, params};
use serde::Serialize;
use uuid::Uuid;

use crate::{Records, Result};

/// WhatsApp's customer-service window (Meta, messages/send-messages).
const WINDOW: Millis = 24 * 3_600_000;

/// The open case of a conversation (`?1`) in which something happened last, else the last case. In this form its index
/// gives both without sorting.
macro_rules! shown_case {
    () => {
        "coalesce((SELECT id FROM cases WHERE conversation = ?1 AND state = 'open' ORDER BY last_seq DESC LIMIT 1),
                  (SELECT id FROM cases WHERE conversation = ?1 ORDER BY last_seq DESC LIMIT 1))"
    };
}

/// What an entry changed, for whoever shows or announces it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The conversation whose rows changed.
    pub conversation: Option<ConversationId>,
    /// Whether something outside conversations changed (staff, pack, line).
    pub agency: bool,
    /// Whether the kind was not known, and the entry was kept raw.
    pub unknown: bool,
}

impl Records {
    /// Writes an entry into the rows, in the caller's transaction.
    pub fn apply(&mut self, entry: &Entry) -> Result<Applied> {
        let of = |conversation| Applied { conversation, ..Applied::default() };
        let agency = || Applied { agency: true, ..Applied::default() };
        Ok(match &entry.fact {
            Fact::ConversationOpened(body) => of(Some(self.conversation_opened(body)?)),
            Fact::MessageReceived(body) => of(Some(self.message_received(entry, body)?)),
            Fact::MessageQueued(body) => of(Some(self.message_queued(entry, body)?)),
            Fact::MessageStatusChanged(body) => of(self.message_status_changed(entry, body)?),
            Fact::MessageUnderstood(body) => of(self.message_understood(body)?),
            Fact::CaseOpened(body) => of(Some(self.case_opened(entry, body)?)),
            Fact::CaseAssigned(body) => of(self.case_assigned(entry, body)?),
            Fact::CaseChanged(body) => of(self.case_changed(entry, body)?),
            Fact::CaseClosed(body) => of(self.case_closed(entry, body)?),
            Fact::NoteAdded(body) => of(self.note_added(entry, body)?),
            Fact::ContactChanged(body) => of(self.contact_changed(entry, body)?),
            Fact::StaffChanged(body) => {
                self.staff_changed(entry, body)?;
                agency()
            }
            Fact::PackChanged(body) => {
                let sql = "INSERT INTO pack (id, sha, content, seq) VALUES (1, ?1, ?2, ?3) ON CONFLICT (id) DO UPDATE
                           SET sha = excluded.sha, content = excluded.content, seq = excluded.seq
                           WHERE excluded.seq > pack.seq";
                self.run(sql, params![body.sha, body.content, entry.seq])?;
                agency()
            }
            Fact::LineChanged(body) => {
                let sql = "INSERT INTO lines (id, display_number) VALUES (?1, ?2)
                           ON CONFLICT (id) DO UPDATE SET display_number = excluded.display_number";
                self.run(sql, params![body.line, body.display_number])?;
                agency()
            }
            Fact::ContactErased(body) => {
                self.contact_erased(entry, body)?;
                agency()
            }
            Fact::Erased { .. } => Applied::default(),
            Fact::Unknown { .. } => {
                let case = match entry.scope {
                    Scope::Case(case) => Some(case.0),
                    Scope::Agency | Scope::Staff(_) => None,
                };
                let sql = "INSERT OR REPLACE INTO unknown_entries (seq, case_id, entry) VALUES (?1, ?2, ?3)";
                self.run(sql, params![entry.seq, case, serde_json::to_string(entry)?])?;
                Applied { unknown: true, ..Applied::default() }
            }
        })
    }

    pub(crate) fn run(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize> {
        Ok(self.connection.prepare_cached(sql)?.execute(values)?)
    }

    fn conversation_opened(&self, body: &ConversationOpened) -> Result<ConversationId> {
        self.ensure_conversation(body.conversation, body.contact.0, &body.line)?;
        Ok(body.conversation)
    }

    fn ensure_conversation(&self, conversation: ConversationId, contact: Uuid, line: &str) -> Result<()> {
        let sql = "INSERT INTO conversations (id, contact, line) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING";
        self.run(sql, params![conversation.0, contact, line])?;
        Ok(())
    }

    fn message_received(&self, entry: &Entry, body: &MessageReceived) -> Result<ConversationId> {
        let raw = body.raw.as_ref().map(serde_json::to_string).transpose()?;
        self.run(
            "INSERT INTO messages (id, conversation, case_id, seq, place, at, inbound, wamid, type, text, quoted, sent_at, raw, reader)
             VALUES (:id, :conversation, :case, :seq, :place, :at, 1, :wamid, :type, :text, :quoted, :sent_at, :raw, :reader)",
            named_params! {
                ":id": body.message.0, ":conversation": body.conversation.0, ":case": body.case.0, ":seq": entry.seq,
                ":place": body.place, ":at": entry.at, ":wamid": body.wamid, ":type": body.r#type, ":text": body.text,
                ":quoted": body.context, ":sent_at": body.sent_at, ":raw": raw, ":reader": body.reader,
            },
        )?;
        // One statement for a row: this is what a gateway does most.
        let sql = "UPDATE cases SET last_inbound = max(last_inbound, ?2), last_seq = max(last_seq, ?2) WHERE id = ?1";
        self.run(sql, params![body.case.0, entry.seq])?;
        self.refer(&body.media, body.case)?;
        let window_ends = Some(body.sent_at.saturating_add(WINDOW));
        self.last_message(body.conversation, body.message.0, body.place, entry.seq, window_ends)?;
        self.index_text(entry.seq, body.conversation.0, None, body.text.as_deref())?;
        Ok(body.conversation)
    }

    fn message_understood(&self, body: &MessageUnderstood) -> Result<Option<ConversationId>> {
        let sql = "UPDATE messages SET type = ?2, text = ?3, reader = ?4 WHERE id = ?1 RETURNING conversation, seq";
        let values = params![body.message.0, body.r#type, body.text, body.reader];
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        drop(statement);
        let Some((conversation, seq)) = found else { return Ok(None) };
        self.index_text(seq, conversation, None, body.text.as_deref())?;
        Ok(Some(ConversationId(conversation)))
    }

    fn message_queued(&self, entry: &Entry, body: &MessageQueued) -> Result<ConversationId> {
        self.run(
            "INSERT INTO messages
               (id, conversation, case_id, seq, place, at, inbound, author, type, text, sent_at, recipient, status, status_at,
                status_seq)
             VALUES (:id, :conversation, :case, :seq, :at, :at, 0, :author, :type, :text, :at, :recipient, 'queued', :at,
               :seq)",
            named_params! {
                ":id": body.message.0, ":conversation": body.conversation.0, ":case": body.case.0, ":seq": entry.seq,
                ":at": entry.at, ":author": body.by.0, ":type": body.r#type, ":text": body.text,
                ":recipient": serde_json::to_string(&body.recipient)?,
            },
        )?;
        let sql = "UPDATE cases SET last_reply = max(last_reply, ?2), last_seq = max(last_seq, ?2) WHERE id = ?1";
        self.run(sql, params![body.case.0, entry.seq])?;
        self.last_message(body.conversation, body.message.0, entry.at, entry.seq, None)?;
        self.index_text(entry.seq, body.conversation.0, Some(body.by.0), body.text.as_deref())?;
        Ok(body.conversation)
    }

    fn message_status_changed(&self, entry: &Entry, body: &MessageStatusChanged) -> Result<Option<ConversationId>> {
        let error = body.error.as_ref().map(serde_json::to_string).transpose()?;
        let sql = "UPDATE messages SET status = ?2, status_at = ?3, error = ?4, wamid = coalesce(?5, wamid),
                   doubted = max(doubted, ?2 = 'uncertain'), status_seq = ?6 WHERE id = ?1 RETURNING conversation";
        let values = params![body.message.0, word(&body.status)?, entry.at, error, body.wamid, entry.seq];
        let found: Option<Uuid> =
            self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
        if body.status == Status::Recalled {
            // It answered nobody: who waited before it waits still.
            let sql = "UPDATE cases SET last_reply = coalesce((SELECT max(seq) FROM messages
                         WHERE case_id = cases.id AND inbound = 0 AND status <> 'recalled'), 0)
                       WHERE id = (SELECT case_id FROM messages WHERE id = ?1)";
            self.run(sql, [body.message.0])?;
            if let Some(conversation) = found {
                self.choose_shown(conversation)?;
            }
        }
        Ok(found.map(ConversationId))
    }

    fn case_opened(&self, entry: &Entry, body: &CaseOpened) -> Result<ConversationId> {
        self.ensure_conversation(body.conversation, body.contact.0, &body.line)?;
        self.run(
            "INSERT INTO cases (id, conversation, contact, number, kind, team, state, opened_at, opened_seq, last_seq)
             VALUES (:id, :conversation, :contact, :number, :kind, :team, 'open', :at, :seq, :seq)",
            named_params! {
                ":id": body.case.0, ":conversation": body.conversation.0, ":contact": body.contact.0,
                ":number": body.number, ":kind": body.kind, ":team": body.team, ":at": entry.at, ":seq": entry.seq,
            },
        )?;
        self.index_case(entry.seq, &body.number)?;
        self.choose_contact(body.conversation.0)?;
        self.audience(body.case, &body.team, entry)?;
        self.event(entry, body.case, "opened", None, None)?;
        Ok(body.conversation)
    }

    fn case_assigned(&self, entry: &Entry, body: &CaseAssigned) -> Result<Option<ConversationId>> {
        let owner = body.staff.map(|staff| staff.0);
        self.run("UPDATE cases SET team = ?2, owner = ?3 WHERE id = ?1", params![body.case.0, body.team, owner])?;
        self.audience(body.case, &body.team, entry)?;
        let what = if owner.is_some() { "assigned" } else { "released" };
        self.event(entry, body.case, what, owner, None)
    }

    fn case_changed(&self, entry: &Entry, body: &CaseChanged) -> Result<Option<ConversationId>> {
        if let Some(kind) = &body.kind {
            self.run("UPDATE cases SET kind = ?2 WHERE id = ?1", params![body.case.0, kind])?;
        }
        if body.state == Some(CaseState::Open) {
            let sql = "UPDATE cases SET state = 'open', outcome = NULL, closed_at = NULL, closed_seq = 0 WHERE id = ?1";
            self.run(sql, [body.case.0])?;
            return self.event(entry, body.case, "reopened", None, None);
        }
        self.touch(body.case, entry)
    }

    fn case_closed(&self, entry: &Entry, body: &CaseClosed) -> Result<Option<ConversationId>> {
        let sql = "UPDATE cases SET state = 'closed', outcome = ?2, closed_at = ?3, closed_seq = ?4 WHERE id = ?1";
        self.run(sql, params![body.case.0, body.outcome, entry.at, entry.seq])?;
        self.event(entry, body.case, "closed", None, Some(&body.outcome))
    }

    fn note_added(&self, entry: &Entry, body: &NoteAdded) -> Result<Option<ConversationId>> {
        let Actor::Staff(author) = entry.actor else { return Ok(None) };
        self.run(
            "INSERT INTO notes (id, case_id, conversation, seq, at, author, text)
             SELECT ?1, id, conversation, ?3, ?4, ?5, ?6 FROM cases WHERE id = ?2",
            params![body.note.0, body.case.0, entry.seq, entry.at, author.0, body.text],
        )?;
        self.refer(&body.media, body.case)?;
        let conversation = self.touch(body.case, entry)?;
        if let Some(conversation) = conversation {
            self.index_text(entry.seq, conversation.0, Some(author.0), Some(&body.text))?;
        }
        Ok(conversation)
    }

    /// Notes that files belong to a case.
    fn refer(&self, media: &[MediaId], case: CaseId) -> Result<()> {
        for media in media {
            let sql = "INSERT INTO media (sha256, case_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            self.run(sql, params![media.0, case.0])?;
        }
        Ok(())
    }

    fn contact_changed(&self, entry: &Entry, body: &ContactChanged) -> Result<Option<ConversationId>> {
        let case = match entry.scope {
            Scope::Case(case) => case.0,
            // Of no case: it leaves with none.
            Scope::Agency | Scope::Staff(_) => Uuid::nil(),
        };
        let sql = "INSERT OR REPLACE INTO particulars (case_id, contact, seq, name, merged_into, identifiers)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let merged_into = body.merged_into.map(|into| into.0);
        let identifiers = serde_json::to_string(&body.identifiers)?;
        self.run(sql, params![case, body.contact.0, entry.seq, body.name, merged_into, identifiers])?;
        self.choose_particulars(body.contact.0)?;
        let sql = "SELECT id FROM conversations WHERE contact = ?1";
        let found: Option<Uuid> =
            self.connection.prepare_cached(sql)?.query_row([body.contact.0], |row| row.get(0)).optional()?;
        Ok(found.map(ConversationId))
    }

    /// Writes a contact as the latest of what the cases here were told; one of whom no case speaks goes.
    fn choose_particulars(&self, contact: Uuid) -> Result<()> {
        let sql =
            "SELECT seq, name, merged_into, identifiers FROM particulars WHERE contact = ?1 ORDER BY seq DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let latest = statement
            .query_row([contact], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?)))
            .optional()?;
        self.unindex_contact(contact)?;
        self.run("DELETE FROM identifiers WHERE contact = ?1", [contact])?;
        let Some((seq, name, merged_into, identifiers)) = latest else {
            self.run("DELETE FROM contacts WHERE id = ?1", [contact])?;
            return Ok(());
        };
        let (seq, name, merged_into): (Seq, Option<String>, Option<Uuid>) = (seq, name, merged_into);
        let sql = "INSERT OR REPLACE INTO contacts (id, name, merged_into, seq) VALUES (?1, ?2, ?3, ?4)";
        self.run(sql, params![contact, name, merged_into, seq])?;
        for identifier in serde_json::from_str::<Vec<Identifier>>(&identifiers)? {
            let sql =
                "INSERT OR REPLACE INTO identifiers (contact, kind, value, from_at, to_at) VALUES (?1, ?2, ?3, ?4, ?5)";
            let kind = word(&identifier.kind)?;
            self.run(sql, params![contact, kind, identifier.value, identifier.from, identifier.to])?;
        }
        self.index_contact(contact)
    }

    fn staff_changed(&self, entry: &Entry, body: &StaffChanged) -> Result<()> {
        let roles = serde_json::to_string(&body.roles)?;
        let teams = serde_json::to_string(&body.teams)?;
        let (staff, seq) = (body.staff.0, entry.seq);
        self.run(
            "INSERT INTO staff (id, username, name, roles, teams, active, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE SET username = excluded.username, name = excluded.name, roles = excluded.roles,
             teams = excluded.teams, active = excluded.active, seq = excluded.seq WHERE excluded.seq > staff.seq",
            params![staff, body.username, body.name, roles, teams, body.active, seq],
        )?;
        self.run("UPDATE memberships SET to_seq = ?2 WHERE staff = ?1 AND to_seq IS NULL", params![staff, seq])?;
        self.run(
            "INSERT INTO memberships (staff, from_seq, roles, teams, active) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![staff, seq, roles, teams, body.active],
        )?;
        Ok(())
    }

    /// Opens a new interval of a case's audience, if it is another team's.
    fn audience(&self, case: CaseId, team: &str, entry: &Entry) -> Result<()> {
        let sql = "SELECT team FROM audiences WHERE case_id = ?1 AND to_seq IS NULL";
        let before: Option<String> =
            self.connection.prepare_cached(sql)?.query_row([case.0], |row| row.get(0)).optional()?;
        if before.as_deref() == Some(team) {
            return Ok(());
        }
        let sql = "UPDATE audiences SET to_seq = ?2 WHERE case_id = ?1 AND to_seq IS NULL";
        self.run(sql, params![case.0, entry.seq])?;
        let sql = "INSERT INTO audiences (case_id, from_seq, team) VALUES (?1, ?2, ?3)";
        self.run(sql, params![case.0, entry.seq, team])?;
        Ok(())
    }

    fn event(
        &self,
        entry: &Entry,
        case: CaseId,
        what: &str,
        given_to: Option<Uuid>,
        outcome: Option<&str>,
    ) -> Result<Option<ConversationId>> {
        let actor = match entry.actor {
            Actor::Staff(staff) => Some(staff.0),
            Actor::Contact(_) | Actor::System => None,
        };
        self.run(
            "INSERT INTO events (seq, case_id, conversation, at, what, actor, given_to, outcome)
             SELECT ?2, id, conversation, ?3, ?4, ?5, ?6, ?7 FROM cases WHERE id = ?1",
            params![case.0, entry.seq, entry.at, what, actor, given_to, outcome],
        )?;
        self.touch(case, entry)
    }

    /// A message came to a conversation: it may be the last one, and its case the one that is shown.
    fn last_message(
        &self,
        conversation: ConversationId,
        message: Uuid,
        place: Millis,
        seq: Seq,
        window_ends: Option<Millis>,
    ) -> Result<()> {
        let sql = concat!(
            "UPDATE conversations SET
               window_ends = max(coalesce(window_ends, ?5), coalesce(?5, window_ends)),
               last_message = CASE WHEN (last_place, last_seq) < (?3, ?4) THEN ?2 ELSE last_message END,
               last_seq = CASE WHEN (last_place, last_seq) < (?3, ?4) THEN ?4 ELSE last_seq END,
               last_place = max(last_place, ?3),
               shown_case = ",
            shown_case!(),
            " WHERE id = ?1"
        );
        self.run(sql, params![conversation.0, message, place, seq, window_ends])?;
        Ok(())
    }

    /// Something happened in a case: which case its conversation shows may be another now.
    fn touch(&self, case: CaseId, entry: &Entry) -> Result<Option<ConversationId>> {
        let sql = "UPDATE cases SET last_seq = max(last_seq, ?2) WHERE id = ?1 RETURNING conversation";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found: Option<Uuid> = statement.query_row(params![case.0, entry.seq], |row| row.get(0)).optional()?;
        drop(statement);
        if let Some(conversation) = found {
            self.choose_shown(conversation)?;
        }
        Ok(found.map(ConversationId))
    }

    /// A conversation may have come with a later case, which an alias of its contact opened.
    fn choose_contact(&self, conversation: Uuid) -> Result<()> {
        self.run(
            "UPDATE conversations SET contact = coalesce(
               (SELECT contact FROM cases WHERE conversation = ?1 ORDER BY opened_seq LIMIT 1), contact) WHERE id = ?1",
            [conversation],
        )?;
        Ok(())
    }

    fn choose_shown(&self, conversation: Uuid) -> Result<()> {
        self.run(concat!("UPDATE conversations SET shown_case = ", shown_case!(), " WHERE id = ?1"), [conversation])?;
        Ok(())
    }

    /// Forgets a case that went out of sight, with all that belongs to it, in the caller's transaction.
    pub fn forget_case(&mut self, case: CaseId) -> Result<Option<ConversationId>> {
        let sql = "SELECT conversation FROM cases WHERE id = ?1";
        let conversation: Option<Uuid> =
            self.connection.prepare_cached(sql)?.query_row([case.0], |row| row.get(0)).optional()?;
        let mut statement = self.connection.prepare_cached("SELECT contact FROM particulars WHERE case_id = ?1")?;
        let contacts: Vec<Uuid> = statement.query_map([case.0], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        drop(statement);
        self.unindex_case(case.0)?;
        for sql in [
            "DELETE FROM particulars WHERE case_id = ?1",
            "DELETE FROM messages WHERE case_id = ?1",
            "DELETE FROM notes WHERE case_id = ?1",
            "DELETE FROM media WHERE case_id = ?1",
            "DELETE FROM events WHERE case_id = ?1",
            "DELETE FROM audiences WHERE case_id = ?1",
            "DELETE FROM unknown_entries WHERE case_id = ?1",
            "DELETE FROM cases WHERE id = ?1",
        ] {
            self.run(sql, [case.0])?;
        }
        for contact in contacts {
            self.choose_particulars(contact)?;
        }
        let Some(conversation) = conversation else { return Ok(None) };
        self.run(
            "UPDATE conversations SET
               window_ends = (SELECT max(sent_at) + ?2 FROM messages WHERE conversation = ?1 AND inbound = 1),
               last_message = (SELECT id FROM messages WHERE conversation = ?1 ORDER BY place DESC, seq DESC LIMIT 1),
               last_seq =
                 coalesce((SELECT seq FROM messages WHERE conversation = ?1 ORDER BY place DESC, seq DESC LIMIT 1), 0),
               last_place = coalesce((SELECT max(place) FROM messages WHERE conversation = ?1), 0)
             WHERE id = ?1",
            params![conversation, WINDOW],
        )?;
        self.choose_contact(conversation)?;
        self.choose_shown(conversation)?;
        self.run("DELETE FROM conversations WHERE id = ?1 AND shown_case IS NULL", [conversation])?;
        Ok(Some(ConversationId(conversation)))
    }
}

/// A word of `domain` as it stands in a column.
pub(crate) fn word(word: &impl Serialize) -> Result<String> {
    Ok(match serde_json::to_value(word)? {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    })
}
