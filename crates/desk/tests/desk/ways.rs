//! A person's ways: the first steps, a link out of a message, how far a first sync is, what was written and not sent.

use std::sync::{Arc, Mutex};

use desk::{
    api::{
        AddNote, Assign, ErrorCode, FirstStep, Handler, Mode, Nothing, Notices, OpenLink, Receiving, SaveDraft,
        SearchAll, Stage, StepDone,
    },
    surroundings::Surroundings,
};
use domain::{command::Code, entry::LineChanged, ids::CommandId};

use crate::{
    standin::{PASSWORD, fresh, me},
    workplace::{Workplace, until},
};

/// A system that keeps what it is asked to open.
#[derive(Default)]
struct Browser(Mutex<Vec<String>>);

impl Surroundings for Browser {
    fn notices(&self) -> Notices {
        Notices::Unknown
    }

    fn starts(&self) -> Option<bool> {
        None
    }

    fn start(&self, _: bool) -> anyhow::Result<()> {
        anyhow::bail!("No")
    }

    fn open(&self, address: &str) -> anyhow::Result<()> {
        self.0.lock().unwrap().push(address.to_owned());
        Ok(())
    }
}

#[tokio::test]
async fn a_link_is_handed_to_the_system_if_it_is_the_one_that_was_shown() {
    let place = Workplace::signed_in().await;
    let open = async |link: &str, host: &str| {
        let request = OpenLink { link: link.into(), host: host.into() };
        place.desk.open_link(request).await.map_err(|error| error.code)
    };
    assert_eq!(open("https://mew.gov.kw/", "mew.gov.kw").await, Err(ErrorCode::Failed), "nothing opens links here");
    let browser = Arc::new(Browser::default());
    place.desk.lend(browser.clone());
    assert_eq!(open("www.mew.gov.kw/pay", "www.mew.gov.kw").await, Ok(Nothing {}));
    assert_eq!(open("https://mew.gov.kw@pay.example/", "mew.gov.kw").await, Err(ErrorCode::BadLink));
    assert_eq!(open("file:///etc/passwd", "").await, Err(ErrorCode::BadLink));
    place.desk.lock(desk::api::Lock {}).await.unwrap();
    assert_eq!(open("https://mew.gov.kw/", "mew.gov.kw").await, Err(ErrorCode::NotSignedIn));
    assert_eq!(*browser.0.lock().unwrap(), ["https://www.mew.gov.kw/pay"]);
}

#[tokio::test]
async fn who_begins_is_led_to_each_step_once_and_the_file_remembers() {
    let place = Workplace::signed_in().await;
    let line = LineChanged { line: "1055".into(), display_number: "96522200000".into() };
    place.gateway.append(domain::entry::Scope::Agency, domain::entry::Actor::System, None, line.into());
    let todo = async |place: &Workplace| place.desk.first_steps(Nothing {}).await.unwrap().todo;
    assert_eq!(todo(&place).await, [FirstStep::Answer, FirstStep::Share]);
    until("the number", async || {
        place.desk.first_steps(Nothing {}).await.unwrap().lines == ["+965 2220 0000".to_owned()]
    })
    .await;

    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    let note = AddNote { conversation: talk.conversation, case: talk.case, text: "للزملاء".into() };
    place.desk.add_note(note).await.unwrap();
    until("the note", async || place.gateway.notes().len() == 1).await;
    assert_eq!(todo(&place).await, [FirstStep::Answer, FirstStep::Share], "a note answers nobody");
    place.desk.assign(Assign { case: talk.case, staff: me() }).await.unwrap();
    assert_eq!(todo(&place).await, [FirstStep::Answer]);
    place.gateway.stop().await;
    place.reply(talk, "وعليكم السلام").await;
    assert!(todo(&place).await.is_empty(), "it is on its way, also off line");

    let place = place.restart().await;
    place.unlock(PASSWORD).await.unwrap();
    assert!(todo(&place).await.is_empty());
}

