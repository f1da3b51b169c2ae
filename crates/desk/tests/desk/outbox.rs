//! What a person sends: kept, sent once and in order, or stuck where a person sees it.

use desk::api::{
    AddNote, Claim, CloseCase, Delivery, Discard, ErrorCode, Fate, Handler, Item, Mode, Nothing, PutBack, Retry,
    SaveDraft, SendReply, TakeBack,
};
use domain::{
    command::{Ask, Code, Settle},
    words::Status,
};

use crate::{
    standin::PASSWORD,
    workplace::{Workplace, until},
};

#[tokio::test]
async fn a_reply_is_on_screen_at_once_and_stays_the_same_row() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    place.gateway.stop().await;
    let draft =
        SaveDraft { conversation: talk.conversation, mode: Mode::Reply, text: "وعليكم السلام".into() };
    place.desk.save_draft(draft).await.unwrap();
    assert!(place.rows().await[0].draft);
    let id = place.reply(talk, "وعليكم السلام").await;
    let page = place.page(talk.conversation).await;
    assert_eq!(page.draft.reply, "", "the draft became the reply");
    assert_eq!((page.row.preview.as_deref(), page.row.status), (Some("وعليكم السلام"), Some(Delivery::Waiting)));
    let last = place.messages(talk.conversation).await.pop().unwrap();
    assert_eq!((last.message.0, last.seq, last.delivery), (id.0, 0, Some(Delivery::Waiting)));
    assert_eq!(last.delivery_at, None);
    let mut place = place;
    place.gateway_back().await;
    until("it queued", async || place.delivery(talk.conversation, "وعليكم السلام").await == Some(Delivery::Queued))
        .await;
    until("its entry", async || place.messages(talk.conversation).await.pop().unwrap().seq > 0).await;
    let last = place.messages(talk.conversation).await.pop().unwrap();
    assert_eq!(last.message.0, id.0);
    place.gateway.set_status(talk, last.message, Status::Read);
    until("it read", async || place.delivery(talk.conversation, "وعليكم السلام").await == Some(Delivery::Read)).await;
    let read = place.messages(talk.conversation).await.pop().unwrap();
    assert!(last.delivery_at.is_some() && read.delivery_at > last.delivery_at, "it tells since when");
    assert_eq!(place.status().await.waiting, 0);
}

#[tokio::test]
async fn off_line_three_replies_and_a_note_wait_and_go_once_in_order() {
    let mut place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    place.gateway.stop().await;
    place.is_offline().await;
    for text in ["واحد", "اثنان", "ثلاثة"] {
        place.reply(talk, text).await;
    }
    let note = AddNote { conversation: talk.conversation, case: talk.case, text: "اتصلت بها".into() };
    place.desk.add_note(note).await.unwrap();
    assert_eq!(place.status().await.waiting, 4);
    let mut place = {
        place = place.restart().await;
        place.unlock(PASSWORD).await.unwrap();
        place
    };
    let page = place.page(talk.conversation).await;
    assert_eq!(page.items.iter().filter(|item| matches!(item, Item::Note(note) if note.pending)).count(), 1);
    assert_eq!(page.case.notes.len(), 1);
    // Every second answer is lost on its way back: the same ids come again, and nothing is done twice.
    place.gateway.inside().faults.lose_answers = 3;
    place.gateway_back().await;
    until("all", async || place.gateway.notes().len() == 1 && place.status().await.waiting == 0).await;
    assert_eq!(place.gateway.replies(), ["واحد", "اثنان", "ثلاثة"]);
    assert!(place.gateway.inside().posted.len() > 4, "no answer was lost");
    until("none pending", async || place.messages(talk.conversation).await.iter().all(|message| message.seq > 0)).await;
    assert_eq!(place.messages(talk.conversation).await.len(), 4);
}

#[tokio::test]
async fn what_was_refused_is_stuck_with_the_replies_behind_it_and_can_be_tried_again() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    let other = place.gateway.talk("بدر", "السلام عليكم");
    place.shows(other).await;
    place.gateway.inside().faults.refuse.insert("reply".into(), Code::NewerReply);
    let first = place.reply(talk, "واحد").await;
    until("it stuck", async || place.delivery(talk.conversation, "واحد").await == Some(Delivery::Stuck)).await;
    place.gateway.inside().faults.refuse.clear();
    place.reply(talk, "اثنان").await;
    let note = AddNote { conversation: talk.conversation, case: talk.case, text: "ملاحظة".into() };
    place.desk.add_note(note).await.unwrap();
    place.reply(other, "رد آخر").await;
    until("the rest", async || place.gateway.notes() == ["ملاحظة"] && place.gateway.replies() == ["رد آخر"]).await;
    let problems: Vec<_> =
        place.messages(talk.conversation).await.into_iter().filter_map(|message| message.problem).collect();
    let codes: Vec<_> = problems.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["newer_reply", "behind"]);
    until("the rest answered", async || place.status().await.waiting == 0).await;
    assert_eq!(place.status().await.stuck, 2);

    let seen = place.gateway.write(talk, "هل من أحد؟");
    until("it here", async || place.page(talk.conversation).await.seen == seen).await;
    place.desk.retry(Retry { id: first, seen }).await.unwrap();
    until("both", async || place.gateway.replies() == ["رد آخر", "واحد", "اثنان"]).await;
    let inside = place.gateway.inside();
    let again =
        inside.posted.iter().rev().find(|command| matches!(&command.ask, Ask::Reply { text, .. } if text == "واحد"));
    let again = again.unwrap();
    assert_ne!(again.id, first, "the old id has its answer for ever");
    assert!(matches!(again.ask, Ask::Reply { seen: now, .. } if now == seen));
}

