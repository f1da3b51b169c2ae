//! A citizen's message: whose it is, which case it belongs to, where it stands.

use uuid::Uuid;

use super::{Context, Decision, contact, pack};
use crate::{
    command::Inbound,
    entry::{
        Actor, CaseOpened, ContactChanged, ConversationOpened, Fact, MessageReceived, MessageUnderstood, NewEntry,
        Scope, Subject,
    },
    facts::{CaseFacts, Facts, RawFacts},
    ids::{CaseId, ConversationId, MessageId, Millis},
    words::CaseState,
};

/// A message stands where it was sent if it came within this time, else where it arrived.
const PROMPT: Millis = 120_000;
const HOUR: Millis = 3_600_000;

pub(super) fn receive(facts: &Facts, inbound: &Inbound, cause: Option<Uuid>, context: &Context) -> Decision {
    let pack = pack(facts)?;
    let sender = contact::sender(facts, inbound, || context.id());
    let conversation =
        facts.conversation.as_ref().map_or_else(|| context.id::<ConversationId>(), |conversation| conversation.id);
    let existing = choose(facts, inbound, Millis::from(pack.grace_hours) * HOUR);
    let case = existing.map_or_else(|| context.id::<CaseId>(), |case| case.id);
    let scope = Scope::Case(case);

    let mut entries = vec![];
    let mut write = |scope: Scope, subject: Subject, actor: Actor, fact: Fact| {
        entries.push(NewEntry { scope, subject, actor, cause, fact });
    };
    let mut tell = |about: &ContactChanged, cases: &mut dyn Iterator<Item = CaseId>| {
        for case in cases {
            write(Scope::Case(case), Subject::Contact(about.contact), Actor::System, about.clone().into());
        }
    };

    if let Some((other, cases)) = sender.other {
        tell(&other, &mut cases.into_iter());
    }
    let mut informed = if sender.changed { sender.cases } else { Default::default() };
    if sender.changed || existing.is_none() {
        informed.insert(case);
    }
    tell(&sender.now, &mut informed.into_iter());

    if facts.conversation.is_none() {
        let fact = ConversationOpened { conversation, contact: sender.contact, line: inbound.line.clone() };
        write(scope.clone(), Subject::Conversation(conversation), Actor::System, fact.into());
    }
    if existing.is_none() {
        let fact = CaseOpened {
            case,
            conversation,
            number: pack.next_case_number(facts.last_number.as_deref(), context.now),
            kind: pack.default_kind.clone(),
            team: pack.default_team.clone(),
            contact: sender.contact,
            line: inbound.line.clone(),
        };
        write(scope.clone(), Subject::Case(case), Actor::System, fact.into());
    }
    let message: MessageId = context.id();
    let fact = MessageReceived {
        message,
        conversation,
        case,
        wamid: inbound.wamid.clone(),
        r#type: inbound.r#type.clone(),
        text: inbound.text.clone(),
        context: inbound.context.clone(),
        media: inbound.media.clone(),
        sent_at: inbound.sent_at,
        place: place(inbound.sent_at, inbound.received_at),
        raw: inbound.raw.clone(),
        reader: inbound.raw.is_some().then_some(inbound.reader),
    };
    write(scope, Subject::Message(message), Actor::Contact(sender.contact), fact.into());
    Ok(entries)
}

/// What a later version makes of a message that was kept raw. Whoever looked at it with this version or a later one has
/// said already what there is to say.
pub(super) fn understand(facts: &Facts, r#type: &str, text: Option<&str>, reader: u32) -> Decision {
    let raw = facts.raw.as_ref().filter(|raw| raw.reader < reader);
    let entry = |raw: &RawFacts| NewEntry {
        scope: Scope::Case(raw.case),
        subject: Subject::Message(raw.id),
        actor: Actor::System,
        cause: None,
        fact: MessageUnderstood { message: raw.id, r#type: r#type.to_owned(), text: text.map(str::to_owned), reader }
            .into(),
    };
    Ok(raw.map(entry).into_iter().collect())
}

fn place(sent_at: Millis, received_at: Millis) -> Millis {
    let late = received_at.saturating_sub(sent_at);
    if (0..=PROMPT).contains(&late) { sent_at } else { received_at }
}

/// The case that a message goes to: the quoted message's if open; else the active one; else, within the pack's grace
/// time after a closing, the closed one ('thank you' is no new inquiry); else none, and one is opened.
fn choose<'a>(facts: &'a Facts, inbound: &Inbound, grace: Millis) -> Option<&'a CaseFacts> {
    let open = |case: &&CaseFacts| case.state == CaseState::Open;
    let recent = |case: &&CaseFacts| case.closed_at.is_some_and(|at| inbound.received_at.saturating_sub(at) <= grace);
    let quoted = facts.quoted.as_ref().filter(open);
    let closed = facts.closed.as_ref();
    quoted.or(facts.active.as_ref()).or(closed.filter(recent)).or(closed.filter(|_| !opens(&inbound.r#type)))
}

/// Whether a message of this type is an inquiry. One that is not goes to the conversation's last case; only where there
/// is none at all does it open one, since every message belongs to a case and none is dropped.
fn opens(r#type: &str) -> bool {
    !matches!(r#type, "reaction" | "sticker" | "edit" | "revoke" | "call" | "calls" | "system")
}
