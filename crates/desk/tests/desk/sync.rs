//! Keeping in step: gaps, breaks, another journal, cases that come into sight and go out of it.

use std::time::Duration;

use desk::api::{Author, Handler, Item, Link, Mode, OpenConversation, Part, Position, SaveDraft, SeenUpTo, Signal};
use domain::ids::Seq;

use crate::{
    standin::PASSWORD,
    workplace::{Workplace, until},
};

#[tokio::test]
async fn what_was_written_before_and_after_is_shown_in_order() {
    let place = Workplace::fresh().await;
    let talk = place.gateway.talk("سعاد", "أولاً");
    place.sign_in(PASSWORD, None).await.unwrap();
    place.is_live().await;
    place.gateway.write(talk, "ثانيًا");
    until("both", async || place.messages(talk.conversation).await.len() == 2).await;
    let page = place.page(talk.conversation).await;
    let texts: Vec<_> =
        place.messages(talk.conversation).await.into_iter().map(|message| message.text.unwrap()).collect();
    assert_eq!(texts, ["أولاً", "ثانيًا"]);
    assert_eq!(page.row.contact.phone.as_deref(), Some("+965 6604 1187"));
    assert_eq!((page.row.preview.as_deref(), page.row.preview_from), (Some("ثانيًا"), Author::Contact));
    assert_eq!((page.case.kind.ar.as_str(), page.case.team.en.as_str()), ("استفسار", "Desk"));
    assert!(matches!(page.items[0], Item::Event(_)));
    assert!(page.row.waiting && page.row.window_ends.is_some());
    assert_eq!(*place.desk.unread().borrow(), 1);

    let status = place.status().await;
    assert_eq!((status.link, status.receiving), (Link::Live, None));
}

#[tokio::test]
async fn a_page_begins_where_the_one_after_it_began() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "0");
    for n in 1..30 {
        place.gateway.write(talk, &n.to_string());
    }
    until("all", async || place.messages_or_none(talk).await == 30).await;
    let (mut part, mut texts) = (Part::Latest {}, Vec::new());
    loop {
        let request = OpenConversation { conversation: talk.conversation, part, limit: 7 };
        let page = place.desk.conversation(request).await.unwrap();
        let place_of = |item: &Item| match item {
            Item::Message(one) => Position { place: one.place, seq: one.seq },
            Item::Note(one) => Position { place: one.place, seq: one.seq },
            Item::Event(one) => Position { place: one.place, seq: one.seq },
        };
        assert!(page.items.len() <= 7);
        part = Part::Before(page.items.first().map(place_of).unwrap());
        let new = page.items.into_iter().filter_map(|item| if let Item::Message(one) = item { one.text } else { None });
        texts.splice(0..0, new);
        if !page.more {
            break;
        }
    }
    assert_eq!(texts, (0..30).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_gap_is_noticed_and_filled() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "أولاً");
    place.shows(talk).await;
    place.is_live().await;
    let next = place.gateway.inside().entries.len() as Seq + 1;
    place.gateway.inside().faults.swallow.insert(next);
    place.gateway.write(talk, "ضاعت في الطريق");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(place.messages(talk.conversation).await.len(), 1, "the stand-in did not lose it");
    place.gateway.write(talk, "بعدها");
    until("the lost one", async || place.messages(talk.conversation).await.len() == 3).await;
    let asked = place.gateway.inside().asked.clone();
    assert_eq!(asked.last().unwrap(), &(next - 1).to_string(), "from the last entry that was heard");
}

#[tokio::test]
async fn a_broken_sync_goes_on_where_it_broke() {
    let place = Workplace::fresh().await;
    let talk = place.gateway.talk("سعاد", "0");
    for n in 1..999 {
        place.gateway.write(talk, &n.to_string());
    }
    place.gateway.inside().faults.break_after = Some(600);
    place.sign_in(PASSWORD, None).await.unwrap();
    until("all", async || place.status().await.link == Link::Live).await;
    assert_eq!(place.page(talk.conversation).await.row.unread, 999, "each once");
    assert!(place.gateway.inside().asked.len() > 1, "it did not break");
}

