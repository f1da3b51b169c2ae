//! Several people at one machine: what waits, who left with replies waiting, who is locked out, what is kept here.

use desk::api::{
    AddNote, Discard, ErrorCode, Fate, Filter, Handler, LeaveAsNote, ListConversations, Lock, Mode, Nothing, Order,
    Parting, Phase, PutBack, SaveDraft, SignIn, SignOut, Start,
};
use domain::command::Code;

use crate::{
    rot::copy,
    standin::{PASSWORD, Talk, me},
    workplace::{Workplace, until},
};

async fn draft(place: &Workplace, talk: Talk, mode: Mode, text: &str) {
    place.desk.save_draft(SaveDraft { conversation: talk.conversation, mode, text: text.into() }).await.unwrap();
}

async fn two_talks(place: &Workplace) -> [Talk; 2] {
    let talks = [place.gateway.talk("سعاد", "السلام عليكم"), place.gateway.talk("جاسم", "متى الدوام؟")];
    for talk in talks {
        place.shows(talk).await;
    }
    talks
}

/// From here on the gateway refuses replies, and one has been.
async fn one_stuck(place: &Workplace, talk: Talk) {
    place.gateway.inside().faults.refuse.insert("reply".into(), Code::WindowClosed);
    place.reply(talk, "عالق").await;
    until("stuck", async || place.status().await.stuck == 1).await;
}

async fn start(place: &Workplace) -> Start {
    place.desk.start(Nothing {}).await.unwrap()
}

async fn sign_out(place: &Workplace, parting: Parting) -> Start {
    place.desk.sign_out(SignOut { parting }).await.unwrap()
}

async fn colleague_signs_in(place: &Workplace) -> Start {
    let request = SignIn {
        gateway: place.gateway.url(),
        agency: "mew".into(),
        username: "agent".into(),
        password: PASSWORD.into(),
        code: None,
    };
    place.desk.sign_in(request).await.unwrap()
}

#[tokio::test]
async fn all_that_waits_is_listed_with_what_becomes_of_it() {
    let place = Workplace::signed_in().await;
    let [first, second] = two_talks(&place).await;
    place.gateway.stop().await;
    place.is_offline().await;
    place.reply(first, "واحد").await;
    place.reply(first, "اثنان").await;
    let note = AddNote { conversation: second.conversation, case: second.case, text: "اتصلت به".into() };
    place.desk.add_note(note).await.unwrap();
    draft(&place, second, Mode::Reply, "لم أنته").await;

    let unsent = place.desk.unsent(Nothing {}).await.unwrap();
    let acts: Vec<_> = unsent.acts.iter().map(|act| (act.text.as_deref().unwrap(), act.fate)).collect();
    assert_eq!(acts, [("واحد", Fate::Next), ("اثنان", Fate::After), ("اتصلت به", Fate::Next)]);
    let about = unsent.acts[0].about.as_ref().unwrap();
    assert_eq!((about.conversation, about.contact.name.as_deref()), (first.conversation, Some("سعاد")));
    assert_eq!(unsent.drafts.len(), 1);
    assert_eq!((unsent.drafts[0].mode, unsent.drafts[0].text.as_str()), (Mode::Reply, "لم أنته"));
}

