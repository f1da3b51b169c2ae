//! What deserves a notification: each once, none for history, none for what is before the eyes.

use std::time::Duration;

use desk::{
    api::{Claim, Handler, Language, Settings, Showing},
    notify::Notification,
};
use tokio::sync::broadcast::Receiver;

use crate::{
    standin::{PASSWORD, colleague, me},
    workplace::{Workplace, until},
};

async fn next(notifications: &mut Receiver<Notification>) -> Notification {
    tokio::time::timeout(Duration::from_secs(20), notifications.recv()).await.unwrap().unwrap()
}

async fn none(notifications: &mut Receiver<Notification>) {
    let found = tokio::time::timeout(Duration::from_millis(700), notifications.recv()).await;
    assert!(found.is_err(), "{found:?}");
}

#[tokio::test]
async fn a_new_inquiry_a_message_on_my_case_and_a_case_given_to_me() {
    let place = Workplace::fresh().await;
    let mut told = place.desk.notifications();
    place.gateway.talk("قديم", "من قبل");
    place.sign_in(PASSWORD, None).await.unwrap();
    place.is_live().await;
    none(&mut told).await;

    let talk = place.gateway.talk("سعاد", "متى تعود الكهرباء؟");
    let new = next(&mut told).await;
    assert_eq!((new.conversation, new.quiet), (Some(talk.conversation), false));
    assert!(new.title.contains("سعاد") && new.title.contains("استفسار"), "{}", new.title);
    assert_eq!(new.body, "متى تعود الكهرباء؟");
    place.gateway.write(talk, "أرجو الرد");
    none(&mut told).await;

    place.gateway.assign(talk, Some(me()));
    let given = next(&mut told).await;
    assert!(given.title.contains("MEW-2026-"), "{}", given.title);
    place.desk.set_settings(Settings { language: Language::En, ..Settings::default() }).await.unwrap();
    place.gateway.write(talk, "هل من أحد؟");
    let wrote = next(&mut told).await;
    assert!(wrote.title.contains("wrote again"), "{}", wrote.title);
    assert_eq!(wrote.body, "هل من أحد؟");

    place.gateway.assign(talk, Some(colleague()));
    place.gateway.write(talk, "شكرًا");
    none(&mut told).await;
}

#[tokio::test]
async fn my_own_acts_and_what_is_before_my_eyes_deserve_none() {
    let place = Workplace::signed_in().await;
    place.is_live().await;
    let mut told = place.desk.notifications();
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    next(&mut told).await;
    place.desk.claim(Claim { case: talk.case }).await.unwrap();
    until("it mine", async || place.page(talk.conversation).await.case.owner.is_some()).await;
    none(&mut told).await;
    place.desk.showing(Showing { conversation: Some(talk.conversation), focused: true }).await.unwrap();
    place.gateway.write(talk, "أمام عيني");
    none(&mut told).await;
    place.desk.showing(Showing { conversation: Some(talk.conversation), focused: false }).await.unwrap();
    place.gateway.write(talk, "والنافذة خلف غيرها");
    assert_eq!(next(&mut told).await.body, "والنافذة خلف غيرها");
}

#[tokio::test]
async fn each_once_ever_on_this_workstation() {
    let place = Workplace::signed_in().await;
    place.is_live().await;
    let mut told = place.desk.notifications();
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    next(&mut told).await;
    // The same case comes again, whole, and then the whole journal comes again to a rebuilt file.
    place.gateway.inside().gained.push(talk.case);
    place.gateway.say_catch_up();
    none(&mut told).await;
    let place = place.restart().await;
    for entry in std::fs::read_dir(place.folder.path().join("data/accounts")).unwrap() {
        std::fs::remove_file(entry.unwrap().path().join("records.db")).unwrap();
    }
    let mut told = place.desk.notifications();
    place.unlock(PASSWORD).await.unwrap();
    place.shows(talk).await;
    none(&mut told).await;
}

#[tokio::test]
async fn what_came_while_the_desk_was_away_is_told_and_many_become_one() {
    let mut place = Workplace::signed_in().await;
    place.is_live().await;
    let mut told = place.desk.notifications();
    place.gateway.stop().await;
    place.is_offline().await;
    let talks: Vec<_> = (0..6).map(|n| place.gateway.talk(&format!("مراجع {n}"), "السلام عليكم")).collect();
    place.gateway_back().await;
    let many = next(&mut told).await;
    assert_eq!((many.conversation, many.quiet), (None, true));
    assert!(many.title.contains('6'), "{}", many.title);
    none(&mut told).await;
    place.shows(talks[5]).await;
    place.gateway.talk("بدر", "واحدة بعدها");
    assert_eq!(next(&mut told).await.body, "واحدة بعدها");
}