#[tokio::test]
async fn a_stuck_reply_can_be_dropped_or_taken_back_into_the_composer() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    place.gateway.inside().faults.refuse.insert("reply".into(), Code::WindowClosed);
    let first = place.reply(talk, "واحد").await;
    let second = place.reply(talk, "اثنان").await;
    until("both stuck", async || place.status().await.stuck == 2).await;
    let draft = SaveDraft { conversation: talk.conversation, mode: Mode::Reply, text: "وأيضًا".into() };
    place.desk.save_draft(draft).await.unwrap();
    let drafts = place.desk.take_back(TakeBack { id: second }).await.unwrap().drafts.unwrap();
    assert_eq!(drafts.reply, "اثنان\nوأيضًا", "nothing typed is lost");
    place.desk.discard(Discard { id: first }).await.unwrap();
    assert_eq!((place.status().await.stuck, place.messages(talk.conversation).await.len()), (0, 1));
    assert_eq!(place.desk.discard(Discard { id: first }).await.unwrap_err().code, ErrorCode::NotFound);
    assert!(place.gateway.replies().is_empty());
}

#[tokio::test]
async fn what_is_uncertain_is_settled_by_a_person_once() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    let settled = async |text: &str| {
        let id = place.reply(talk, text).await;
        until("it queued", async || place.delivery(talk.conversation, text).await == Some(Delivery::Queued)).await;
        place.gateway.set_status(talk, id.0.into(), Status::Uncertain);
        until("it uncertain", async || place.delivery(talk.conversation, text).await == Some(Delivery::Uncertain))
            .await;
        id
    };
    let again = settled("واحد").await;
    place.gateway.stop().await;
    let mut place = { place };
    place.desk.retry(Retry { id: again, seen: 0 }).await.unwrap();
    place.desk.retry(Retry { id: again, seen: 0 }).await.unwrap();
    place.gateway_back().await;
    until("it queued", async || place.delivery(talk.conversation, "واحد").await == Some(Delivery::Queued)).await;
    let asked = place
        .gateway
        .inside()
        .posted
        .iter()
        .filter(|command| matches!(command.ask, Ask::SettleUncertain { settle: Settle::Resend, .. }))
        .count();
    assert_eq!(asked, 1, "two keystrokes are one decision");
    assert_eq!(place.desk.retry(Retry { id: again, seen: 0 }).await.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn acts_on_a_case_show_that_they_wait() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    place.gateway.stop().await;
    place.desk.claim(Claim { case: talk.case }).await.unwrap();
    let pending = place.page(talk.conversation).await.case.pending;
    assert_eq!((pending.len(), pending[0].kind.as_str(), &pending[0].refused), (1, "claim", &None));
    let mut place = place;
    place.gateway_back().await;
    until("it mine", async || place.page(talk.conversation).await.case.owner.is_some()).await;
    until("none pending", async || place.page(talk.conversation).await.case.pending.is_empty()).await;

    place.gateway.inside().faults.refuse.insert("close_case".into(), Code::Owned);
    let close = CloseCase { case: talk.case, outcome: "done".into() };
    let id = place.desk.close_case(close.clone()).await.unwrap().id;
    let refused = async || place.page(talk.conversation).await.case.pending.iter().any(|one| one.refused.is_some());
    until("it refused", refused).await;
    place.gateway.inside().faults.refuse.clear();
    place.desk.retry(Retry { id, seen: 0 }).await.unwrap();
    until("it closed", async || place.page(talk.conversation).await.case.outcome.is_some()).await;
    let outcomes = place.desk.outcomes(Nothing {}).await.unwrap().outcomes;
    assert_eq!(outcomes[0].slug, "done");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_at_once() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    let other = place.gateway.talk("بدر", "السلام عليكم");
    place.shows(other).await;
    let send = async |conversation, text: String| {
        place.desk.send_reply(SendReply { conversation, case: talk.case, text, seen: 1 }).await.unwrap_err().code
    };
    assert_eq!(send(talk.conversation, "  \n".into()).await, ErrorCode::BadText);
    assert_eq!(send(talk.conversation, "ا".repeat(4_097)).await, ErrorCode::BadText);
    assert_eq!(send(other.conversation, "نعم".into()).await, ErrorCode::NotFound, "another conversation's case");
    assert_eq!(place.status().await.waiting, 0);
}

