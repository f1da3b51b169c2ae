//! Signing in and out, locking and unlocking, on line and off.

use std::sync::atomic::Ordering;

use desk::api::{ErrorCode, Handler, Lock, Mode, Nothing, Parting, Phase, SaveDraft, SignIn, SignOut, Signal, Unlock};
use domain::ids::ConversationId;
use uuid::Uuid;

use crate::{
    standin::{PASSWORD, Talk},
    workplace::{Workplace, until},
};

const OTHER: &str = "كلمة أخرى طويلة بما يكفي";

const DRAFT: &str = "لم أُنهِ بعد";

fn conversation() -> ConversationId {
    ConversationId(Uuid::from_u128(1))
}

async fn write_draft(place: &Workplace) -> Talk {
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    let draft = SaveDraft { conversation: talk.conversation, mode: Mode::Note, text: DRAFT.into() };
    place.desk.save_draft(draft).await.unwrap();
    talk
}

async fn draft(place: &Workplace, talk: Talk) -> String {
    place.shows(talk).await;
    place.page(talk.conversation).await.draft.note
}

#[tokio::test]
async fn from_nobody_to_ready_to_locked_and_back() {
    let place = Workplace::fresh().await;
    let start = place.desk.start(Nothing {}).await.unwrap();
    assert_eq!((start.phase, start.accounts.len()), (Phase::SignIn, 0));
    let refused = place.desk.status(Nothing {}).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotSignedIn);

    let mut signals = place.desk.signals();
    let start = place.sign_in(PASSWORD, None).await.unwrap();
    let me = start.me.unwrap();
    assert_eq!((start.phase, me.name.as_str(), me.agency.ar.as_str()), (Phase::Ready, "نورة", "وزارة الكهرباء والماء"));
    assert!(me.can.answer && me.can.assign && !me.can.administer);
    until("the session's signal", async || matches!(signals.try_recv(), Ok(Signal::Session {}))).await;
    place.is_live().await;
    let start = place.desk.start(Nothing {}).await.unwrap();
    assert_eq!(start.me.unwrap().agency.en, "Ministry of Electricity and Water", "by the pack, once it is here");

    let start = place.desk.lock(Lock {}).await.unwrap();
    assert_eq!((start.phase, start.me), (Phase::Locked, None));
    assert_eq!(place.unlock(PASSWORD).await.unwrap().phase, Phase::Ready);
}

#[tokio::test]
async fn what_is_wrong_is_said_by_its_code() {
    let place = Workplace::fresh().await;
    let code = async |password: &str, code| place.sign_in(password, code).await.unwrap_err().code;
    assert_eq!(code("wrong", None).await, ErrorCode::WrongPassword);
    assert_eq!(code(PASSWORD, Some("NEVER")).await, ErrorCode::WrongPassword);
    assert_eq!(code("short", Some("ONCE")).await, ErrorCode::WeakPassword);
    for (status, wanted) in [
        (426, ErrorCode::TooOld),
        (429, ErrorCode::SlowDown),
        (503, ErrorCode::Unreachable),
        (404, ErrorCode::NotAGateway),
    ] {
        place.gateway.inside().faults.status = Some(status);
        assert_eq!(code(PASSWORD, None).await, wanted, "{status}");
    }
    place.gateway.stop().await;
    assert_eq!(code(PASSWORD, None).await, ErrorCode::Unreachable);
    let unsafe_address = SignIn {
        gateway: "http://desk.mew.gov.kw".into(),
        agency: "mew".into(),
        username: "lead".into(),
        password: PASSWORD.into(),
        code: None,
    };
    assert_eq!(place.desk.sign_in(unsafe_address).await.unwrap_err().code, ErrorCode::BadAddress);
    let nobody = Unlock { account: "nobody".into(), password: PASSWORD.into() };
    assert_eq!(place.desk.unlock(nobody).await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(place.desk.start(Nothing {}).await.unwrap().accounts, []);
}

#[tokio::test]
async fn a_first_sign_in_with_a_code_sets_the_password() {
    let place = Workplace::fresh().await;
    place.sign_in(OTHER, Some("ONCE")).await.unwrap();
    let place = place.restart().await;
    place.gateway.stop().await;
    assert_eq!(place.unlock(PASSWORD).await.unwrap_err().code, ErrorCode::WrongPassword);
    assert_eq!(place.unlock(OTHER).await.unwrap().phase, Phase::Ready);
}

#[tokio::test]
async fn off_line_the_password_opens_what_was_synced() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "متى تعود الكهرباء؟");
    place.shows(talk).await;
    let place = place.restart().await;
    assert_eq!(place.desk.start(Nothing {}).await.unwrap().phase, Phase::Locked);
    place.gateway.stop().await;
    assert_eq!(place.unlock("wrong").await.unwrap_err().code, ErrorCode::WrongPassword);
    place.unlock(PASSWORD).await.unwrap();
    assert_eq!(place.messages(talk.conversation).await[0].text.as_deref(), Some("متى تعود الكهرباء؟"));
    place.is_offline().await;
    let status = place.status().await;
    assert!(status.synced_at.is_some() && status.offline_since.is_some());
}