#[tokio::test]
async fn what_is_out_of_sight_is_listed_without_a_name_and_can_be_dropped_and_put_back() {
    let place = Workplace::signed_in().await;
    let [talk, other] = two_talks(&place).await;
    draft(&place, talk, Mode::Reply, "لم أنته").await;
    place.gateway.inside().faults.refuse.insert("reply".into(), Code::NotFound);
    let id = place.reply(talk, "وعليكم السلام").await;
    draft(&place, talk, Mode::Note, "اتصلت بها").await;
    until("the refusal", async || place.status().await.stuck == 1).await;
    place.gateway.inside().lost.push(talk.case);
    place.gateway.say_catch_up();
    until("out of sight", async || place.rows().await.len() == 1).await;

    let unsent = place.desk.unsent(Nothing {}).await.unwrap();
    assert_eq!((unsent.acts.len(), unsent.drafts.len()), (1, 1));
    assert_eq!((unsent.acts[0].fate, unsent.acts[0].about.as_ref()), (Fate::Stuck, None));
    assert_eq!(unsent.acts[0].problem.as_ref().unwrap().code, "not_found");
    assert_eq!(unsent.drafts[0].about, None);
    let leave = LeaveAsNote { conversation: talk.conversation, mode: Mode::Note };
    assert_eq!(place.desk.leave_as_note(leave).await.unwrap_err().code, ErrorCode::NotFound, "nobody would see it");

    place.desk.discard(Discard { id }).await.unwrap();
    assert_eq!(place.desk.unsent(Nothing {}).await.unwrap().acts.len(), 0);
    place.desk.put_back(PutBack { id }).await.unwrap();
    let back = place.desk.unsent(Nothing {}).await.unwrap();
    assert_eq!(back.acts, unsent.acts);
    assert_eq!(place.desk.put_back(PutBack { id }).await.unwrap_err().code, ErrorCode::NotFound, "once");

    draft(&place, other, Mode::Reply, "حياكم الله").await;
    place.desk.leave_as_note(LeaveAsNote { conversation: other.conversation, mode: Mode::Reply }).await.unwrap();
    until("the note", async || place.gateway.notes().iter().any(|note| note.ends_with("حياكم الله"))).await;
    assert_eq!(place.page(other.conversation).await.draft.reply, "");
}

#[tokio::test]
async fn who_signs_out_with_replies_waiting_has_them_sent_behind_the_lock_while_a_colleague_works() {
    let mut place = Workplace::signed_in().await;
    let [talk, _] = two_talks(&place).await;
    place.gateway.inside().faults.slow = Some(std::time::Duration::from_secs(1));
    place.reply(talk, "واحد").await;
    place.reply(talk, "اثنان").await;
    let after = sign_out(&place, Parting::KeepSending).await;
    assert_eq!((after.phase, after.me), (Phase::SignIn, None));
    assert!(after.going_out > 0);
    let theirs = colleague_signs_in(&place).await;
    assert_eq!(theirs.me.unwrap().name, "خالد");
    assert_eq!(place.desk.unsent(Nothing {}).await.unwrap().acts.len(), 0, "it is not the colleague's");
    until("both out", async || place.gateway.replies() == ["واحد", "اثنان"]).await;
    until("the sign-out", async || !place.gateway.inside().tokens.contains_key("lead")).await;
    assert_eq!(start(&place).await.going_out, 0);
    assert!(place.gateway.inside().tokens.contains_key("agent"));
    // The person who left comes back by the gateway alone.
    place.desk.lock(Lock {}).await.unwrap();
    place.gateway.stop().await;
    let account = start(&place).await.accounts.iter().find(|one| one.username == "lead").unwrap().id.clone();
    let unlock = |password: &str| desk::api::Unlock { account: account.clone(), password: password.into() };
    assert_eq!(place.desk.unlock(unlock(PASSWORD)).await.unwrap_err().code, ErrorCode::Unreachable);
    place.gateway_back().await;
    place.desk.unlock(unlock(PASSWORD)).await.unwrap();
    place.shows(talk).await;
    until("the replies", async || place.messages(talk.conversation).await.len() == 3).await;
    assert_eq!(place.gateway.replies().len(), 2, "nothing went twice");
}

#[tokio::test]
async fn a_notification_that_was_clicked_behind_the_lock_leads_nobody_else_to_its_conversation() {
    let place = Workplace::signed_in().await;
    let [talk, _] = two_talks(&place).await;
    place.desk.start(Nothing {}).await.unwrap();
    place.desk.lock(Lock {}).await.unwrap();
    place.desk.notification_clicked(talk.conversation);
    colleague_signs_in(&place).await;
    let mut signals = place.desk.signals();
    place.desk.start(Nothing {}).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    while let Ok(signal) = signals.try_recv() {
        assert!(!matches!(signal, desk::api::Signal::Open { .. }), "{signal:?}");
    }
}

