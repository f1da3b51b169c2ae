//! Who reads and who writes: what this desk says of its person, and what it shows of others. What outlives the records.

use std::time::Duration;

use desk::api::{Handler, Mode, Nothing, SaveDraft, Showing, Signal};
use domain::wire::{Line, Position, Presence, Up, Witness};

use crate::{
    standin::{Talk, colleague},
    workplace::{Workplace, until},
};

fn says(talk: Talk, viewing: i64, typing: i64) -> Line {
    Line::Presence(Presence { staff: colleague(), case: talk.case, viewing, typing })
}

async fn shown(place: &Workplace) -> Vec<(String, bool)> {
    let cases = place.desk.colleagues(Nothing {}).await.unwrap().cases;
    cases.into_iter().flat_map(|case| case.colleagues).map(|one| (one.person.name, one.typing)).collect()
}

#[tokio::test]
async fn what_the_window_does_is_said_while_it_is_so() {
    let place = Workplace::signed_in().await;
    let (talk, other) = (place.gateway.talk("سعاد", "مرحبا"), place.gateway.talk("فهد", "مرحبا"));
    place.shows(other).await;
    place.is_live().await;
    let heard = || place.gateway.inside().heard.clone();
    let showing = |conversation, focused| place.desk.showing(Showing { conversation, focused });
    showing(Some(talk.conversation), true).await.unwrap();
    until("that the person reads", async || heard() == [Up::Viewing(Some(talk.case))]).await;

    let draft = |text: &str| SaveDraft { conversation: talk.conversation, mode: Mode::Reply, text: text.into() };
    place.desk.save_draft(draft("نع")).await.unwrap();
    until("that they write", async || heard().last() == Some(&Up::Typing(Some(talk.case)))).await;
    let before = heard().len();
    // The same text again is no key that was struck.
    place.desk.save_draft(draft("نع")).await.unwrap();
    place.reply(talk, "نعم").await;
    until("that they have sent it", async || heard().last() == Some(&Up::Typing(None))).await;
    assert_eq!(heard().len(), before + 1, "{:?}", heard());

    // Who clicks through the list reads where they stop.
    for conversation in [other.conversation, talk.conversation, other.conversation] {
        showing(Some(conversation), true).await.unwrap();
    }
    until("the last one", async || heard().last() == Some(&Up::Viewing(Some(other.case)))).await;
    showing(Some(other.conversation), false).await.unwrap();
    until("that they look elsewhere", async || heard().last() == Some(&Up::Viewing(None))).await;
}

#[tokio::test]
async fn colleagues_show_while_they_are_there_and_fade() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "مرحبا");
    place.shows(talk).await;
    place.is_live().await;
    let mut signals = place.desk.signals();
    place.gateway.say(says(talk, 20_000, 400));
    until("a colleague who writes", async || shown(&place).await == [("خالد".to_owned(), true)]).await;
    until("that they write no more", async || shown(&place).await == [("خالد".to_owned(), false)]).await;
    place.gateway.say(says(talk, 0, 0));
    until("that they are gone", async || shown(&place).await.is_empty()).await;
    // Of a case that is not here nothing is shown.
    let elsewhere = Talk { case: crate::standin::fresh().into(), ..talk };
    place.gateway.say(says(elsewhere, 20_000, 0));
    place.gateway.say(says(talk, 20_000, 0));
    until("the one that is here", async || shown(&place).await.len() == 1).await;
    // Nobody says any more who is there.
    place.gateway.stop().await;
    until("nobody", async || shown(&place).await.is_empty()).await;
    let mut told = 0;
    while let Ok(signal) = signals.try_recv() {
        told += u32::from(signal == Signal::Colleagues {});
    }
    assert!(told >= 5, "the window was told {told} times");
}

#[tokio::test]
async fn what_was_seen_at_another_desk_is_seen_here() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "مرحبا");
    place.shows(talk).await;
    place.is_live().await;
    until("something new", async || place.rows().await[0].unread == 1).await;
    let seq = place.page(talk.conversation).await.seen;
    let posted = place.gateway.inside().posted.len();
    place.gateway.say(Line::Position(Position { case: talk.case, seq }));
    until("nothing new", async || place.rows().await[0].unread == 0).await;
    place.gateway.say(Line::Position(Position { case: talk.case, seq: 1 }));
    place.gateway.write(talk, "ثانيًا");
    until("one new", async || place.rows().await[0].unread == 1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(place.gateway.inside().posted.len(), posted, "what the gateway said is not said back to it");
}

#[tokio::test]
async fn signed_heads_outlive_the_records_and_the_program() {
    let place = Workplace::fresh().await;
    let witness = |journal: &str, seq| Witness {
        agency: "mew".into(),
        journal: journal.into(),
        seq,
        chain: "00".into(),
        at: seq,
        key: "01".into(),
        signature: "02".into(),
    };
    place.gateway.inside().witness = Some(witness("journal-1", 3));
    let talk = place.gateway.talk("سعاد", "مرحبا");
    place.sign_in(crate::standin::PASSWORD, None).await.unwrap();
    place.shows(talk).await;
    place.gateway.begin_another_journal();
    place.gateway.inside().witness = Some(witness("journal-2", 1));
    place.gateway.say_catch_up();
    let heads = async |place: &Workplace| place.desk.signed_heads(Nothing {}).await.unwrap().heads;
    until("both heads", async || heads(&place).await == [witness("journal-2", 1), witness("journal-1", 3)]).await;
    assert!(place.rows().await.is_empty(), "the records did not start afresh: this showed nothing");
    let place = place.restart().await;
    place.unlock(crate::standin::PASSWORD).await.unwrap();
    assert_eq!(heads(&place).await.len(), 2);
}
