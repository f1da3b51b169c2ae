//! Search: what was typed is understood ([`query`]), asked of the records, and what was found is made ready for the
//! window, with the words marked.

mod query;

use std::{collections::BTreeSet, time::Duration};

use domain::ids::{ConversationId, StaffId};
use jiff::tz::TimeZone;
use records::{
    Records,
    search::{From, Hit, Numbered, Search, What, Words},
};
use rusqlite::Connection;

use crate::{
    api::{
        Contact, Fate, Found, FoundCase, FoundIn, FoundPerson, FoundText, FoundUnsent, Mark, Mode, Piece, Position,
        Recent, SearchAll, SearchIn, Signal, Spot, Stage, Unsent, UnsentAct, UnsentDraft,
    },
    contact,
    list::author,
    names, precious,
    seat::Seat,
    unsent,
};
use query::{Query, Who};

/// So many people and cases are shown above what they wrote.
const PEOPLE: usize = 6;
const CASES: usize = 4;
/// At most so many places in one conversation.
const SPOTS: usize = 1_000;
/// How much of a text is shown around the first word that was found, in letters.
const BEFORE: usize = 40;
const AFTER: usize = 160;
/// Under this name the precious file keeps what was searched for.
pub(crate) const RECENT: &str = "recent_searches";
const RECENT_KEPT: usize = 8;
/// So many messages of an existing file are taken into the index at once, and so many of its pages are tidied.
const STEP: u32 = 1_000;
const PAGES: u32 = 64;
/// In between, others write.
const REST: Duration = Duration::from_millis(20);

fn read(records: &mut Records, text: &str, now: domain::ids::Millis) -> anyhow::Result<Query> {
    let zone = records.pack()?.and_then(|pack| TimeZone::get(&pack.time_zone).ok()).unwrap_or(TimeZone::UTC);
    Ok(query::read(text, now, &zone))
}

/// Everything on this workstation.
pub(crate) async fn all(seat: &Seat, request: SearchAll) -> anyhow::Result<Found> {
    let (me, now) = (seat.me, seat.now());
    let mine =
        if request.below.is_none() { unsent::list(seat).await? } else { Unsent { acts: vec![], drafts: vec![] } };
    seat.records
        .read(move |records| {
            let query = read(records, &request.text, now)?;
            let mut found = Found {
                people: vec![],
                cases: vec![],
                unsent: vec![],
                texts: vec![],
                more: None,
                unclear: query.unclear.clone(),
                indexed: indexed(records)?,
            };
            if query.is_empty() {
                return Ok(found);
            }
            if query.is_plain() && request.below.is_none() {
                for (contact, conversation) in records.find_contacts(&query.words, PEOPLE)? {
                    found.people.extend(person(records, contact, conversation, &query.words)?);
                }
                for one in records.find_cases(&query.words, CASES)? {
                    found.cases.extend(case(records, &one, &query.words)?);
                }
                found.unsent = written(mine, &query.words);
            }
            let search = search(records, me, query, request.below)?;
            let limit = usize::try_from(request.limit.clamp(1, 200)).unwrap_or(200);
            let records::search::Found { hits, more } = records.find(&search, limit)?;
            found.more = more;
            for hit in hits {
                found.texts.push(text(records, me, hit, &search.words)?);
            }
            Ok(found)
        })
        .await
}

/// One conversation: where what is asked for stands in it, newest first.
pub(crate) async fn within(seat: &Seat, request: SearchIn) -> anyhow::Result<FoundIn> {
    let (me, now) = (seat.me, seat.now());
    seat.records
        .read(move |records| {
            let query = read(records, &request.text, now)?;
            if query.is_empty() {
                return Ok(FoundIn { spots: vec![], more: false });
            }
            let mut search = search(records, me, query, None)?;
            search.conversation = Some(request.conversation);
            let found = records.find(&search, SPOTS)?;
            let spot = |hit: Hit| Spot {
                position: Position { place: hit.place, seq: hit.seq },
                id: id(&hit),
                marks: marks(&hit.text, &search.words),
            };
            Ok(FoundIn { more: found.more.is_some(), spots: found.hits.into_iter().map(spot).collect() })
        })
        .await
}

fn search(records: &Records, me: StaffId, query: Query, below: Option<i64>) -> anyhow::Result<Search> {
    let staff = |name: &str| -> anyhow::Result<BTreeSet<StaffId>> {
        let words = Words::read(name);
        let all = records.everybody()?.into_iter();
        let named = all.filter(|one| words.stand_in(&one.name) || words.stand_in(&one.username));
        Ok(named.map(|one| one.viewer.staff).collect())
    };
    let from = match query.from {
        None => None,
        Some(Who::Me) => Some(From { called: None, staff: [me].into() }),
        Some(Who::Nobody) => Some(From::default()),
        Some(Who::Called(name)) => Some(From { staff: staff(&name)?, called: Some(Words::read(&name)) }),
    };
    let owner = match query.owner {
        None => None,
        Some(Who::Me) => Some(vec![Some(me)]),
        Some(Who::Nobody) => Some(vec![None]),
        Some(Who::Called(name)) => Some(staff(&name)?.into_iter().map(Some).collect()),
    };
    let Query { words, since, until, state, .. } = query;
    Ok(Search { words, conversation: None, from, since, until, owner, state, below })
}