#[tokio::test]
async fn another_journal_starts_the_records_afresh_and_keeps_what_was_typed() {
    let mut place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    place.gateway.stop().await;
    let id = place.reply(talk, "رد لم يُرسل").await;
    let draft = SaveDraft { conversation: talk.conversation, mode: Mode::Reply, text: "مسودة".into() };
    place.desk.save_draft(draft).await.unwrap();
    place.gateway.begin_another_journal();
    let other = place.gateway.talk("بدر", "من سجل آخر");
    place.gateway_back().await;
    place.shows(other).await;
    until("the old one gone", async || place.rows().await.len() == 1).await;
    until("the reply", async || place.gateway.inside().posted.iter().any(|command| command.id == id)).await;
    assert!(place.gateway.replies().contains(&"رد لم يُرسل".to_owned()));
    // The same conversation comes back, and its draft with it.
    place.gateway.open(talk, "سعاد", "السلام عليكم");
    place.shows(talk).await;
    assert_eq!(place.page(talk.conversation).await.draft.reply, "مسودة");
}

#[tokio::test]
async fn a_gained_case_comes_whole_and_a_lost_one_leaves() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "أولاً");
    place.gateway.write(talk, "ثانيًا");
    until("both", async || place.messages_or_none(talk).await == 2).await;

    place.gateway.inside().lost.push(talk.case);
    place.gateway.say_catch_up();
    until("it gone", async || place.rows().await.is_empty()).await;

    let mut signals = place.desk.signals();
    place.gateway.inside().gained.push(talk.case);
    place.gateway.say_catch_up();
    place.shows(talk).await;
    assert_eq!(place.messages(talk.conversation).await.len(), 2);
    let told = async || matches!(signals.try_recv(), Ok(Signal::Changed { conversations, .. }) if conversations.contains(&talk.conversation));
    until("the signal", told).await;
    // Once more: it replaces what is there, and nothing stands twice.
    place.gateway.write(talk, "ثالثًا");
    place.gateway.inside().gained.push(talk.case);
    place.gateway.say_catch_up();
    until("the third", async || place.messages_or_none(talk).await == 3).await;
    place.gateway.write(talk, "رابعًا");
    until("the fourth", async || place.messages_or_none(talk).await == 4).await;
}

#[tokio::test]
async fn what_i_have_seen_is_not_new_to_me_and_the_gateway_is_told() {
    let place = Workplace::signed_in().await;
    place.is_live().await;
    let talk = place.gateway.talk("سعاد", "أولاً");
    place.shows(talk).await;
    let page = place.page(talk.conversation).await;
    assert_eq!((page.row.unread, page.first_new.is_some()), (1, true));
    place.desk.seen_up_to(SeenUpTo { case: talk.case, seq: page.seen }).await.unwrap();
    let page = place.page(talk.conversation).await;
    assert_eq!((page.row.unread, page.first_new, page.row.waiting), (0, None, true), "still waiting for everybody");
    let told = async || {
        let inside = place.gateway.inside();
        inside
            .posted
            .iter()
            .any(|command| command.ask == domain::command::Ask::SeenUpTo { case: talk.case, seq: page.seen })
    };
    until("the position", told).await;
    // It holds after the records were rebuilt.
    let place = place.restart().await;
    for entry in std::fs::read_dir(place.folder.path().join("data/accounts")).unwrap() {
        std::fs::remove_file(entry.unwrap().path().join("records.db")).unwrap();
    }
    place.unlock(PASSWORD).await.unwrap();
    place.shows(talk).await;
    assert_eq!(place.page(talk.conversation).await.row.unread, 0);
}

#[tokio::test]
async fn a_wrong_clock_is_measured() {
    let place = Workplace::fresh().await;
    place.clock.0.store(-400 * 24 * 3_600_000, std::sync::atomic::Ordering::Relaxed);
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.sign_in(PASSWORD, None).await.unwrap();
    place.shows(talk).await;
    let offset = place.status().await.clock_offset;
    assert!((offset - 400 * 24 * 3_600_000).abs() < 5_000, "{offset}");
    let id = place.reply(talk, "وعليكم السلام").await;
    let made = domain::ids::made_at(id.0).unwrap();
    assert!((made - place.gateway.now()).abs() < 5_000, "a reply's id bears the gateway's time");
}
