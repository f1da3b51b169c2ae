//! A page of a conversation, with its case: the records, with what waits in the outbox laid over them.

use domain::{
    command::Ask,
    ids::{CaseId, ConversationId, Millis, Seq, StaffId},
    words::Status,
};
use records::{
    Records,
    thread::{self, Side, What},
};

use crate::{
    api::{
        CallError, CaseView, ConversationPage, Delivery, EarlierCase, Event, Happened, Item, MessageItem, Note,
        OpenConversation, Part, Pending, Position, Problem, Quote, Quoted,
    },
    database::Contents,
    failure::not_found,
    list::{self, Beside, author, delivery},
    names,
    outbox::Row,
    precious,
    seat::Seat,
};

/// How long after the citizen wrote a message must arrive for both times to be shown.
const LATE: i64 = 120_000;

/// The page.
pub(crate) async fn page(seat: &Seat, request: OpenConversation) -> Result<ConversationPage, CallError> {
    let conversation = request.conversation;
    let beside = Beside::of(seat).await?;
    let draft = seat.precious.read(move |precious| precious::drafts(precious.connection(), conversation)).await?;
    let me = seat.me;
    let page = seat.records.read(move |records| {
        let Some(listed) = records.row(conversation)? else { return Ok(None) };
        let first_new = records.first_new(conversation)?;
        let Section { items: found, more, later } =
            section(records, conversation, request.part, first_new, request.limit)?;
        let pending = beside.rows(conversation);
        let shown = listed.case;
        let row = list::row(records, me, listed, &beside)?;
        let last = records.last_seq(conversation)?;
        let seen = if later { found.iter().map(|item| item.seq).max().unwrap_or(0) } else { last };
        let mut items = found.into_iter().map(|one| item(records, me, one)).collect::<Result<Vec<_>, _>>()?;
        if !later {
            items.extend(pending_items(records, me, pending)?);
        }
        let Some((case, earlier)) = cases(records, me, conversation, shown, pending)? else { return Ok(None) };
        let first_new = first_new.map(|(place, seq)| Position { place, seq });
        Ok(Some(ConversationPage { row, case, earlier, items, more, later, seen, last, first_new, draft }))
    });
    page.await?.ok_or_else(|| not_found("conversation"))
}

/// Items that follow each other, and whether there are others before and after them.
struct Section {
    items: Vec<thread::Item>,
    more: bool,
    later: bool,
}

fn section(
    records: &Records,
    conversation: ConversationId,
    part: Part,
    first_new: Option<(Millis, Seq)>,
    limit: u32,
) -> anyhow::Result<Section> {
    let limit = limit.clamp(1, 500);
    let any = |side, at| anyhow::Ok(!records.items(conversation, side, at, 1)?.is_empty());
    let before = |at, limit: u32| {
        let mut items = records.items(conversation, Side::Before, at, limit + 1)?;
        let more = items.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        if more {
            items.remove(0);
        }
        anyhow::Ok((items, more))
    };
    let from = |at, limit: u32| {
        let mut items = records.items(conversation, Side::From, at, limit + 1)?;
        let later = items.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        if later {
            items.pop();
        }
        anyhow::Ok((items, later))
    };
    let around = |at| {
        let (mut items, more) = before(at, limit / 2)?;
        let (after, later) = from(at, limit.div_ceil(2))?;
        items.extend(after);
        anyhow::Ok((items, more, later))
    };
    let latest = || before((Millis::MAX, Seq::MAX), limit).map(|(items, more)| (items, more, false));
    let (items, more, later) = match part {
        Part::Start {} => {
            let latest = latest()?;
            let begins = latest.0.first().map(|first| (first.place, first.seq));
            match first_new {
                Some(at) if begins.is_some_and(|begins| at < begins) => around(at)?,
                _ => latest,
            }
        }
        Part::Latest {} => latest()?,
        Part::Before(Position { place, seq }) => {
            let (items, more) = before((place, seq), limit)?;
            (items, more, any(Side::From, (place, seq))?)
        }
        Part::From(Position { place, seq }) => {
            let (items, later) = from((place, seq), limit)?;
            (items, any(Side::Before, (place, seq))?, later)
        }
        Part::Around(Position { place, seq }) => around((place, seq))?,
    };
    Ok(Section { items, more, later })
}

fn item(records: &mut Records, me: StaffId, item: thread::Item) -> anyhow::Result<Item> {
    let thread::Item { case, seq, place, what } = item;
    Ok(match what {
        What::Message(message) => {
            let delivery = message.status.map(Delivery::of);
            let problem = match message.status {
                Some(Status::Failed) => Some("failed"),
                Some(Status::Uncertain) => Some("uncertain"),
                _ => None,
            };
            Item::Message(MessageItem {
                message: message.message,
                case,
                seq,
                place,
                sent_at: if place - message.sent_at > LATE { message.sent_at } else { place },
                from: author(message.inbound, message.author, me),
                by: message.author.map(|author| names::person(records, author)).transpose()?,
                r#type: message.r#type,
                text: message.text,
                quoted: message.quoted.map(|wamid| quoted(records, me, case, &wamid)).transpose()?,
                delivery,
                delivery_at: message.status_at,
                problem: problem.map(|code| Problem { code: code.into(), error: message.error }),
            })
        }
        What::Note { note, by, text } => Item::Note(Note {
            note,
            case,
            seq,
            place,
            by: names::person(records, by)?,
            text,
            pending: false,
            problem: None,
        }),
        What::Event { what, by, to, outcome } => Item::Event(Event {
            case,
            seq,
            place,
            what: match what.as_str() {
                "assigned" => Happened::Assigned,
                "released" => Happened::Released,
                "closed" => Happened::Closed,
                "reopened" => Happened::Reopened,
                _ => Happened::Opened,
            },
            by: by.map(|by| names::person(records, by)).transpose()?,
            number: records.case(case)?.map(|case| case.number).unwrap_or_default(),
            to: to.map(|to| names::person(records, to)).transpose()?,
            outcome: outcome.map(|outcome| names::outcome(records, &outcome)).transpose()?,
        }),
    })
}