/// How much of an existing file is in the index, in percent; nothing once it is whole.
fn indexed(records: &Records) -> anyhow::Result<Option<u32>> {
    let percent = |progress: records::search::Progress| (progress.last - progress.below) * 100 / progress.last.max(1);
    Ok(records.index_progress()?.map(percent).map(|percent| u32::try_from(percent).unwrap_or(0)))
}

fn person(
    records: &Records,
    id: domain::ids::ContactId,
    conversation: ConversationId,
    words: &Words,
) -> anyhow::Result<Option<FoundPerson>> {
    let Some(listed) = records.row(conversation)? else { return Ok(None) };
    let contact = contact::of(records, id)?;
    Ok(Some(FoundPerson {
        conversation,
        name: contact.name.as_deref().map(|name| pieces(name, words)),
        phone: contact.phone.as_deref().map(|phone| pieces(phone, words)),
        contact,
        state: listed.state,
        waiting: listed.waiting,
        at: listed.last_place,
        owner: listed.owner.map(|owner| names::person(records, owner)).transpose()?,
    }))
}

fn case(records: &mut Records, one: &Numbered, words: &Words) -> anyhow::Result<Option<FoundCase>> {
    let Some(case) = records.case(one.case)? else { return Ok(None) };
    let Some(contact) = of(records, one.conversation)? else { return Ok(None) };
    Ok(Some(FoundCase {
        case: case.case,
        conversation: one.conversation,
        number: pieces(&case.number, words),
        kind: names::kind(records, &case.kind)?,
        state: case.state,
        // Its first message stands right there or after.
        position: Position { place: case.opened_at, seq: 0 },
        contact,
    }))
}

/// What of mine has not gone and has these words in it, the last written first.
fn written(Unsent { acts, drafts }: Unsent, words: &Words) -> Vec<FoundUnsent> {
    let drafts = drafts.into_iter().map(|UnsentDraft { conversation, mode, text, about }| {
        (format!("{conversation} {mode:?}"), about, mode, Stage::Draft, text)
    });
    let acts = acts.into_iter().rev().filter_map(|UnsentAct { id, kind, text, fate, about, .. }| {
        let mode = if kind == "add_note" { Mode::Note } else { Mode::Reply };
        let stage = match fate {
            Fate::Stuck => Stage::Stuck,
            Fate::Next | Fate::After => Stage::Waiting,
            // It is a message by now, or is one in a moment.
            Fate::Taken => return None,
        };
        Some((id.to_string(), about, mode, stage, text?))
    });
    let found = drafts.chain(acts).filter(|(.., text)| words.stand_in(text));
    found
        .map(|(id, about, mode, stage, text)| FoundUnsent { id, about, mode, stage, text: excerpt(&text, words) })
        .collect()
}

fn text(records: &mut Records, me: StaffId, hit: Hit, words: &Words) -> anyhow::Result<FoundText> {
    let case = records.case(hit.case)?;
    let inbound = matches!(hit.what, What::Message { inbound: true, .. });
    Ok(FoundText {
        conversation: hit.conversation,
        contact: of(records, hit.conversation)?.unwrap_or(Contact {
            name: None,
            phone: None,
            short_code: String::new(),
        }),
        number: case.map(|case| case.number).unwrap_or_default(),
        id: id(&hit),
        note: matches!(hit.what, What::Note(_)),
        position: Position { place: hit.place, seq: hit.seq },
        from: author(inbound, hit.author, me),
        by: hit.author.map(|author| names::person(records, author)).transpose()?,
        text: excerpt(&hit.text, words),
    })
}

fn of(records: &Records, conversation: ConversationId) -> anyhow::Result<Option<Contact>> {
    records.contact_of(conversation)?.map(|contact| contact::of(records, contact)).transpose()
}

/// As an item of the conversation is named.
fn id(hit: &Hit) -> String {
    match hit.what {
        What::Message { message, .. } => message.to_string(),
        What::Note(note) => note.to_string(),
    }
}

/// A text in pieces, those that were found marked.
fn pieces(text: &str, words: &Words) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut push = |from: usize, to: usize, found: bool| {
        if let Some(text) = text.get(from..to).filter(|text| !text.is_empty()) {
            pieces.push(Piece { text: text.to_owned(), found });
        }
    };
    for place in words.places_in(text) {
        push(at, place.start, false);
        push(place.start, place.end, true);
        at = place.end;
    }
    push(at, text.len(), false);
    pieces
}

