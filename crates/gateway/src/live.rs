//! What was committed goes to every desk that may see it.
//!
//! One bounded channel for an agency carries each entry once, serialised once, with its audience; each connection (see
//! `listening`) filters by the one predicate, and one that falls behind the channel is told to catch up, so memory never
//! grows with a slow reader. Beside it stands the board of who reads and writes where (`presence`).

use std::{sync::Arc, time::Duration};

use domain::{
    chain::Hash,
    entry::Scope,
    ids::{Millis, Seq, StaffId},
    visibility::{Audience, Viewer, visible},
    wire::Position,
};
use tokio::sync::broadcast::{self, Receiver};

use crate::presence::Board;

/// So many events wait for a slow connection before it is told to catch up.
const BEHIND: usize = 4096;
/// How a connection keeps time.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// A ping goes out so often.
    pub ping: Duration,
    /// Whoever answers no ping for so long is told to catch up: they do not read, or not fast enough.
    pub silence: Duration,
    /// A frame that cannot be written so long after the last answer to a ping is given up, and the connection with it.
    pub write: Duration,
    /// A cursor goes out so often.
    pub heartbeat: Duration,
    /// Others' presence is told no more often than this.
    pub presence: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(10),
            silence: Duration::from_secs(19),
            write: Duration::from_secs(28),
            heartbeat: Duration::from_secs(25),
            presence: Duration::from_secs(1),
        }
    }
}

/// Something that desks may have to know at once.
#[derive(Debug, Clone)]
pub enum Event {
    /// An entry was committed.
    Entry(Arc<Published>),
    /// These devices are signed out.
    SignedOut(Arc<[Hash]>),
    /// Up to where a person has seen a case.
    Seen(StaffId, Position),
    /// More was written elsewhere, up to this entry, than is told one by one; or what was told before holds no longer.
    Missed(Seq),
}

/// An entry on its way to the desks.
#[derive(Debug)]
pub struct Published {
    /// Its place.
    pub seq: Seq,
    /// When it was written.
    pub at: Millis,
    /// Whose it is.
    pub scope: Scope,
    /// Who may see its case.
    pub audience: Option<Audience>,
    /// Who could see its case before, where that changed.
    pub before: Option<Audience>,
    /// The member of staff that it changed, as they are now.
    pub viewer: Option<Viewer>,
    /// Whether desks may lack what came before in this case.
    pub back_from_afar: bool,
    /// The entry's members as JSON, without the braces' first.
    json: String,
}

impl Published {
    /// Serialises an entry once for everybody.
    pub fn new(entry: &domain::entry::Entry, audience: Option<Audience>) -> serde_json::Result<Self> {
        let whole = serde_json::to_string(entry)?;
        let json = whole.strip_prefix('{').unwrap_or_default().to_owned();
        let scope = entry.scope.clone();
        Ok(Self {
            seq: entry.seq,
            at: entry.at,
            scope,
            audience,
            before: None,
            viewer: None,
            back_from_afar: false,
            json,
        })
    }

    /// The line for a client that was meant to see `prev` before it.
    pub(crate) fn line(&self, prev: Seq) -> String {
        format!("{{\"entry\":{{\"prev\":{prev},{}}}", self.json)
    }

    /// What it means for one person.
    pub(crate) fn concerns(&self, viewer: &Viewer) -> Concern {
        let now = visible(viewer, &self.scope, self.audience.as_ref());
        let moved = self.before.as_ref().is_some_and(|before| visible(viewer, &self.scope, Some(before)) != now);
        let changed = self.viewer.as_ref().is_some_and(|after| after.staff == viewer.staff && after != viewer);
        if moved || changed || (now && self.back_from_afar) {
            Concern::CatchUp
        } else if now {
            Concern::Show
        } else {
            Concern::Nothing
        }
    }
}

/// What an entry means for one person.
pub(crate) enum Concern {
    /// Nothing.
    Nothing,
    /// They see it.
    Show,
    /// They see more or less than before.
    CatchUp,
}

/// What an agency's connections are told through.
#[derive(Clone)]
pub struct Channel {
    events: broadcast::Sender<Event>,
    presence: Arc<Board>,
}

impl Channel {
    /// A new one, with nobody listening.
    pub fn new() -> Self {
        Self { events: broadcast::Sender::new(BEHIND), presence: Arc::default() }
    }

    /// Tells everybody. A lagging or absent listener is no fault of the teller's.
    pub fn publish(&self, event: Event) {
        // Before the entry that says so: nobody who is told of the change finds what was said before it.
        if let Event::Entry(entry) = &event
            && let (Some(_), Scope::Case(case)) = (&entry.before, &entry.scope)
        {
            self.presence.moved(*case, entry.seq, entry.at);
        }
        if let Event::Missed(through) = event {
            self.presence.forget(through);
        }
        let _ = self.events.send(event);
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.events.receiver_count()
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> Receiver<Event> {
        self.events.subscribe()
    }

    /// Who reads and writes where.
    pub fn presence(&self) -> &Board {
        &self.presence
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self::new()
    }
}