#[tokio::test]
async fn who_knows_it_or_has_answered_elsewhere_is_led_to_nothing() {
    let place = Workplace::signed_in().await;
    let todo = async || place.desk.first_steps(Nothing {}).await.unwrap().todo;
    place.desk.step_done(StepDone { step: FirstStep::Share }).await.unwrap();
    place.desk.step_done(StepDone { step: FirstStep::Share }).await.unwrap();
    assert_eq!(todo().await, [FirstStep::Answer]);
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.gateway.append_reply(talk, CommandId(fresh()), "من حاسوب آخر");
    until("it known", async || todo().await.is_empty()).await;
}

#[tokio::test]
async fn a_first_sync_says_how_far_it_is() {
    let place = Workplace::fresh().await;
    let talk = place.gateway.talk("سعاد", "0");
    for n in 1..800 {
        place.gateway.write(talk, &n.to_string());
    }
    // More than one transaction's worth, and then nothing for a while.
    place.gateway.inside().faults.hold_after = Some(600);
    place.sign_in(PASSWORD, None).await.unwrap();
    until("its place", async || {
        let Some(Receiving { entries, percent, .. }) = place.status().await.receiving else { return false };
        entries >= 500 && percent.is_some_and(|percent| (50..80).contains(&percent))
    })
    .await;
    place.gateway.go_on();
    place.is_live().await;
    assert_eq!(place.status().await.receiving, None);
    assert_eq!(place.rows().await[0].preview.as_deref(), Some("799"));
}

#[tokio::test]
async fn what_was_written_and_not_sent_is_found_until_it_is_sent() {
    let mut place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    let other = place.gateway.talk("بدر", "السلام عليكم");
    place.shows(talk).await;
    place.shows(other).await;
    place.is_live().await;
    place.gateway.stop().await;
    place.is_offline().await;
    place.reply(talk, "الكهرباء تعود ظهراً").await;
    let note = AddNote {
        conversation: talk.conversation, case: talk.case, text: "قسم الكَهْرَباء أكّد".into()
    };
    place.desk.add_note(note).await.unwrap();
    let draft =
        SaveDraft { conversation: other.conversation, mode: Mode::Reply, text: "بخصوص الكهرباء".into() };
    place.desk.save_draft(draft).await.unwrap();
    let found = async |place: &Workplace, text: &str, below: Option<i64>| {
        let found = place.desk.search(SearchAll { text: text.into(), below, limit: 10 }).await.unwrap();
        let shown = |one: &desk::api::FoundUnsent| {
            assert!(one.text.iter().any(|piece| piece.found), "{one:?}");
            (one.stage, one.mode, one.about.as_ref().map(|about| about.conversation))
        };
        found.unsent.iter().map(shown).collect::<Vec<_>>()
    };
    let draft = (Stage::Draft, Mode::Reply, Some(other.conversation));
    let note = (Stage::Waiting, Mode::Note, Some(talk.conversation));
    let reply = (Stage::Waiting, Mode::Reply, Some(talk.conversation));
    assert_eq!(found(&place, "كهربا", None).await, [draft, note, reply]);
    assert_eq!(found(&place, "كهرباء ظهرا", None).await, [reply]);
    assert!(found(&place, "كهربا", Some(99)).await.is_empty(), "on the first page alone");
    assert!(found(&place, "من:سعاد كهرباء", None).await.is_empty(), "an operator asks for messages");
    assert!(found(&place, "ماء", None).await.is_empty());

    place.gateway.inside().faults.refuse.insert("reply".into(), Code::WindowClosed);
    place.gateway_back().await;
    until("the refusal", async || place.status().await.stuck == 1).await;
    until("the note", async || place.gateway.notes().len() == 1 && place.status().await.waiting == 0).await;
    until("what is left", async || {
        found(&place, "كهرباء", None).await == [draft, (Stage::Stuck, Mode::Reply, Some(talk.conversation))]
    })
    .await;
}
