//! Search over what is on this workstation: as one asks for it in the window.

use desk::api::{Author, Found, Handler, KeepSearch, Nothing, Piece, SearchAll, SearchIn};
use domain::wire::{Forget, Line};

use crate::workplace::{Workplace, until};

async fn search(place: &Workplace, text: &str) -> Found {
    place.desk.search(SearchAll { text: text.into(), below: None, limit: 50 }).await.unwrap()
}

fn marked(pieces: &[Piece]) -> String {
    pieces.iter().map(|one| if one.found { format!("[{}]", one.text) } else { one.text.clone() }).collect()
}

#[tokio::test]
async fn what_comes_is_found_by_its_words_its_person_its_number_and_its_case() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("فاطمة العجمي", "انقطاع الكهرباء في السالمية");
    let other = place.gateway.talk("سعاد المطيري", "فاتورة الماء");
    place.gateway.write(talk, "متى تعود الكَهْرَباء؟");
    until("all", async || place.messages_or_none(talk).await == 2 && place.messages_or_none(other).await == 1).await;

    let found = search(&place, "كهرباء").await;
    let texts: Vec<_> = found.texts.iter().map(|one| marked(&one.text)).collect();
    assert_eq!(texts, ["متى تعود [الكَهْرَباء]؟", "انقطاع [الكهرباء] في السالمية"]);
    assert!(found.texts.iter().all(|one| one.conversation == talk.conversation && one.from == Author::Contact));
    assert_eq!((found.people.len(), found.cases.len(), found.more, found.indexed), (0, 0, None, None));

    let found = search(&place, "فاطمه الع").await;
    assert_eq!(
        found.people.iter().map(|one| marked(one.name.as_deref().unwrap())).collect::<Vec<_>>(),
        ["[فاطمة] [العجمي]"]
    );
    assert_eq!(found.people[0].conversation, talk.conversation);
    let number = found.people[0].contact.phone.clone().unwrap();
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    for asked in [number.as_str(), digits.as_str(), digits.split_at(3).1, digits.split_at(7).1] {
        assert!(search(&place, asked).await.people.iter().any(|one| one.conversation == talk.conversation), "{asked}");
    }
    let case = place.page(talk.conversation).await.case;
    let found = search(&place, &case.number).await;
    assert_eq!((found.cases[0].case, marked(&found.cases[0].number).contains('[')), (case.case, true));

    let found = search(&place, "من:فاطمة").await;
    assert_eq!((found.texts.len(), found.people.len()), (2, 0));
    assert_eq!(search(&place, "from:سعاد ماء").await.texts.len(), 1);
    assert_eq!(search(&place, "from:سعاد كهرباء").await.texts.len(), 0);
    assert_eq!(search(&place, "قبل:اليوم").await.texts.len(), 0);
    assert_eq!(search(&place, "حالة:مفتوحة").await.texts.len(), 3);
    assert_eq!(search(&place, "مالك:أنا").await.texts.len(), 0);
    assert_eq!(search(&place, "قبل:العيد ماء").await.unclear, ["قبل:العيد"]);
    let nothing = search(&place, " ").await;
    assert!(nothing.texts.is_empty() && nothing.people.is_empty());

    let within = SearchIn { conversation: talk.conversation, text: "كهرباء".into() };
    let spots = place.desk.search_in(within).await.unwrap().spots;
    let messages = place.messages(talk.conversation).await;
    assert_eq!(spots.len(), 2);
    assert_eq!((&spots[0].id, spots[0].position.seq), (&messages[1].message.to_string(), messages[1].seq));
    let text: Vec<u16> = messages[1].text.as_ref().unwrap().encode_utf16().collect();
    let mark = &spots[0].marks[0];
    let of_it = &text[usize::try_from(mark.from).unwrap()..usize::try_from(mark.to).unwrap()];
    assert_eq!(String::from_utf16(of_it).unwrap(), "الكَهْرَباء");
}

#[tokio::test]
async fn what_goes_out_of_sight_or_is_erased_is_found_no_more() {
    let place = Workplace::signed_in().await;
    let gone = place.gateway.talk("فاطمة", "كناري");
    let erased = place.gateway.talk("مريم", "كناري");
    let stays = place.gateway.talk("سعاد", "كناري");
    until("all", async || search(&place, "كناري").await.texts.len() == 3).await;
    place.desk.keep_search(KeepSearch { text: "مريم".into() }).await.unwrap();
    assert_eq!(place.desk.recent_searches(Nothing {}).await.unwrap().texts, ["مريم"]);
    place.is_live().await;
    place.gateway.say(Line::Forget(Forget::Case(gone.case)));
    until("the forgotten one is gone", async || search(&place, "كناري").await.texts.len() == 2).await;
    assert!(search(&place, "فاطمة").await.people.is_empty());
    place.gateway.erase(erased);
    until("the erased one is gone", async || search(&place, "كناري").await.texts.len() == 1).await;
    assert!(search(&place, "مريم").await.people.is_empty());
    assert_eq!(search(&place, "سعاد").await.people[0].conversation, stays.conversation);
    until("what was searched for is gone", async || {
        place.desk.recent_searches(Nothing {}).await.unwrap().texts.is_empty()
    })
    .await;
}
