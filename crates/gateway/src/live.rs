//! What was committed goes to every desk that may see it, over its WebSocket.
//!
//! One bounded channel for an agency carries each entry once, serialised once, with its audience; each connection
//! filters by the one predicate. A connection that falls behind the channel is told to catch up and closed, so memory
//! never grows with a slow reader. Anything the stream cannot say (sight of a case gained or lost) is said by
//! `{"catch_up": true}` too: HTTP catch-up is the truth, this only wakes.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        Query, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use domain::{
    chain::Hash,
    entry::Scope,
    ids::Seq,
    visibility::{Audience, Viewer, visible},
    wire::Line,
};
use tokio::{
    sync::broadcast::{Receiver, Sender, error::RecvError},
    time::{Instant, MissedTickBehavior},
};

use crate::{
    failure::Failure,
    gateway::{Gateway, stopped},
    requests::Signed,
    sync::{After, Catch, Place},
};

/// So many events wait for a slow connection before it is told to catch up.
const BEHIND: usize = 4096;
const HEARTBEAT: Duration = Duration::from_secs(25);
/// A frame that cannot be written for so long means that nobody reads.
const WRITE_WITHIN: Duration = Duration::from_secs(20);

/// Something that desks may have to know at once.
#[derive(Debug, Clone)]
pub enum Event {
    /// An entry was committed.
    Entry(Arc<Published>),
    /// These devices are signed out.
    SignedOut(Arc<[Hash]>),
}

/// An entry on its way to the desks.
#[derive(Debug)]
pub struct Published {
    /// Its place.
    pub seq: Seq,
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
        Ok(Self { seq: entry.seq, scope, audience, before: None, viewer: None, back_from_afar: false, json })
    }

    /// The line for a client that was meant to see `prev` before it.
    fn line(&self, prev: Seq) -> String {
        format!("{{\"entry\":{{\"prev\":{prev},{}}}", self.json)
    }

    /// What it means for one person.
    fn concerns(&self, viewer: &Viewer) -> Concern {
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

enum Concern {
    Nothing,
    Show,
    CatchUp,
}

/// A new channel for an agency.
pub fn channel() -> Sender<Event> {
    Sender::new(BEHIND)
}

/// `GET /api/v1/live?after=TOKEN`.
pub async fn live(
    State(gateway): State<Arc<Gateway>>,
    signed: Signed,
    Query(query): Query<After>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    let upgrade = upgrade.map_err(|_| Failure::bad_request("This path speaks WebSocket"))?;
    // Listen first, then look where the journal stands: what is committed in between is seen twice and shown once.
    let events = signed.agency.live.subscribe();
    let (staff, now) = (signed.staff, gateway.clock.now());
    let token = signed.token;
    let planned = signed.agency.read(move |reader| {
        // Signed out since the request was let in: nobody would tell this connection any more.
        if reader.signed_in(&token)?.is_none() {
            return Ok(Err(Failure::signed_out("The device was signed out meanwhile")));
        }
        Catch::plan(reader, staff, query.after.as_deref(), now)
    });
    let catch = planned.await??;
    let connection = Connection { gateway, signed, catch: Some(catch) };
    Ok(upgrade.max_message_size(64 << 10).on_upgrade(move |socket| connection.run(socket, events)))
}

struct Connection {
    gateway: Arc<Gateway>,
    signed: Signed,
    catch: Option<Catch>,
}

/// Why a connection ends.
enum End {
    /// The other side went, or cannot be written to.
    Gone,
    /// The client has to fetch `sync`.
    CatchUp,
    /// The device is signed out.
    SignedOut,
    /// The gateway stops.
    Stopping,
}

impl Connection {
    async fn run(mut self, mut socket: WebSocket, events: Receiver<Event>) {
        let end = self.serve(&mut socket, events).await.err().unwrap_or(End::Gone);
        let (code, reason) = match end {
            End::Gone => return,
            End::CatchUp => {
                if let Ok(text) = serde_json::to_string(&Line::CatchUp(true)) {
                    let _ = write(&mut socket, text).await;
                }
                (close_code::NORMAL, "catch_up")
            }
            End::SignedOut => (close_code::POLICY, "signed_out"),
            End::Stopping => (close_code::RESTART, "stopping"),
        };
        let _ = tokio::time::timeout(
            WRITE_WITHIN,
            socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))),
        )
        .await;
    }

    async fn serve(&mut self, socket: &mut WebSocket, mut events: Receiver<Event>) -> Result<(), End> {
        let Some(mut catch) = self.catch.take() else { return Ok(()) };
        if catch.changes_sight() {
            return Err(End::CatchUp);
        }
        let viewer = catch.viewer().clone();
        let agency = Arc::clone(&self.signed.agency);
        while !catch.finished() {
            let (lines, rest) = agency.read(move |reader| catch.next(reader)).await.map_err(|_| End::Gone)?;
            catch = rest;
            for line in lines {
                write(socket, line).await?;
            }
        }
        let mut place = catch.place();
        let mut heartbeat = tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopping = self.gateway.stopping.subscribe();
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stopping) => return Err(End::Stopping),
                event = events.recv() => match event {
                    Ok(event) => self.tell(socket, &viewer, &mut place, event).await?,
                    Err(RecvError::Lagged(_)) => return Err(End::CatchUp),
                    Err(RecvError::Closed) => return Err(End::Stopping),
                },
                _ = heartbeat.tick() => self.beat(socket, &mut place).await?,
                message = socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                    // `viewing` and `typing` come later; what is not known is passed over.
                    Some(Ok(_)) => {}
                },
            }
        }
    }

    async fn tell(&self, socket: &mut WebSocket, viewer: &Viewer, place: &mut Place, event: Event) -> Result<(), End> {
        let entry = match event {
            Event::SignedOut(tokens) if tokens.contains(&self.signed.token) => return Err(End::SignedOut),
            Event::SignedOut(_) => return Ok(()),
            Event::Entry(entry) => entry,
        };
        if entry.seq <= place.seq {
            return Ok(());
        }
        match entry.concerns(viewer) {
            Concern::CatchUp => return Err(End::CatchUp),
            Concern::Show => {
                write(socket, entry.line(place.prev)).await?;
                place.prev = entry.seq;
            }
            Concern::Nothing => {}
        }
        place.seq = entry.seq;
        Ok(())
    }

    /// A cursor, so that a gap shows and a break resumes from here.
    async fn beat(&self, socket: &mut WebSocket, place: &mut Place) -> Result<(), End> {
        let agency = &self.signed.agency;
        let (seq, now) = (place.seq, self.gateway.clock.now());
        let chain = agency.read(move |reader| reader.journal.chain_at(seq)).await.map_err(|_| End::Gone)?;
        place.chain = chain.ok_or(End::CatchUp)?;
        let line = serde_json::to_string(&Line::Cursor(place.cursor(now))).map_err(|_| End::Gone)?;
        write(socket, line).await
    }
}

async fn write(socket: &mut WebSocket, text: String) -> Result<(), End> {
    match tokio::time::timeout(WRITE_WITHIN, socket.send(Message::Text(text.into()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}

/// What a person's other connections must be told. A lagging or absent receiver is no fault of the sender's.
pub fn publish(live: &Sender<Event>, event: Event) {
    let _ = live.send(event);
}
