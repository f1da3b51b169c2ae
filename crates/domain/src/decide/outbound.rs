//! A reply: whether it may go, and how far it has come.
//!
//! `queued` → `sending` is decided like everything else, one after another for the agency, and the entry that comes of
//! it permits the POST: whoever wrote it may send, once, and nobody else ever. A lease or a lock could expire while its
//! holder sleeps; an entry cannot.

use uuid::Uuid;

use super::{Asked, Context, Decision, contact::current, text};
use crate::{
    command::{Code, Refusal, Report, SendOutcome, Settle},
    entry::{
        Actor, IdentifierKind, MessageQueued, MessageStatusChanged, NewEntry, Recipient, Scope, SendError, Subject,
    },
    facts::{Facts, MessageFacts},
    ids::{CaseId, MessageId, Millis, Seq, made_at},
    permission::Act,
    visibility::visible,
    words::{CaseState, Status},
};

const MINUTE: Millis = 60_000;

pub(super) fn reply(by: &Asked, named: Option<CaseId>, words: &str, seen: Seq, context: &Context) -> Decision {
    let not_found = || Refusal::new(Code::NotFound, "There is no such conversation");
    by.must(Act::Answer)?;
    let conversation = by.facts.conversation.as_ref().ok_or_else(not_found)?;
    let case = by.case(Act::Answer).map_err(|_| not_found())?;
    let moved = || Refusal::new(Code::CaseMoved, "The conversation has gone on in another case");
    if case.conversation != conversation.id {
        return Err(moved());
    }
    if case.state == CaseState::Closed {
        let elsewhere = named.is_some() && conversation.active.is_some();
        return Err(if elsewhere { moved() } else { Refusal::new(Code::Closed, "The case is closed") });
    }
    let text = text(words)?;
    if conversation.window_ends.is_none_or(|ends| context.now >= ends) {
        let details = serde_json::json!({ "ended": conversation.window_ends });
        return Err(Refusal { details, ..Refusal::new(Code::WindowClosed, "WhatsApp's 24 hours have passed") });
    }
    if let Some((seq, colleague)) = by.facts.others_reply.filter(|(seq, _)| *seq > seen) {
        let details = serde_json::json!({ "seq": seq, "by": colleague });
        return Err(Refusal { details, ..Refusal::new(Code::NewerReply, "A colleague has answered meanwhile") });
    }
    let stale = Millis::from(by.facts.pack.as_ref().map_or(60, |pack| pack.stale_minutes)) * MINUTE;
    let age = made_at(by.command.id.0).map_or(0, |at| context.now.saturating_sub(at));
    if age > stale && case.last_inbound > seen {
        return Err(Refusal::new(Code::Stale, "Written long ago, and the citizen has written again since"));
    }
    let recipient = [IdentifierKind::Phone, IdentifierKind::Bsuid]
        .into_iter()
        .find_map(|kind| current(&conversation.contact, kind).map(|value| Recipient { kind, value: value.to_owned() }));
    let recipient = recipient.ok_or_else(|| Refusal::new(Code::Invalid, "The contact has no address on WhatsApp"))?;
    let message = MessageId(by.command.id.0);
    let fact = MessageQueued {
        message,
        conversation: conversation.id,
        case: case.id,
        recipient,
        r#type: "text".into(),
        text: Some(text),
        by: by.actor.viewer.staff,
    };
    Ok(vec![by.entry(Scope::Case(case.id), Subject::Message(message), fact)])
}

/// A person says what became of a message of which nobody knows.
pub(super) fn settle(by: &Asked, settle: Settle) -> Decision {
    by.must(Act::Answer)?;
    let message = seen(by)?;
    if message.status != Status::Uncertain {
        return Err(Refusal::new(Code::NotUncertain, "It is known what became of this message"));
    }
    let status = match settle {
        Settle::Sent => Status::Sent,
        Settle::Resend => Status::Queued,
    };
    let fact = MessageStatusChanged { message: message.id, wamid: None, status, error: None };
    Ok(vec![by.entry(Scope::Case(message.case), Subject::Message(message.id), fact)])
}