#[tokio::test]
async fn off_line_the_outbox_of_who_left_goes_once_the_gateway_is_back() {
    let mut place = Workplace::signed_in().await;
    let [talk, _] = two_talks(&place).await;
    place.gateway.stop().await;
    place.is_offline().await;
    place.reply(talk, "واحد").await;
    assert_eq!(sign_out(&place, Parting::KeepSending).await.going_out, 1);
    place.gateway_back().await;
    until("it out", async || place.gateway.replies() == ["واحد"]).await;
    until("the sign-out", async || place.gateway.inside().tokens.is_empty()).await;
}

#[tokio::test]
async fn who_hands_over_leaves_notes_and_sends_no_reply() {
    let place = Workplace::signed_in().await;
    let [talk, other] = two_talks(&place).await;
    one_stuck(&place, talk).await;
    place.reply(talk, "خلفه").await;
    place.gateway.inside().faults.refuse.clear();
    let note = AddNote { conversation: other.conversation, case: other.case, text: "ملاحظة".into() };
    place.desk.add_note(note).await.unwrap();
    sign_out(&place, Parting::HandOver).await;
    until("the notes", async || place.gateway.notes().len() == 3).await;
    let mut notes = place.gateway.notes();
    notes.sort_by_key(|note| note.len());
    for (note, wanted) in notes.iter().zip(["ملاحظة", "عالق", "خلفه"]) {
        assert!(note.ends_with(wanted) || note.contains('\n'), "{note}");
    }
    assert!(place.gateway.replies().is_empty(), "a reply that was handed over is not sent");
    place.sign_in(PASSWORD, None).await.unwrap();
    until("the answers", async || place.desk.unsent(Nothing {}).await.unwrap().acts.is_empty()).await;
}

#[tokio::test]
async fn who_hands_over_off_line_leaves_notes_in_place_of_replies_that_never_left() {
    let mut place = Workplace::signed_in().await;
    let [talk, _] = two_talks(&place).await;
    place.is_live().await;
    place.gateway.stop().await;
    place.is_offline().await;
    place.reply(talk, "واحد").await;
    place.reply(talk, "اثنان").await;
    assert_eq!(sign_out(&place, Parting::HandOver).await.going_out, 2);
    place.gateway_back().await;
    until("the sign-out", async || place.gateway.inside().tokens.is_empty()).await;
    assert!(place.gateway.replies().is_empty(), "a reply that was handed over is not sent");
    let notes = place.gateway.notes();
    assert!(notes.len() == 2 && notes[0].ends_with("واحد") && notes[1].ends_with("اثنان"), "{notes:?}");
}

#[tokio::test]
async fn a_locked_desk_goes_on_receiving_and_shows_nothing() {
    let place = Workplace::signed_in().await;
    let [talk, _] = two_talks(&place).await;
    let mut notifications = place.desk.notifications();
    let locked = place.desk.lock(Lock {}).await.unwrap();
    assert_eq!((locked.phase, locked.me), (Phase::Locked, None));
    let asked = place
        .desk
        .conversations(ListConversations { filter: Filter::Open, order: Order::Latest, skip: 0, limit: 10 })
        .await;
    assert_eq!(asked.unwrap_err().code, ErrorCode::NotSignedIn);
    place.gateway.assign(talk, Some(me()));
    let mut told = None;
    until("a notification", async || {
        told = notifications.try_recv().ok();
        told.is_some()
    })
    .await;
    let told = told.unwrap();
    assert!(told.body.contains("MEW-2026-"), "{told:?}");
    for secret in ["سعاد", "السلام"] {
        assert!(!told.title.contains(secret) && !told.body.contains(secret), "{told:?}");
    }
    let entries = place.gateway.inside().entries.len();
    place.gateway.stop().await;
    assert_eq!(place.unlock("wrong").await.unwrap_err().code, ErrorCode::WrongPassword);
    assert_eq!(start(&place).await.phase, Phase::Locked);
    place.unlock(PASSWORD).await.unwrap();
    assert_eq!(place.page(talk.conversation).await.seen, i64::try_from(entries).unwrap(), "it came behind the lock");
}

