//! What a person does: each act is a command in the outbox, on the disk before the call answers.

use domain::{
    command::{Ask, Settle},
    ids::{CaseId, CommandId, ConversationId, MessageId},
    words::Status,
};
use records::thread::What;

use crate::{
    api::{
        AddNote, CallError, Discard, Drafts, ErrorCode, Mode, Nothing, Queued, Retry, SaveDraft, SeenUpTo, SendReply,
        Signal, TakeBack, TakenBack,
    },
    database::Contents,
    failure::{call_error, not_found},
    outbox, precious,
    seat::Seat,
};

/// What WhatsApp takes (4,096 characters; Meta, messages/text-messages). Notes keep to the same bound.
pub(crate) const LONGEST: usize = 4096;
/// A draft may be longer than what can be sent: it is still being written.
const LONGEST_DRAFT: usize = 64 << 10;

pub(crate) async fn save_draft(seat: &Seat, request: SaveDraft) -> Result<Nothing, CallError> {
    let SaveDraft { conversation, mode, text } = request;
    if text.len() > LONGEST_DRAFT {
        return Err(call_error(ErrorCode::BadText, "The draft is too long"));
    }
    let text = if text.trim().is_empty() { String::new() } else { text };
    let (appeared, typed) = seat
        .precious
        .write(move |precious| {
            let c = precious.connection();
            let before = precious::drafts(c, conversation)?;
            precious::save_draft(c, conversation, mode, &text)?;
            let after = precious::drafts(c, conversation)?;
            let none = |drafts: &Drafts| drafts.reply.is_empty() && drafts.note.is_empty();
            Ok((none(&before) != none(&after), (before != after).then_some(!text.is_empty())))
        })
        .await?;
    if let Some(writing) = typed {
        seat.hub.set_writing(conversation, writing);
    }
    // The row shows whether there is a draft, not what it says: each keystroke need not redraw it.
    if appeared {
        seat.hub.changed(conversation);
    }
    Ok(Nothing {})
}

pub(crate) async fn send_reply(seat: &Seat, request: SendReply) -> Result<Queued, CallError> {
    let SendReply { conversation, case, text, seen } = request;
    sendable(&text)?;
    if conversation_of(seat, case).await? != conversation {
        return Err(not_found("case in this conversation"));
    }
    let ask = Ask::Reply { conversation, case: Some(case), text, seen };
    queue(seat, conversation, case, ask, Some(Mode::Reply)).await
}

pub(crate) async fn add_note(seat: &Seat, request: AddNote) -> Result<Queued, CallError> {
    let AddNote { conversation, case, text } = request;
    sendable(&text)?;
    if conversation_of(seat, case).await? != conversation {
        return Err(not_found("case in this conversation"));
    }
    queue(seat, conversation, case, Ask::AddNote { case, text, media: vec![] }, Some(Mode::Note)).await
}

/// Queues a note that was a draft, which it takes the place of.
pub(crate) async fn leave_note(
    seat: &Seat,
    conversation: ConversationId,
    case: CaseId,
    text: String,
    drafted: Mode,
) -> Result<Queued, CallError> {
    sendable(&text)?;
    queue(seat, conversation, case, Ask::AddNote { case, text, media: vec![] }, Some(drafted)).await
}

/// An act on a case.
pub(crate) async fn on_case(seat: &Seat, case: CaseId, ask: Ask) -> Result<Queued, CallError> {
    let conversation = conversation_of(seat, case).await?;
    queue(seat, conversation, case, ask, None).await
}

pub(crate) async fn retry(seat: &Seat, request: Retry) -> Result<Nothing, CallError> {
    let Retry { id, seen } = request;
    let now = seat.now();
    let (ids, clock) = (seat.hub.ids.clone(), now);
    let retried = seat
        .precious
        .write(move |precious| outbox::retry(precious.connection(), id, seen, || CommandId(ids.next(clock)), now));
    if retried.await? {
        outbox_changed(seat);
        return Ok(Nothing {});
    }
    settle(seat, id, Settle::Resend).await
}

pub(crate) async fn discard(seat: &Seat, request: Discard) -> Result<Nothing, CallError> {
    let id = request.id;
    let dropped = seat.precious.write(move |precious| outbox::take_out(precious.connection(), id)).await?;
    if let Some(row) = dropped {
        seat.dropped().keep(row);
        outbox_changed(seat);
        return Ok(Nothing {});
    }
    settle(seat, id, Settle::Sent).await
}

