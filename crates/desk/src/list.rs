//! Rows of the list: the records, with what waits in the outbox laid over them.
//!
//! The outbox is read first. A command that becomes an entry in between is then found in both and shown once; the other
//! way round it could be missing from both.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    command::Ask,
    ids::{ConversationId, Millis, StaffId},
};
use records::{
    Records,
    list::{Listed, Order, Which},
};

use crate::{
    api::{self, Author, ConversationList, ConversationRow, Counts, Delivery, Filter, ListConversations},
    contact,
    database::Contents,
    names,
    outbox::{self, Row, State},
    precious,
    seat::Seat,
};

/// A window that ends within two hours ends soon.
const SOON: Millis = 2 * 3600 * 1000;

/// What the precious file says beside the records.
pub(crate) struct Beside {
    pub(crate) outbox: BTreeMap<ConversationId, Vec<Row>>,
    pub(crate) drafted: BTreeSet<ConversationId>,
}

impl Beside {
    pub(crate) async fn of(seat: &Seat) -> anyhow::Result<Self> {
        let read = seat.precious.read(|precious| {
            let c = precious.connection();
            Ok((outbox::undone(c, None)?, precious::drafted(c)?))
        });
        let (rows, drafted) = read.await?;
        let mut outbox = BTreeMap::<_, Vec<Row>>::new();
        for row in rows {
            outbox.entry(row.conversation).or_default().push(row);
        }
        Ok(Self { outbox, drafted: drafted.into_iter().collect() })
    }

    pub(crate) fn rows(&self, conversation: ConversationId) -> &[Row] {
        self.outbox.get(&conversation).map_or(&[], Vec::as_slice)
    }
}

/// How far a command has come, as a person sees it.
pub(crate) fn delivery(row: &Row) -> Delivery {
    match row.state {
        _ if row.problem().is_some() => Delivery::Stuck,
        State::Accepted => Delivery::Queued,
        State::Waiting | State::Stuck => Delivery::Waiting,
    }
}

/// The list.
pub(crate) async fn list(seat: &Seat, request: ListConversations) -> anyhow::Result<ConversationList> {
    let beside = Beside::of(seat).await?;
    let me = seat.me;
    let closing = (seat.now(), seat.now() + SOON);
    seat.records
        .read(move |records| {
            let which = match request.filter {
                Filter::Mine => Which::Mine(me),
                Filter::Unassigned => Which::Unassigned,
                Filter::Team => Which::Team(me),
                Filter::Waiting => Which::Waiting,
                Filter::Closing => Which::Closing(closing.0, closing.1),
                Filter::Open => Which::Open,
                Filter::Closed => Which::Closed,
            };
            let limit = request.limit.min(1_000);
            let order = match request.order {
                api::Order::Latest => Order::Latest,
                api::Order::Longest => Order::Longest,
            };
            let mut listed = records.list(which, order, request.skip, limit + 1)?;
            let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
            let more = listed.len() > wanted;
            listed.truncate(wanted);
            let rows = listed.into_iter().map(|one| row(records, me, one, &beside)).collect::<Result<Vec<_>, _>>()?;
            let counts = records.counts(me, closing)?;
            let records::list::Counts { mine, unassigned, team, open, closed, waiting, closing } = counts;
            Ok(ConversationList {
                rows,
                more,
                counts: Counts { mine, unassigned, team, open, closed, waiting, closing },
            })
        })
        .await
}

/// One row.
pub(crate) fn row(records: &Records, me: StaffId, listed: Listed, beside: &Beside) -> anyhow::Result<ConversationRow> {
    let mut row = ConversationRow {
        conversation: listed.conversation,
        case: listed.case,
        state: listed.state,
        contact: contact::of(records, listed.contact)?,
        preview: None,
        preview_type: "text".into(),
        preview_from: Author::Contact,
        status: None,
        at: listed.last_place,
        seq: listed.last_seq,
        unread: listed.unread,
        waiting: listed.waiting,
        waiting_since: listed.waiting_since,
        owner: listed.owner.map(|owner| names::person(records, owner)).transpose()?,
        draft: beside.drafted.contains(&listed.conversation),
        window_ends: listed.window_ends,
    };
    if let Some(last) = listed.last {
        row.preview_from = author(last.inbound, last.author, me);
        row.preview = last.text.map(|text| preview(&text));
        row.preview_type = last.r#type;
        row.status = last.status.map(Delivery::of);
    }
    // My reply that waits is the last thing said, wherever the citizen's clock stands.
    for pending in beside.rows(listed.conversation).iter().rev() {
        if let Ask::Reply { text, .. } = pending.ask()?
            && records.message(pending.id.0.into())?.is_none()
        {
            row.preview = Some(preview(&text));
            row.preview_type = "text".into();
            row.preview_from = Author::Me;
            row.status = Some(delivery(pending));
            break;
        }
    }
    Ok(row)
}

/// Who wrote a message, seen from me.
pub(crate) fn author(inbound: bool, author: Option<StaffId>, me: StaffId) -> Author {
    match author {
        _ if inbound => Author::Contact,
        Some(author) if author == me => Author::Me,
        _ => Author::Colleague,
    }
}

/// The first of a text: a row has one line.
pub(crate) fn preview(text: &str) -> String {
    text.chars().take(160).collect()
}