#[tokio::test]
async fn a_computer_that_was_shut_out_removes_what_it_kept_and_says_what_was_lost() {
    let place = Workplace::signed_in().await;
    let [talk, other] = two_talks(&place).await;
    draft(&place, other, Mode::Note, "لم أنته").await;
    one_stuck(&place, talk).await;
    place.gateway.inside().faults.revoked = true;
    place.gateway.say_catch_up();
    until("removed", async || start(&place).await.accounts.is_empty()).await;
    let after = start(&place).await;
    let wiped = after.wiped.unwrap();
    assert_eq!((after.phase, wiped.unsent, wiped.drafts), (Phase::SignIn, 1, 1));
    let left = std::fs::read_dir(place.folder.path().join("data/accounts")).unwrap().count();
    assert_eq!(left, 0, "the files are gone");
    let keys = std::fs::read_to_string(place.folder.path().join("keychain.json")).unwrap();
    assert_eq!(keys.trim(), "{}", "and the key");

    // It is told until somebody signs in, over a restart too.
    let place = place.restart().await;
    assert!(start(&place).await.wiped.is_some());
    place.gateway.inside().faults.revoked = false;
    assert_eq!(place.sign_in(PASSWORD, None).await.unwrap().wiped, None);
    place.shows(talk).await;
}

#[tokio::test]
async fn a_removal_that_was_cut_off_is_finished_at_the_next_start() {
    let place = Workplace::signed_in().await;
    let place = place.restart().await;
    let before = tempfile::tempdir().unwrap();
    copy(place.folder.path(), before.path());
    place.unlock(PASSWORD).await.unwrap();
    place.gateway.inside().faults.revoked = true;
    place.gateway.say_catch_up();
    until("removed", async || start(&place).await.accounts.is_empty()).await;
    // It was noted, and then the power went: all the rest is as it was.
    place.desk.close().await;
    copy(before.path(), place.folder.path());
    let place = place.restart().await;
    let after = start(&place).await;
    assert!(after.accounts.is_empty() && after.wiped.is_some());
    assert_eq!(std::fs::read_dir(place.folder.path().join("data/accounts")).unwrap().count(), 0, "the files are gone");
    let keys = std::fs::read_to_string(place.folder.path().join("keychain.json")).unwrap();
    assert_eq!(keys.trim(), "{}", "and the key");
}

#[tokio::test]
async fn the_cache_is_cleared_and_had_again_and_what_is_precious_stays() {
    let place = Workplace::signed_in().await;
    let [talk, other] = two_talks(&place).await;
    draft(&place, other, Mode::Note, "لم أنته").await;
    one_stuck(&place, talk).await;
    let before = place.desk.storage(Nothing {}).await.unwrap();
    assert_eq!((before.conversations, before.messages, before.drafts, before.unsent), (2, 2, 1, 1));
    assert!(before.records > 4_000 && before.precious > 4_000 && before.since.is_some() && before.aside == 0);
    assert!(std::path::Path::new(&before.folder).is_dir());
    place.is_live().await;
    let asked = place.gateway.inside().asked.len();
    place.desk.clear_cache(Nothing {}).await.unwrap();
    place.shows(talk).await;
    assert_eq!(place.gateway.inside().asked[asked], "0", "from the beginning");
    place.is_live().await;
    let after = place.desk.storage(Nothing {}).await.unwrap();
    assert_eq!((after.conversations, after.messages, after.drafts, after.unsent), (2, 2, 1, 1));
    assert_eq!(place.messages(talk.conversation).await.len(), 2);
    place.gateway.stop().await;
    place.is_offline().await;
    assert_eq!(place.desk.clear_cache(Nothing {}).await.unwrap_err().code, ErrorCode::Unreachable);
    place.shows(talk).await;
}