/// Takes a reply back. Decided under the head lock like the sender's `queued` → `sending`: one of the two comes first.
pub(super) fn recall(by: &Asked) -> Decision {
    by.must(Act::Answer)?;
    let message = seen(by)?;
    if message.author != Some(by.actor.viewer.staff) {
        by.must(Act::Assign)?;
    }
    match message.status {
        Status::Recalled => Ok(vec![]),
        // What waits for a second try may have gone out by the first.
        Status::Queued if !message.doubted => {
            let fact = MessageStatusChanged { message: message.id, wamid: None, status: Status::Recalled, error: None };
            Ok(vec![by.entry(Scope::Case(message.case), Subject::Message(message.id), fact)])
        }
        _ => Err(Refusal::new(Code::TooLate, "The message does not wait to be sent any more")),
    }
}

/// The message in question, if the actor may see it.
fn seen<'a>(by: &Asked<'a>) -> Result<&'a MessageFacts, Refusal> {
    let message = by.facts.message.as_ref().zip(by.facts.case.as_ref());
    let seen = message.filter(|(message, case)| {
        visible(&by.actor.viewer, &Scope::Case(message.case), (case.id == message.case).then_some(&case.audience))
    });
    seen.map(|(message, _)| message).ok_or_else(|| Refusal::new(Code::NotFound, "There is no such message"))
}

/// WhatsApp reports. Reports come late, twice and out of order: only one that moves the message on is a fact.
pub(super) fn report(facts: &Facts, report: &Report, cause: Option<Uuid>) -> Decision {
    let message = message(facts)?;
    if !message.status.moves_to(report.status) {
        return Ok(vec![]);
    }
    Ok(vec![changed(message, Some(report.wamid.clone()), report.status, report.error.clone(), cause)])
}

pub(super) fn begin_sending(facts: &Facts) -> Decision {
    let message = message(facts)?;
    if message.status != Status::Queued {
        return Err(Refusal::new(Code::Invalid, "The message does not wait to be sent"));
    }
    Ok(vec![changed(message, None, Status::Sending, None, None)])
}

/// What came of a POST. If a status webhook was faster, it knows better; and whoever slept meanwhile, so that the message
/// was given up and is being sent anew by another process, says nothing of that.
pub(super) fn end_sending(facts: &Facts, begun: Seq, outcome: &SendOutcome) -> Decision {
    let message = message(facts)?;
    let posted = message.status == Status::Sending && message.wamid.is_none() && message.status_seq == begun;
    Ok(match outcome {
        SendOutcome::Accepted { wamid } if posted => {
            vec![changed(message, Some(wamid.clone()), Status::Sending, None, None)]
        }
        // Somebody gave this POST up, and it went through all the same.
        SendOutcome::Accepted { wamid } if message.status == Status::Uncertain => {
            vec![changed(message, Some(wamid.clone()), Status::Sent, None, None)]
        }
        SendOutcome::NotSent if posted => vec![changed(message, None, Status::Queued, None, None)],
        SendOutcome::Refused(error) if posted => {
            vec![changed(message, None, Status::Failed, Some(error.clone()), None)]
        }
        SendOutcome::Ambiguous(error) if posted => {
            vec![changed(message, None, Status::Uncertain, Some(error.clone()), None)]
        }
        _ => vec![],
    })
}

/// The process that was sending is gone, and with it the knowledge whether its POST arrived.
pub(super) fn abandon(facts: &Facts) -> Decision {
    let message = message(facts)?;
    let posted = message.status == Status::Sending && message.wamid.is_none();
    Ok(posted.then(|| changed(message, None, Status::Uncertain, None, None)).into_iter().collect())
}

/// The journal was restored: what had not gone out when it was copied may have done so since. What WhatsApp had accepted
/// by then went out, and its reports find it by its wamid.
pub(super) fn doubt(facts: &Facts) -> Decision {
    let message = message(facts)?;
    let open = match message.status {
        Status::Queued => true,
        Status::Sending => message.wamid.is_none(),
        _ => false,
    };
    Ok(open.then(|| changed(message, None, Status::Uncertain, None, None)).into_iter().collect())
}

fn message(facts: &Facts) -> Result<&MessageFacts, Refusal> {
    facts.message.as_ref().ok_or_else(|| Refusal::new(Code::NotFound, "There is no such message"))
}

fn changed(
    message: &MessageFacts,
    wamid: Option<String>,
    status: Status,
    error: Option<SendError>,
    cause: Option<Uuid>,
) -> NewEntry {
    let fact = MessageStatusChanged { message: message.id, wamid, status, error };
    let subject = Subject::Message(message.id);
    NewEntry { scope: Scope::Case(message.case), subject, actor: Actor::System, cause, fact: fact.into() }
}
