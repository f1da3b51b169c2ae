//! The facts for one decision.

use domain::{
    command::{Ask, MOST_MEDIA, SystemAsk},
    entry::{Identifier, IdentifierKind, Scope},
    facts::{CaseFacts, ContactFacts, ConversationFacts, Facts, MessageFacts, RawFacts, StaffFacts},
    ids::{CaseId, ContactId, ConversationId, MessageId, Millis, Seq, StaffId},
    visibility::{Audience, visible},
    words::{CaseState, Status},
};
use rusqlite::{OptionalExtension, Row, params};
use uuid::Uuid;

use crate::{Records, Result, people::read_word};

const CASE: &str = "id, conversation, team, owner, state, closed_at, closed_seq, last_inbound, last_reply";

impl Records {
    /// What a decision on a command by `actor` may depend on.
    pub fn facts(&mut self, actor: StaffId, ask: &Ask) -> Result<Facts> {
        let mut facts = Facts { pack: self.pack()?, actor: self.staff(actor)?, ..Facts::default() };
        if let Some(actor) = &facts.actor {
            for media in ask.media().iter().take(MOST_MEDIA) {
                if self.sees_media(&actor.viewer, *media)? {
                    facts.media.push(*media);
                }
            }
        }
        match ask {
            Ask::Reply { conversation, case, .. } => {
                // A conversation is what the cases make of it that this person sees: nothing else may decide, or show.
                let seen = self.seen_cases(facts.actor.as_ref(), *conversation)?;
                let active = seen.iter().find(|case| case.state == CaseState::Open).map(|case| case.id);
                facts.conversation = self.conversation_facts(*conversation, None)?.filter(|_| !seen.is_empty());
                if let Some(conversation) = &mut facts.conversation {
                    conversation.active = active;
                }
                facts.case = match case {
                    Some(case) => self.case_facts(*case)?,
                    None => seen.into_iter().next(),
                };
                facts.others_reply = facts.case.as_ref().map_or(Ok(None), |case| self.others_reply(case.id, actor))?;
            }
            Ask::AddNote { case, .. }
            | Ask::Claim { case }
            | Ask::Release { case }
            | Ask::Transfer { case, .. }
            | Ask::CloseCase { case, .. }
            | Ask::ReopenCase { case }
            | Ask::SeenUpTo { case, .. } => facts.case = self.case_facts(*case)?,
            Ask::Assign { case, staff } => {
                facts.case = self.case_facts(*case)?;
                facts.staff = self.staff(*staff)?;
            }
            Ask::AddStaff { username, .. } => facts.staff = self.staff_by_username(username)?,
            Ask::ChangeStaff { staff, .. } => {
                facts.staff = self.staff(*staff)?;
                facts.owned = self.owned_by(*staff)?;
            }
            Ask::EraseContact { contact, .. } => {
                facts.erasure = self.erasure_facts(*contact)?;
                facts.last_number = self.last_number()?;
            }
            Ask::SettleUncertain { message, .. } | Ask::Recall { message } => {
                facts.message = self.message_facts(*message)?;
                facts.case = facts.message.as_ref().map_or(Ok(None), |message| self.case_facts(message.case))?;
            }
        }
        Ok(facts)
    }