/// What is nowhere but here becomes a draft again, and nobody else hears of it. Of a reply that may be at the gateway the
/// gateway is asked.
pub(crate) async fn take_back(seat: &Seat, request: TakeBack) -> Result<TakenBack, CallError> {
    let id = request.id;
    let taken = seat
        .precious
        .write(move |precious| {
            let c = precious.connection();
            let Some(row) = outbox::take_out(c, id)? else { return Ok(None) };
            let before = precious::drafts(c, row.conversation)?;
            let (mode, text, before) = match row.ask()? {
                Ask::Reply { text, .. } => (Mode::Reply, text, before.reply),
                Ask::AddNote { text, .. } => (Mode::Note, text, before.note),
                _ => anyhow::bail!("Only a reply or a note can be taken back"),
            };
            // What was being written meanwhile stays, behind it.
            let text = if before.is_empty() { text } else { format!("{text}\n{before}") };
            precious::save_draft(c, row.conversation, mode, &text)?;
            Ok(Some(precious::drafts(c, row.conversation)?))
        })
        .await?;
    match taken {
        Some(_) => outbox_changed(seat),
        None => recall(seat, id.0.into()).await?,
    }
    Ok(TakenBack { drafts: taken })
}

pub(crate) async fn seen_up_to(seat: &Seat, request: SeenUpTo) -> Result<Nothing, CallError> {
    let SeenUpTo { case, seq } = request;
    let conversation = conversation_of(seat, case).await?;
    let moved = seat.precious.write(move |precious| precious::move_position(precious.connection(), case, seq));
    if moved.await? {
        seat.records.write(move |records| Ok(records.set_seen(case, seq)?)).await?;
        seat.send_now.notify_one();
        seat.hub.changed(conversation);
    }
    Ok(Nothing {})
}

/// Has the gateway take a reply of ours back, be it there already or still on its way: the command goes after it.
async fn recall(seat: &Seat, message: MessageId) -> Result<(), CallError> {
    let found = seat.records.read(move |records| Ok(records.message(message)?)).await?;
    let waits = |item: &records::thread::Item| matches!(&item.what, What::Message(message) if message.status == Some(Status::Queued));
    let place = match found {
        Some((conversation, item)) => waits(&item).then_some((conversation, item.case)),
        None => {
            let undone = seat.precious.read(|precious| outbox::undone(precious.connection(), None)).await?;
            let row =
                undone.into_iter().find(|row| row.id.0 == message.0 && row.kind == "reply" && row.problem().is_none());
            row.map(|row| (row.conversation, row.case))
        }
    };
    let (conversation, case) = place.ok_or_else(|| not_found("reply that waits"))?;
    queue(seat, conversation, case, Ask::Recall { message }, None).await.map(drop)
}

/// A reply of which nobody knows whether WhatsApp got it: a person says what to do.
async fn settle(seat: &Seat, id: CommandId, settle: Settle) -> Result<Nothing, CallError> {
    let message = id.0.into();
    let found = seat.records.read(move |records| Ok(records.message(message)?)).await?;
    let Some((conversation, item)) = found else { return Err(not_found("stuck command or uncertain message")) };
    if !matches!(&item.what, What::Message(message) if message.status == Some(Status::Uncertain)) {
        return Err(not_found("stuck command or uncertain message"));
    }
    let rows = seat.precious.read(move |precious| outbox::undone(precious.connection(), Some(conversation))).await?;
    for row in rows {
        // Two keystrokes are one decision: a second resend would be a second copy.
        if matches!(row.ask()?, Ask::SettleUncertain { message: other, .. } if other == message) {
            return Ok(Nothing {});
        }
    }
    queue(seat, conversation, item.case, Ask::SettleUncertain { message, settle }, None).await?;
    Ok(Nothing {})
}

/// Puts a command into the outbox, and drops the draft that it was, in one transaction.
async fn queue(
    seat: &Seat,
    conversation: ConversationId,
    case: CaseId,
    ask: Ask,
    drafted: Option<Mode>,
) -> Result<Queued, CallError> {
    let (id, now) = (seat.new_id(), seat.now());
    seat.precious
        .write(move |precious| {
            let c = precious.connection();
            outbox::put(c, id, conversation, case, ask, now)?;
            if let Some(mode) = drafted {
                precious::save_draft(c, conversation, mode, "")?;
            }
            Ok(())
        })
        .await?;
    if drafted.is_some() {
        seat.hub.set_writing(conversation, false);
    }
    seat.send_now.notify_one();
    seat.hub.changed(conversation);
    seat.hub.tell(Signal::Status {});
    Ok(Queued { id })
}

/// What waits is not what it was.
pub(crate) fn outbox_changed(seat: &Seat) {
    seat.send_now.notify_one();
    seat.hub.tell(Signal::Changed { conversations: vec![], all: true });
    seat.hub.tell(Signal::Status {});
}

async fn conversation_of(seat: &Seat, case: CaseId) -> Result<ConversationId, CallError> {
    let found = seat.records.read(move |records| Ok(records.case(case)?)).await?;
    found.map(|case| case.conversation).ok_or_else(|| not_found("case"))
}

fn sendable(text: &str) -> Result<(), CallError> {
    if text.trim().is_empty() {
        return Err(call_error(ErrorCode::BadText, "The text is empty"));
    }
    let length = text.chars().count();
    if length > LONGEST {
        return Err(call_error(ErrorCode::BadText, format_args!("The text has {length} characters of {LONGEST}")));
    }
    Ok(())
}