#[tokio::test]
async fn the_outbox_waits_while_the_gateway_asks_to_wait() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    for status in [429, 500, 503] {
        place.gateway.inside().faults.status = Some(status);
        place.reply(talk, &status.to_string()).await;
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        assert_eq!(place.delivery(talk.conversation, &status.to_string()).await, Some(Delivery::Waiting));
    }
    place.gateway.inside().faults.status = None;
    until("all", async || place.gateway.replies() == ["429", "500", "503"]).await;
}

#[tokio::test]
async fn what_a_restored_gateway_has_lost_is_shown_and_not_sent_again() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    let lost = place.reply(talk, "فُقدت").await;
    let note = AddNote { conversation: talk.conversation, case: talk.case, text: "ملاحظة فُقدت".into() };
    place.desk.add_note(note).await.unwrap();
    let kept = place.reply(talk, "بقيت").await;
    until("all done", async || place.status().await.waiting == 0 && place.gateway.replies().len() == 2).await;
    until("all entries", async || place.messages(talk.conversation).await.iter().all(|message| message.seq > 0)).await;
    // One that a person has dropped stays dropped.
    place.gateway.inside().faults.refuse.insert("reply".into(), Code::NewerReply);
    let dropped = place.reply(talk, "أُسقطت").await;
    until("it stuck", async || place.status().await.stuck == 1).await;
    place.desk.discard(Discard { id: dropped }).await.unwrap();
    place.gateway.inside().faults.refuse.clear();

    let posted = place.gateway.inside().posted.len();
    place.gateway.begin_another_journal();
    place.gateway.open(talk, "سعاد", "السلام عليكم");
    place.gateway.append_reply(talk, kept, "بقيت");
    place.gateway.say_catch_up();
    until("the losses", async || place.status().await.stuck == 2).await;
    let messages = place.messages(talk.conversation).await;
    let shown: Vec<_> = messages.iter().filter_map(|message| message.text.as_deref()).collect();
    assert_eq!(shown, ["السلام عليكم", "بقيت", "فُقدت"]);
    let code = |message: &desk::api::MessageItem| message.problem.as_ref().map(|problem| problem.code.clone());
    assert_eq!(messages.iter().map(code).collect::<Vec<_>>(), [None, None, Some("restored".into())]);
    let stuck_notes = place.page(talk.conversation).await.case.notes;
    assert!(stuck_notes.len() == 1 && stuck_notes[0].problem.is_some());
    // Nothing goes by itself, also not after a restart, and nothing is found lost twice.
    let place = place.restart().await;
    place.unlock(PASSWORD).await.unwrap();
    place.is_live().await;
    assert_eq!(place.status().await.stuck, 2);
    assert_eq!(place.gateway.inside().posted.len(), posted);
    // A person decides: what is tried again goes once, under an id of its own.
    let seen = place.page(talk.conversation).await.seen;
    place.desk.retry(Retry { id: lost, seen }).await.unwrap();
    until("it again", async || place.gateway.replies() == ["بقيت", "فُقدت"]).await;
    until("the entry", async || place.status().await.stuck == 1).await;
    let again = place.gateway.inside().posted.iter().filter(|command| command.id == lost).count();
    assert_eq!(again, 1, "the old id was sent once, before the restore");
}

#[tokio::test]
async fn who_was_erased_is_erased_here_with_what_was_being_written_to_them() {
    let mut place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    let other = place.gateway.talk("بدر", "السلام عليكم");
    place.shows(other).await;
    place.gateway.stop().await;
    place.is_offline().await;
    for one in [talk, other] {
        let draft = SaveDraft { conversation: one.conversation, mode: Mode::Note, text: "مسودة".into() };
        place.desk.save_draft(draft).await.unwrap();
        place.reply(one, "رد ينتظر").await;
    }
    // While the desk is off line.
    place.gateway.erase(talk);
    place.gateway.inside().faults.refuse.insert("reply".into(), Code::NotFound);
    place.gateway_back().await;
    until("it gone", async || place.rows().await.iter().all(|row| row.conversation != talk.conversation)).await;
    place.is_live().await;
    let rows = place.rows().await;
    assert_eq!(rows.iter().map(|row| (row.conversation, row.draft)).collect::<Vec<_>>(), [(other.conversation, true)]);
    assert_eq!(place.messages(other.conversation).await.len(), 2, "another's reply stays");
    until("the other's alone", async || place.status().await.stuck + place.status().await.waiting == 1).await;
}