#[tokio::test]
async fn after_the_lease_the_gateway_has_to_answer() {
    let mut place = Workplace::fresh().await;
    place.gateway.inside().lease = 1_000;
    place.sign_in(PASSWORD, None).await.unwrap();
    let talk = place.gateway.talk("سعاد", "متى تعود الكهرباء؟");
    place.shows(talk).await;
    place = place.restart().await;
    place.gateway.stop().await;
    place.clock.0.store(2_000, Ordering::Relaxed);
    assert_eq!(place.unlock(PASSWORD).await.unwrap_err().code, ErrorCode::LeaseExpired);
    // The time of the sign-in holds, however far the clock is set back; a wrong password stays a wrong one.
    assert_eq!(place.unlock("wrong").await.unwrap_err().code, ErrorCode::WrongPassword);
    place.gateway_back().await;
    place.gateway.inside().lease = 1_000_000;
    place.unlock(PASSWORD).await.unwrap();
    assert_eq!(place.messages(talk.conversation).await.len(), 1, "nothing was lost");
    place = place.restart().await;
    place.gateway.stop().await;
    place.unlock(PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_clock_set_wrong_neither_ends_the_lease_nor_stretches_it() {
    const DAY: i64 = 24 * 3_600_000;
    for wrong in [400 * DAY, -400 * DAY] {
        let place = Workplace::fresh().await;
        place.clock.0.store(wrong, Ordering::Relaxed);
        place.sign_in(PASSWORD, None).await.unwrap();
        let place = place.restart().await;
        place.gateway.stop().await;
        place.clock.0.store(wrong + 13 * DAY, Ordering::Relaxed);
        place.unlock(PASSWORD).await.unwrap();
        let place = place.restart().await;
        place.clock.0.store(wrong + 15 * DAY, Ordering::Relaxed);
        assert_eq!(place.unlock(PASSWORD).await.unwrap_err().code, ErrorCode::LeaseExpired, "{wrong}");
    }
}

#[tokio::test]
async fn a_reset_password_loses_nothing() {
    let place = Workplace::signed_in().await;
    let talk = write_draft(&place).await;
    let place = place.restart().await;
    place.gateway.inside().password = OTHER.into();
    // The old password still opens the file off line; the new one opens it with the gateway's help, and from then on.
    assert_eq!(place.unlock(OTHER).await.unwrap().phase, Phase::Ready);
    assert_eq!(draft(&place, talk).await, DRAFT);
    let place = place.restart().await;
    place.gateway.stop().await;
    assert_eq!(place.unlock(PASSWORD).await.unwrap_err().code, ErrorCode::WrongPassword);
    place.unlock(OTHER).await.unwrap();
}

#[tokio::test]
async fn files_that_no_key_opens_are_set_aside_and_not_deleted() {
    let place = Workplace::signed_in().await;
    let talk = write_draft(&place).await;
    let place = place.restart().await;
    place.gateway.inside().password = OTHER.into();
    place.gateway.inside().device_secret = vec![9; 32];
    assert_eq!(place.sign_in(OTHER, None).await.unwrap().phase, Phase::Ready);
    assert_eq!(draft(&place, talk).await, "", "fresh files");

    // The keychain was emptied: the person signs in anew.
    let place = place.restart().await;
    std::fs::remove_file(place.folder.path().join("keychain.json")).unwrap();
    place.gateway.stop().await;
    assert_eq!(place.unlock(OTHER).await.unwrap_err().code, ErrorCode::Unreachable);
    let mut place = place;
    place.gateway_back().await;
    place.unlock(OTHER).await.unwrap();
    let count = std::fs::read_dir(place.folder.path().join("data/accounts")).unwrap().count();
    assert_eq!(count, 3, "two sets of files aside, one in use");
}

#[tokio::test]
async fn after_a_sign_out_the_gateway_has_to_answer() {
    let mut place = Workplace::signed_in().await;
    let talk = write_draft(&place).await;
    let start = place.desk.sign_out(SignOut { parting: Parting::KeepSending }).await.unwrap();
    assert_eq!((start.phase, start.accounts.len()), (Phase::SignIn, 1));
    place = place.restart().await;
    assert_eq!(place.desk.start(Nothing {}).await.unwrap().phase, Phase::SignIn);
    place.gateway.stop().await;
    assert_eq!(place.unlock(PASSWORD).await.unwrap_err().code, ErrorCode::Unreachable);
    place.gateway_back().await;
    place.unlock(PASSWORD).await.unwrap();
    assert_eq!(draft(&place, talk).await, DRAFT);
}

#[tokio::test]
async fn a_token_that_holds_no_longer_stops_sync_and_nothing_else() {
    let mut place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    place.gateway.inside().faults.signed_out = true;
    place.gateway.say_catch_up();
    until("the problem", async || place.status().await.problem.is_some_and(|problem| problem.code == "signed_out"))
        .await;
    place.reply(talk, "وعليكم السلام").await;
    assert_eq!(place.status().await.waiting, 1);
    // Off line the password opens what is here, and no more.
    place.gateway.stop().await;
    place.desk.lock(Lock {}).await.unwrap();
    place.unlock(PASSWORD).await.unwrap();
    assert_eq!(place.status().await.problem.map(|problem| problem.code).as_deref(), Some("signed_out"));
    place.gateway_back().await;
    place.desk.lock(Lock {}).await.unwrap();
    place.unlock(PASSWORD).await.unwrap();
    until("the reply", async || place.gateway.replies() == ["وعليكم السلام"]).await;
    assert_eq!(place.status().await.problem, None);
}

#[tokio::test]
async fn a_click_before_the_window_is_ready_opens_its_conversation_after() {
    let place = Workplace::fresh().await;
    let mut signals = place.desk.signals();
    place.desk.notification_clicked(conversation());
    place.desk.start(Nothing {}).await.unwrap();
    place.sign_in(PASSWORD, None).await.unwrap();
    let open = Signal::Open { conversation: conversation() };
    while let Ok(signal) = signals.try_recv() {
        assert_ne!(signal, open, "before the window asked");
    }
    place.desk.start(Nothing {}).await.unwrap();
    until("the conversation", async || signals.try_recv().is_ok_and(|signal| signal == open)).await;
    place.desk.notification_clicked(conversation());
    until("the conversation", async || signals.try_recv().is_ok_and(|signal| signal == open)).await;
}