/// A line of a text around the first word that was found.
fn excerpt(text: &str, words: &Words) -> Vec<Piece> {
    let first = words.places_in(text).first().map_or(0, |place| place.start);
    let (before, after) = text.split_at_checked(first).unwrap_or((text, ""));
    let mut from = before.char_indices().rev().nth(BEFORE).map_or(0, |(at, _)| at);
    if from > 0 {
        // Not in the midst of a word.
        from =
            text.get(from..first).and_then(|cut| cut.find(char::is_whitespace)).map_or(from, |space| from + space + 1);
    }
    let to = after.char_indices().nth(AFTER).map_or(text.len(), |(at, _)| first + at);
    let mut pieces = pieces(text.get(from..to).unwrap_or(text), words);
    let dots = || Piece { text: "…".into(), found: false };
    if from > 0 {
        pieces.insert(0, dots());
    }
    if to < text.len() {
        pieces.push(dots());
    }
    pieces
}

/// Where the words stand, counted as JavaScript counts: in UTF-16.
fn marks(text: &str, words: &Words) -> Vec<Mark> {
    let units = |to: usize| {
        let before = text.get(..to).unwrap_or_default();
        u32::try_from(before.chars().map(char::len_utf16).sum::<usize>()).unwrap_or(u32::MAX)
    };
    words.places_in(text).into_iter().map(|place| Mark { from: units(place.start), to: units(place.end) }).collect()
}

/// What was searched for lately, the last first.
pub(crate) fn recent(c: &Connection) -> anyhow::Result<Recent> {
    Ok(Recent { texts: precious::kept(c, RECENT)?.unwrap_or_default() })
}

/// Keeps what was searched for, once.
pub(crate) fn keep_recent(c: &Connection, text: &str) -> anyhow::Result<()> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(());
    }
    let Recent { mut texts } = recent(c)?;
    // What somebody typed on the way to it is not kept beside it.
    texts.retain(|one| !text.starts_with(one.as_str()));
    texts.insert(0, text.to_owned());
    texts.truncate(RECENT_KEPT);
    precious::keep(c, RECENT, &texts)
}

/// Keeps the index whole and tidy, a little at a time, until the seat is left.
pub(crate) async fn run(seat: std::sync::Arc<Seat>) {
    loop {
        if let Err(error) = catch_up(&seat).await {
            tracing::error!(error = format!("{error:#}"), "The search index is behind; it is tried again");
        }
        seat.tidy_now.notified().await;
    }
}

async fn catch_up(seat: &Seat) -> anyhow::Result<()> {
    let mut built = false;
    while seat.records.write(|records| Ok(records.index_more(STEP)?)).await? {
        built = true;
        tokio::time::sleep(REST).await;
    }
    if built {
        seat.hub.tell(Signal::Changed { conversations: vec![], all: true });
    }
    let mut tidied = false;
    while seat.records.write(|records| Ok(records.tidy(PAGES)?)).await? {
        tidied = true;
        tokio::time::sleep(REST).await;
    }
    if tidied {
        seat.records.fold().await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[Piece]) -> String {
        pieces.iter().map(|one| if one.found { format!("[{}]", one.text) } else { one.text.clone() }).collect()
    }

    #[test]
    fn an_excerpt_begins_before_what_was_found_and_says_that_it_is_one() {
        let words = Words::read("عداد");
        assert_eq!(shown(&excerpt("قراءة العدّاد اليوم", &words)), "قراءة [العدّاد] اليوم");
        let long = format!("{}العداد {}", "كلمة ".repeat(100), "أخرى ".repeat(100));
        let found = shown(&excerpt(&long, &words));
        assert!(found.starts_with("…كلمة ") && found.contains("[العداد]") && found.ends_with('…'), "{found}");
        assert!(found.chars().count() < BEFORE + AFTER + 10);
        assert_eq!(shown(&excerpt("بلا", &words)), "بلا");
    }

    #[test]
    fn places_are_counted_as_the_window_counts() {
        let mark = |from, to| Mark { from, to };
        assert_eq!(marks("😀 عداد عداد", &Words::read("عداد")), [mark(3, 7), mark(8, 12)]);
    }

    #[test]
    fn what_was_searched_for_is_kept_once_without_the_way_to_it() {
        let c = crate::precious::tests::fresh();
        for text in ["عد", "عداد", " ", "فاتورة", "عداد الماء"] {
            keep_recent(&c, text).unwrap();
        }
        assert_eq!(recent(&c).unwrap().texts, ["عداد الماء", "فاتورة"]);
        (0..20).for_each(|n| keep_recent(&c, &format!("بحث {n}x")).unwrap());
        assert_eq!(recent(&c).unwrap().texts.len(), RECENT_KEPT);
    }
}