    /// What a decision on something that the system asks for may depend on.
    pub fn system_facts(&mut self, ask: &SystemAsk) -> Result<Facts> {
        let mut facts = Facts { pack: self.pack()?, ..Facts::default() };
        match ask {
            SystemAsk::Receive(inbound) => {
                let by = |kind| inbound.identifiers.iter().find(move |given: &&Identifier| given.kind == kind);
                let holder = |kind| by(kind).map_or(Ok(None), |given| self.holder(kind, &given.value));
                let (by_bsuid, by_phone) = (holder(IdentifierKind::Bsuid)?, holder(IdentifierKind::Phone)?);
                facts.by_bsuid = by_bsuid.map_or(Ok(None), |contact| self.contact(contact))?;
                facts.by_phone = match by_phone {
                    Some(contact) if by_bsuid == Some(contact) => facts.by_bsuid.clone(),
                    Some(contact) => self.contact(contact)?,
                    None => None,
                };
                let agrees = |contact: &&ContactFacts| {
                    by(IdentifierKind::Bsuid).is_none_or(|given| {
                        contact.identifiers.iter().all(|held| {
                            held.kind != IdentifierKind::Bsuid || held.to.is_some() || held.value == given.value
                        })
                    })
                };
                let contact = facts.by_bsuid.as_ref().or(facts.by_phone.as_ref().filter(agrees));
                let Some(contact) = contact.cloned() else {
                    facts.last_number = self.last_number()?;
                    return Ok(facts);
                };
                let conversation = self.conversation_of(contact.id, &inbound.line)?;
                if let Some(conversation) = conversation {
                    facts.conversation = self.conversation_facts(conversation, Some(contact))?;
                    let active = facts.conversation.as_ref().and_then(|conversation| conversation.active);
                    facts.active = active.map_or(Ok(None), |case| self.case_facts(case))?;
                    facts.closed = self.last_closed(conversation)?;
                    if let Some(quoted) = &inbound.context {
                        facts.quoted = self.case_of_wamid(quoted, conversation)?;
                    }
                }
                facts.last_number = self.last_number()?;
            }
            SystemAsk::Report(report) => {
                if let Some(message) = report.message {
                    facts.message = self.message_facts(message)?;
                }
                if facts.message.is_none() {
                    facts.message = self.message_by_wamid(&report.wamid)?;
                }
            }
            SystemAsk::BeginSending { message }
            | SystemAsk::EndSending { message, .. }
            | SystemAsk::Abandon { message }
            | SystemAsk::Doubt { message } => facts.message = self.message_facts(*message)?,
            SystemAsk::Understand { message, .. } => facts.raw = self.raw_facts(*message)?,
            SystemAsk::EraseAgain { contact, .. } => {
                facts.erasure = self.erasure_facts(*contact)?;
                facts.last_number = self.last_number()?;
            }
            SystemAsk::LoadPack { .. } => facts.pack_sha = self.pack_sha()?,
            SystemAsk::ConfigureLine { line, .. } => {
                let sql = "SELECT display_number FROM lines WHERE id = ?1";
                let mut statement = self.connection.prepare_cached(sql)?;
                facts.display_number = statement.query_row([line], |row| row.get(0)).optional()?;
            }
            SystemAsk::AddFirstStaff { username, .. } => facts.staff = self.staff_by_username(username)?,
        }
        Ok(facts)
    }

    fn case_facts(&self, case: CaseId) -> Result<Option<CaseFacts>> {
        self.one_case("WHERE id = ?1", [case.0])
    }

    /// The cases of a conversation that a person may see: open ones first, the last one touched first; of closed ones the
    /// last one closed first.
    fn seen_cases(&self, actor: Option<&StaffFacts>, conversation: ConversationId) -> Result<Vec<CaseFacts>> {
        let sql = format!(
            "SELECT {CASE} FROM cases WHERE conversation = ?1
             ORDER BY state = 'open' DESC, CASE state WHEN 'open' THEN last_seq ELSE closed_seq END DESC"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([conversation.0], |row| Ok(case_row(row)))?;
        let mut cases = rows.map(|row| row?).collect::<Result<Vec<_>>>()?;
        let sees = |case: &CaseFacts| {
            actor.is_some_and(|actor| visible(&actor.viewer, &Scope::Case(case.id), Some(&case.audience)))
        };
        cases.retain(sees);
        Ok(cases)
    }

    fn others_reply(&self, case: CaseId, actor: StaffId) -> Result<Option<(Seq, StaffId)>> {
        let sql = "SELECT seq, author FROM messages WHERE case_id = ?1 AND inbound = 0 AND author <> ?2 AND status <> 'recalled'
                   ORDER BY seq DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([case.0, actor.0], |row| Ok((row.get(0)?, StaffId(row.get(1)?)))).optional()?)
    }

    fn last_closed(&self, conversation: ConversationId) -> Result<Option<CaseFacts>> {
        self.one_case("WHERE conversation = ?1 AND state = 'closed' ORDER BY closed_seq DESC LIMIT 1", [conversation.0])
    }

    fn case_of_wamid(&self, wamid: &str, conversation: ConversationId) -> Result<Option<CaseFacts>> {
        self.one_case(
            "WHERE id = (SELECT case_id FROM messages WHERE wamid = ?1 AND conversation = ?2)",
            params![wamid, conversation.0],
        )
    }

