//! What deserves a notification: each once, none for history, none for what is before the eyes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use desk::{
    api::{
        Claim, Day, Handler, Language, Nothing, Notices, QuietHours, Settings, Showing, Signal, Sound, StartWithSystem,
    },
    notify::Notification,
    surroundings::Surroundings,
};
use domain::ids::CommandId;
use tokio::sync::broadcast::Receiver;

use crate::{
    standin::{PASSWORD, colleague, fresh, me},
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
}

#[tokio::test]
async fn what_a_colleague_has_or_takes_is_told_to_nobody_else() {
    let place = Workplace::signed_in().await;
    place.is_live().await;
    let mut told = place.desk.notifications();
    let taken = place.gateway.talk("بدر", "من أخذها؟");
    place.gateway.assign(taken, Some(colleague()));
    place.gateway.write(taken, "هل من أحد؟");
    none(&mut told).await;
    let talk = place.gateway.talk("سعاد", "متى تعود الكهرباء؟");
    next(&mut told).await;
    // One has been told: a fourth within some seconds would be held back, and its absence would show nothing.
    place.gateway.assign(talk, Some(colleague()));
    none(&mut told).await;
    place.gateway.write(talk, "شكرًا");
    none(&mut told).await;
}

#[tokio::test]
async fn the_end_of_whatsapps_hours_is_told_once_while_my_citizen_waits() {
    let place = Workplace::signed_in().await;
    place.gateway.inside().offset = -(23 * 60 + 30) * 60_000;
    let [mine, answered, theirs] = ["سعاد", "بدر", "مها"].map(|name| place.gateway.talk(name, "متى؟"));
    place.gateway.assign(mine, Some(me()));
    place.gateway.assign(answered, Some(me()));
    place.gateway.append_reply(answered, CommandId(fresh()), "غدًا");
    place.gateway.assign(theirs, Some(colleague()));
    place.gateway.inside().offset = 0;
    let last = place.gateway.talk("جاسم", "والآن؟");
    place.gateway.assign(last, Some(me()));
    place.shows(last).await;
    until("all of it", async || place.page(last.conversation).await.case.owner.is_some()).await;

    let place = place.restart().await;
    let mut told = place.desk.notifications();
    place.unlock(PASSWORD).await.unwrap();
    let near = next(&mut told).await;
    assert!(near.key.starts_with("closing "), "{near:?}");
    assert_eq!(near.conversation, Some(mine.conversation));
    none(&mut told).await;
    let place = place.restart().await;
    let mut told = place.desk.notifications();
    place.unlock(PASSWORD).await.unwrap();
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

#[tokio::test]
async fn in_private_nobody_is_named_and_nothing_quoted() {
    let place = Workplace::signed_in().await;
    place.is_live().await;
    place.desk.set_settings(Settings { private_notifications: true, ..Settings::default() }).await.unwrap();
    let mut told = place.desk.notifications();
    let talk = place.gateway.talk("سعاد", "متى تعود الكهرباء؟");
    let new = next(&mut told).await;
    let shown = format!("{} {}", new.title, new.body);
    assert!(shown.contains("MEW-2026-"), "{shown}");
    assert!(!shown.contains("سعاد") && !shown.contains("الكهرباء"), "{shown}");
    assert_eq!(new.conversation, Some(talk.conversation));
}

#[tokio::test]
async fn in_quiet_hours_what_a_colleague_gives_appears_without_a_sound_and_nothing_else() {
    let place = Workplace::signed_in().await;
    place.is_live().await;
    let days = vec![Day::Sunday, Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday, Day::Saturday];
    let always = QuietHours { on: true, from: 0, until: 0, days };
    place.desk.set_settings(Settings { quiet: always, ..Settings::default() }).await.unwrap();
    let mut told = place.desk.notifications();
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    none(&mut told).await;
    place.gateway.assign(talk, Some(me()));
    let given = next(&mut told).await;
    assert_eq!((given.conversation, given.sound), (Some(talk.conversation), Sound::Off));
    place.gateway.write(talk, "هل من أحد؟");
    none(&mut told).await;
    // What was not told then is not told later.
    place.desk.set_settings(Settings::default()).await.unwrap();
    none(&mut told).await;
    place.gateway.write(talk, "والآن؟");
    let wrote = next(&mut told).await;
    assert_eq!((wrote.body.as_str(), wrote.sound), ("والآن؟", Sound::System));
}

struct Surrounded(AtomicBool);

impl Surroundings for Surrounded {
    fn notices(&self) -> Notices {
        Notices::Paused
    }

    fn starts(&self) -> Option<bool> {
        Some(self.0.load(Ordering::Relaxed))
    }

    fn start(&self, on: bool) -> anyhow::Result<()> {
        self.0.store(on, Ordering::Relaxed);
        Ok(())
    }

    fn open(&self, _: &str) -> anyhow::Result<()> {
        anyhow::bail!("No")
    }
}

#[tokio::test]
async fn what_the_system_says_is_passed_on_and_a_trial_looks_like_the_next_one() {
    let place = Workplace::fresh().await;
    let alone = place.desk.system(Nothing {}).await.unwrap();
    assert_eq!((alone.notifications, alone.starts), (Notices::Unknown, None));
    place.desk.lend(Arc::new(Surrounded(AtomicBool::new(false))));
    let state = place.desk.start_with_system(StartWithSystem { on: true }).await.unwrap();
    assert_eq!((state.notifications, state.starts), (Notices::Paused, Some(true)));

    let (mut told, mut signals) = (place.desk.notifications(), place.desk.signals());
    place.desk.set_settings(Settings { sound: Sound::Drop, ..Settings::default() }).await.unwrap();
    place.desk.try_notification(Nothing {}).await.unwrap();
    let trial = next(&mut told).await;
    assert_eq!((trial.sound, trial.conversation), (Sound::Drop, None));
    // Only one that appeared is heard.
    assert!(signals.try_recv().is_err());
    place.desk.notification_shown(&trial);
    assert_eq!(signals.try_recv().unwrap(), Signal::Sound { sound: Sound::Drop });
}