/// The message that one of this case quotes.
fn quoted(records: &Records, me: StaffId, case: CaseId, wamid: &str) -> anyhow::Result<Quote> {
    let Some(case) = records.case(case)? else { return Ok(Quote::Elsewhere {}) };
    let Some(found) = records.quoted_message(case.conversation, wamid)? else { return Ok(Quote::Elsewhere {}) };
    let thread::Item { seq, place, what: What::Message(message), .. } = found else { return Ok(Quote::Elsewhere {}) };
    Ok(Quote::Here(Quoted {
        message: message.message,
        place,
        seq,
        from: author(message.inbound, message.author, me),
        by: message.author.map(|author| names::person(records, author)).transpose()?,
        r#type: message.r#type,
        text: message.text.map(|text| list::preview(&text)),
    }))
}

/// My replies and notes that are no entries yet, in the order in which they were written.
fn pending_items(records: &Records, me: StaffId, rows: &[Row]) -> anyhow::Result<Vec<Item>> {
    let mut items = Vec::new();
    for row in rows {
        match row.ask()? {
            Ask::Reply { text, .. } if records.message(row.id.0.into())?.is_none() => {
                items.push(Item::Message(MessageItem {
                    message: row.id.0.into(),
                    case: row.case,
                    seq: 0,
                    place: row.written_at,
                    sent_at: row.written_at,
                    from: crate::api::Author::Me,
                    by: Some(names::person(records, me)?),
                    r#type: "text".into(),
                    text: Some(text),
                    quoted: None,
                    delivery: Some(delivery(row)),
                    delivery_at: None,
                    problem: row.problem(),
                }));
            }
            Ask::AddNote { text, .. } if !records.has_note(row.id.0.into())? => {
                items.push(Item::Note(pending_note(records, me, row, text)?));
            }
            _ => {}
        }
    }
    Ok(items)
}

fn pending_note(records: &Records, me: StaffId, row: &Row, text: String) -> anyhow::Result<Note> {
    Ok(Note {
        note: row.id.0.into(),
        case: row.case,
        seq: 0,
        place: row.written_at,
        by: names::person(records, me)?,
        text,
        pending: row.problem().is_none(),
        problem: row.problem(),
    })
}

/// The shown case, and the earlier ones.
fn cases(
    records: &mut Records,
    me: StaffId,
    conversation: ConversationId,
    shown: CaseId,
    rows: &[Row],
) -> anyhow::Result<Option<(CaseView, Vec<EarlierCase>)>> {
    let mut view = None;
    let mut earlier = Vec::new();
    for case in records.cases_of(conversation)? {
        if case.case == shown {
            view = Some(case_view(records, me, case, rows)?);
        } else {
            let kind = names::kind(records, &case.kind)?;
            let thread::Case { case, number, state, opened_at, .. } = case;
            earlier.push(EarlierCase { case, number, kind, state, opened_at });
        }
    }
    Ok(view.map(|view| (view, earlier)))
}

fn case_view(records: &mut Records, me: StaffId, case: thread::Case, rows: &[Row]) -> anyhow::Result<CaseView> {
    let mut notes = Vec::new();
    for found in records.notes(case.case)? {
        if let Item::Note(note) = item(records, me, found)? {
            notes.push(note);
        }
    }
    let mut pending = Vec::new();
    for row in rows.iter().filter(|row| row.case == case.case) {
        match row.ask()? {
            Ask::Reply { .. } | Ask::SettleUncertain { .. } | Ask::Recall { .. } | Ask::SeenUpTo { .. } => {}
            Ask::AddNote { text, .. } if !notes.iter().any(|note| note.note == row.id.0.into()) => {
                notes.push(pending_note(records, me, row, text)?);
            }
            Ask::AddNote { .. } => {}
            _ => pending.push(Pending { id: row.id, kind: row.kind.clone(), refused: row.problem() }),
        }
    }
    Ok(CaseView {
        case: case.case,
        number: case.number,
        kind: names::kind(records, &case.kind)?,
        state: case.state,
        team: names::team(records, &case.team)?,
        owner: case.owner.map(|owner| names::person(records, owner)).transpose()?,
        opened_at: case.opened_at,
        closed_at: case.closed_at,
        outcome: case.outcome.map(|outcome| names::outcome(records, &outcome)).transpose()?,
        pending,
        notes,
    })
}