#[tokio::test]
async fn a_reply_that_is_at_the_gateway_is_taken_back_there() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    let id = place.reply(talk, "عند البوابة").await;
    until("it queued", async || place.delivery(talk.conversation, "عند البوابة").await == Some(Delivery::Queued)).await;
    assert_eq!(place.desk.take_back(TakeBack { id }).await.unwrap().drafts, None);
    until("it back", async || place.delivery(talk.conversation, "عند البوابة").await == Some(Delivery::Recalled)).await;
    assert_eq!(place.desk.take_back(TakeBack { id }).await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(place.status().await.stuck, 0);
}

#[tokio::test]
async fn what_never_left_is_taken_back_or_dropped_without_the_gateway_hearing_of_it() {
    let mut place = Workplace::signed_in().await;
    let [talk, other] = [place.gateway.talk("سعاد", "السلام عليكم"), place.gateway.talk("بدر", "السلام عليكم")];
    place.shows(other).await;
    place.is_live().await;
    place.gateway.stop().await;
    place.is_offline().await;
    let posted = place.gateway.inside().posted.len();
    let first = place.reply(talk, "بالخطأ").await;
    place.reply(talk, "بعده").await;
    let note = AddNote { conversation: other.conversation, case: other.case, text: "ملاحظة".into() };
    let note = place.desk.add_note(note).await.unwrap().id;
    let claim = place.desk.claim(Claim { case: other.case }).await.unwrap().id;
    // The sender has tried meanwhile, and found nobody.
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert!(place.desk.unsent(Nothing {}).await.unwrap().acts.iter().all(|act| act.only_here));

    let drafts = place.desk.take_back(TakeBack { id: first }).await.unwrap().drafts.unwrap();
    assert_eq!(drafts.reply, "بالخطأ");
    assert_eq!(place.page(talk.conversation).await.draft.reply, "بالخطأ", "on the disk, too");
    assert_eq!(place.delivery(talk.conversation, "بالخطأ").await, None, "and no bubble is left of it");
    assert_eq!(place.desk.take_back(TakeBack { id: note }).await.unwrap().drafts.unwrap().note, "ملاحظة");
    place.desk.discard(Discard { id: claim }).await.unwrap();
    place.desk.put_back(PutBack { id: claim }).await.unwrap();
    place.desk.discard(Discard { id: claim }).await.unwrap();
    let acts = place.desk.unsent(Nothing {}).await.unwrap().acts;
    assert_eq!(
        acts.iter().map(|act| (act.text.as_deref(), act.fate)).collect::<Vec<_>>(),
        [(Some("بعده"), Fate::Next)]
    );

    place.gateway_back().await;
    until("the rest", async || place.gateway.replies() == ["بعده"] && place.status().await.waiting == 0).await;
    let inside = place.gateway.inside();
    let heard = inside.posted[posted..].iter().filter(|command| !matches!(command.ask, Ask::SeenUpTo { .. })).count();
    assert_eq!(heard, 1, "{:?}", inside.posted);
}

#[tokio::test]
async fn what_may_be_at_the_gateway_is_not_dropped_here_though_its_answer_was_lost() {
    let mut place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    place.is_live().await;
    // It is done there, and nobody here knows: no answer, and no entry.
    let next = i64::try_from(place.gateway.inside().entries.len()).unwrap() + 1;
    place.gateway.inside().faults.swallow.insert(next);
    place.gateway.inside().faults.lose_answers = 1_000;
    let id = place.reply(talk, "أرسلت").await;
    until("it there", async || place.gateway.replies() == ["أرسلت"]).await;
    place.gateway.stop().await;
    place.is_offline().await;
    place = place.restart().await;
    place.unlock(PASSWORD).await.unwrap();
    let acts = place.desk.unsent(Nothing {}).await.unwrap().acts;
    assert_eq!(acts.iter().map(|act| (act.id, act.only_here)).collect::<Vec<_>>(), [(id, false)]);
    assert_eq!(place.desk.discard(Discard { id }).await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(place.desk.take_back(TakeBack { id }).await.unwrap().drafts, None);
    assert_eq!(place.delivery(talk.conversation, "أرسلت").await, Some(Delivery::Waiting), "it still waits");
    place.gateway.inside().faults.lose_answers = 0;
    place.gateway_back().await;
    until("it back", async || place.delivery(talk.conversation, "أرسلت").await == Some(Delivery::Recalled)).await;
    assert_eq!(place.gateway.replies(), ["أرسلت"], "and it went once");
}
