//! Parts of a conversation, and what messages quote.

use desk::api::{ConversationPage, Handler, Item, OpenConversation, Part, Position, Quote, SeenUpTo};

use crate::{
    standin::Talk,
    workplace::{Workplace, until},
};

async fn ask(place: &Workplace, talk: Talk, part: Part, limit: u32) -> ConversationPage {
    place.desk.conversation(OpenConversation { conversation: talk.conversation, part, limit }).await.unwrap()
}

fn position(item: &Item) -> Position {
    match item {
        Item::Message(one) => Position { place: one.place, seq: one.seq },
        Item::Note(one) => Position { place: one.place, seq: one.seq },
        Item::Event(one) => Position { place: one.place, seq: one.seq },
    }
}

#[tokio::test]
async fn every_part_of_a_conversation_can_be_asked_for_and_says_what_lies_beside_it() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "0");
    for n in 1..30 {
        place.gateway.write(talk, &n.to_string());
    }
    until("all", async || place.messages_or_none(talk).await == 30).await;
    let whole = ask(&place, talk, Part::Latest {}, 100).await;
    assert_eq!((whole.more, whole.later), (false, false));
    let all = whole.items.clone();
    let at = |index: usize| position(&all[index]);

    let (first, last) = (0, all.len());
    for (part, limit, wanted) in [
        (Part::Latest {}, 7, last - 7..last),
        (Part::Before(at(12)), 7, 5..12),
        (Part::Before(at(4)), 7, first..4),
        (Part::From(at(12)), 7, 12..19),
        (Part::From(at(first)), 100, first..last),
        (Part::From(at(last - 3)), 7, last - 3..last),
        (Part::Around(at(12)), 8, 8..16),
        (Part::Around(at(12)), 7, 9..16),
        (Part::Around(at(first)), 8, first..4),
        (Part::Around(at(last - 1)), 8, last - 5..last),
        (Part::Around(Position { place: 0, seq: 0 }), 8, first..4),
    ] {
        let page = ask(&place, talk, part.clone(), limit).await;
        assert_eq!(page.items, all[wanted.clone()], "{part:?}");
        assert_eq!((page.more, page.later), (wanted.start > first, wanted.end < last), "{part:?}");
        let on_page = all[wanted].iter().map(|item| position(item).seq).max().unwrap();
        assert_eq!(page.seen, if page.later { on_page } else { whole.seen }, "{part:?}");
    }
    // Nothing of it was seen: one begins at its beginning. And where it fits beside what is new, at the latest.
    let first_new = whole.first_new.clone().unwrap();
    let is_first = |item: &&Item| matches!(item, Item::Message(message) if message.text.as_deref() == Some("0"));
    assert_eq!(Some(&first_new), all.iter().find(is_first).map(position).as_ref());
    let start = ask(&place, talk, Part::Start {}, 8).await;
    assert_eq!(start.items, ask(&place, talk, Part::Around(first_new.clone()), 8).await.items);
    assert_eq!((start.later, start.first_new), (true, Some(first_new)));
    assert_eq!(ask(&place, talk, Part::Start {}, 100).await.items, all);
    place.desk.seen_up_to(SeenUpTo { case: talk.case, seq: at(last - 4).seq }).await.unwrap();
    let start = ask(&place, talk, Part::Start {}, 10).await;
    assert_eq!((start.items.as_slice(), start.first_new), (&all[last - 10..last], Some(at(last - 3))));
    let beyond = Position { place: i64::MAX, seq: 0 };
    let none = ask(&place, talk, Part::From(beyond), 7).await;
    assert_eq!((none.items.len(), none.more, none.later), (0, true, false));
}

#[tokio::test]
async fn what_waits_stands_only_where_nothing_comes_after_it() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "0");
    for n in 1..10 {
        place.gateway.write(talk, &n.to_string());
    }
    until("all", async || place.messages_or_none(talk).await == 10).await;
    place.gateway.stop().await;
    place.reply(talk, "تنتظر").await;
    let waits = |page: &ConversationPage| page.items.iter().any(|item| position(item).seq == 0);
    let latest = ask(&place, talk, Part::Latest {}, 4).await;
    assert!(waits(&latest));
    let first = position(&ask(&place, talk, Part::Latest {}, 100).await.items[0]);
    assert!(!waits(&ask(&place, talk, Part::From(first.clone()), 4).await));
    assert!(waits(&ask(&place, talk, Part::From(first), 100).await));
}

#[tokio::test]
async fn a_message_shows_what_it_quotes_where_that_is_here() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "البداية");
    place.gateway.write_as(talk, "متى يرجع الماء؟", "wamid.asked", None);
    place.gateway.write_as(talk, "هذا سؤالي", "wamid.again", Some("wamid.asked"));
    place.gateway.write_as(talk, "وهذا أيضاً", "wamid.gone", Some("wamid.nobody-has-it"));
    // Somebody else's message is none of this conversation's, whatever a citizen claims to quote.
    let other = place.gateway.talk("نورة", "سري");
    place.gateway.write_as(other, "سر", "wamid.secret", None);
    place.gateway.write_as(talk, "وهذا", "wamid.last", Some("wamid.secret"));
    until("all", async || place.messages_or_none(talk).await == 5).await;
    until("the other too", async || place.messages_or_none(other).await == 2).await;

    let messages = place.messages(talk.conversation).await;
    let of = |text: &str| messages.iter().find(|one| one.text.as_deref() == Some(text)).unwrap();
    let asked = of("متى يرجع الماء؟");
    let Some(Quote::Here(quoted)) = &of("هذا سؤالي").quoted else {
        panic!("{:?}", of("هذا سؤالي").quoted)
    };
    assert_eq!((quoted.message, quoted.place, quoted.seq), (asked.message, asked.place, asked.seq));
    assert_eq!((quoted.from, quoted.text.as_deref()), (asked.from, Some("متى يرجع الماء؟")));
    assert_eq!(of("وهذا أيضاً").quoted, Some(Quote::Elsewhere {}));
    assert_eq!(of("وهذا").quoted, Some(Quote::Elsewhere {}));
    assert_eq!(asked.quoted, None);
}