    fn one_case(&self, condition: &str, values: impl rusqlite::Params) -> Result<Option<CaseFacts>> {
        let sql = format!("SELECT {CASE} FROM cases {condition}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_row(values, |row| Ok(case_row(row))).optional()?.transpose()
    }

    fn conversation_of(&self, contact: ContactId, line: &str) -> Result<Option<ConversationId>> {
        let sql = "SELECT id, last_place FROM conversations WHERE contact = ?1 AND line = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = None;
        for one in self.with_aliases(contact)? {
            for row in statement.query_map(params![one.0, line], |row| Ok((row.get(0)?, row.get(1)?)))? {
                let (conversation, last_place): (Uuid, Millis) = row?;
                // The contact's own first, then one that came with an alias.
                found = found.max(Some((one == contact, last_place, conversation)));
            }
        }
        Ok(found.map(|(.., conversation)| ConversationId(conversation)))
    }

    /// A conversation; `known` is a contact that was loaded already, and may be its own.
    fn conversation_facts(
        &self,
        conversation: ConversationId,
        known: Option<ContactFacts>,
    ) -> Result<Option<ConversationFacts>> {
        let sql = "SELECT line, contact, window_ends,
                     (SELECT id FROM cases WHERE conversation = c.id AND state = 'open' ORDER BY last_seq DESC LIMIT 1)
                   FROM conversations c WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement
            .query_row([conversation.0], |row| {
                Ok((row.get(0)?, row.get::<_, Uuid>(1)?, row.get(2)?, row.get::<_, Option<Uuid>>(3)?))
            })
            .optional()?;
        let Some((line, contact, window_ends, active)) = found else { return Ok(None) };
        let contact = self.resolve(ContactId(contact))?;
        let contact = match known.filter(|known| known.id == contact) {
            Some(known) => Some(known),
            None => self.contact(contact)?,
        };
        Ok(contact.map(|contact| ConversationFacts {
            id: conversation,
            line,
            contact,
            window_ends,
            active: active.map(CaseId),
        }))
    }

    fn message_facts(&self, message: MessageId) -> Result<Option<MessageFacts>> {
        self.one_message("WHERE id = ?1 AND inbound = 0", [message.0])
    }

    fn message_by_wamid(&self, wamid: &str) -> Result<Option<MessageFacts>> {
        self.one_message("WHERE wamid = ?1 AND inbound = 0", [wamid])
    }

    fn raw_facts(&self, message: MessageId) -> Result<Option<RawFacts>> {
        let sql = "SELECT case_id, coalesce(reader, 1) FROM messages WHERE id = ?1 AND inbound = 1 AND raw IS NOT NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let facts = |row: &Row| Ok(RawFacts { id: message, case: CaseId(row.get(0)?), reader: row.get(1)? });
        Ok(statement.query_row([message.0], facts).optional()?)
    }

    fn one_message(&self, condition: &str, values: impl rusqlite::Params) -> Result<Option<MessageFacts>> {
        let sql = format!(
            "SELECT id, case_id, status, wamid, author, doubted, coalesce(status_seq, 0) FROM messages {condition}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement
            .query_row(values, |row| {
                let facts = MessageFacts {
                    id: MessageId(row.get(0)?),
                    case: CaseId(row.get(1)?),
                    status: Status::Queued,
                    status_seq: row.get(6)?,
                    wamid: row.get(3)?,
                    author: row.get::<_, Option<Uuid>>(4)?.map(StaffId),
                    doubted: row.get(5)?,
                };
                Ok((facts, row.get::<_, String>(2)?))
            })
            .optional()?;
        let Some((facts, status)) = found else { return Ok(None) };
        Ok(Some(MessageFacts { status: read_word(&status)?, ..facts }))
    }
}

fn case_row(row: &Row) -> Result<CaseFacts> {
    Ok(CaseFacts {
        id: CaseId(row.get(0)?),
        conversation: ConversationId(row.get(1)?),
        audience: Audience { team: row.get(2)? },
        owner: row.get::<_, Option<Uuid>>(3)?.map(StaffId),
        state: read_word(&row.get::<_, String>(4)?)?,
        closed_at: row.get(5)?,
        closed_seq: row.get(6)?,
        last_inbound: row.get(7)?,
        last_reply: row.get(8)?,
    })
}
