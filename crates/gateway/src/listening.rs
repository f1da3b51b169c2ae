//! A desk's live connection: a WebSocket on which it is told what was committed, and says what its person looks at.
//!
//! A connection that falls behind, or from which no answer to a ping comes, is told to catch up and closed. Anything the
//! stream cannot say (sight of a case gained or lost) is said by `{"catch_up": true}` too: HTTP catch-up is the truth,
//! this only wakes.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{
        Query, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use domain::{
    ids::Millis,
    visibility::Viewer,
    wire::{Cursor, Line},
};
use futures_util::SinkExt as _;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, MissedTickBehavior, timeout, timeout_at},
};

use crate::{
    failure::Failure,
    gateway::{Gateway, stopped},
    live::{Concern, Event},
    requests::Signed,
    said::Said,
    signs,
    sync::{After, Catch, Place, reach},
};

/// While a connection begins, a frame that cannot be written for so long means that nobody reads.
const WRITE_WITHIN: Duration = Duration::from_secs(20);
/// For so long a connection that is slow is given to take its goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// Bytes that are read from a socket at once. Desks say little, and there are thousands of them.
const READ_BUFFER: usize = 1024;
/// The longest frame that a desk may send.
const LONGEST_UP: usize = 1024;
/// So much of others' presence is told at once; what is left out comes later, or is over by then.
const PRESENCES: usize = 50;

/// `GET /api/v1/live?after=TOKEN`.
pub async fn live(
    State(gateway): State<Arc<Gateway>>,
    signed: Signed,
    Query(query): Query<After>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    let upgrade = upgrade.map_err(|_| Failure::bad_request("This path speaks WebSocket"))?;
    // Listen first, then look where the journal stands: what is committed in between is seen twice and shown once.
    let events = signed.agency.live.subscribe();
    reach(&signed.agency, query.after.as_deref()).await?;
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
    let connection = Connection { gateway, signed, heard: Instant::now(), head_signed_at: 0 };
    let upgrade = upgrade.max_message_size(LONGEST_UP).max_frame_size(LONGEST_UP).read_buffer_size(READ_BUFFER);
    Ok(upgrade.on_upgrade(move |socket| connection.run(socket, catch, events)))
}

struct Connection {
    gateway: Arc<Gateway>,
    signed: Signed,
    /// When the other side answered a ping last.
    heard: Instant,
    /// When the head was signed that the other side was given last.
    head_signed_at: Millis,
}

/// Why a connection ends.
enum End {
    /// The other side went, or cannot be written to.
    Gone,
    /// The client has to fetch `sync`.
    CatchUp,
    /// The device is signed out.
    SignedOut,
    /// The other side says far more than anybody does.
    Flood,
    /// The gateway stops.
    Stopping,
}

impl Connection {
    async fn run(mut self, mut socket: WebSocket, catch: Catch, events: Receiver<Event>) {
        let began = Box::pin(self.begin(&mut socket, catch)).await;
        let end = match began {
            Ok((viewer, place)) => {
                let mut said = Said::new(&self.signed, &*self.gateway.ids, self.gateway.clock.now());
                let end = self.listen(&mut socket, events, &viewer, place, &mut said).await;
                said.leave(self.gateway.clock.now());
                end
            }
            Err(end) => end,
        };
        let (code, reason) = match end {
            End::Gone => return,
            End::CatchUp => {
                signs::sent_to_catch_up(&self.signed.agency.id);
                if let Ok(text) = serde_json::to_string(&Line::CatchUp(true)) {
                    let _ = timeout(GOODBYE, socket.send(Message::Text(text.into()))).await;
                }
                (close_code::NORMAL, "catch_up")
            }
            End::SignedOut => (close_code::POLICY, "signed_out"),
            End::Flood => (close_code::POLICY, "flood"),
            End::Stopping => (close_code::RESTART, "stopping"),
        };
        let goodbye = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let _ = timeout(GOODBYE, socket.send(goodbye)).await;
    }

    /// Tells what came since the client's cursor. Whose connection it is then, and where it stands.
    async fn begin(&mut self, socket: &mut WebSocket, mut catch: Catch) -> Result<(Viewer, Place), End> {
        if catch.changes_sight() {
            return Err(End::CatchUp);
        }
        let viewer = catch.viewer().clone();
        let agency = Arc::clone(&self.signed.agency);
        while !catch.finished() {
            let (lines, rest) = agency.read(move |reader| catch.next(reader)).await.map_err(|_| End::Gone)?;
            catch = rest;
            for line in lines {
                self.heard = Instant::now();
                write(socket, line, self.heard + WRITE_WITHIN).await?;
            }
        }
        self.heard = Instant::now();
        Ok((viewer, catch.place()))
    }

    async fn listen(
        &mut self,
        socket: &mut WebSocket,
        mut events: Receiver<Event>,
        viewer: &Viewer,
        mut place: Place,
        said: &mut Said,
    ) -> End {
        match self.try_listen(socket, &mut events, viewer, &mut place, said).await {
            Ok(()) => End::Gone,
            Err(end) => end,
        }
    }

    async fn try_listen(
        &mut self,
        socket: &mut WebSocket,
        events: &mut Receiver<Event>,
        viewer: &Viewer,
        place: &mut Place,
        said: &mut Said,
    ) -> Result<(), End> {
        let times = self.gateway.times;
        let mut ping = tokio::time::interval_at(Instant::now() + times.ping, times.ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cursor_at = Instant::now() + times.heartbeat;
        let mut stopping = self.gateway.stopping.subscribe();
        let mut presence = self.signed.agency.live.presence().watch();
        presence.mark_changed();
        let (mut news, mut told, mut tell_at) = (false, 0, Instant::now());
        loop {
            // In this order: nothing of somebody's presence is told before an entry that may take sight of it away.
            tokio::select! {
                biased;
                () = stopped(&mut stopping) => return Err(End::Stopping),
                event = events.recv() => match event {
                    Ok(event) => self.tell(socket, viewer, place, event).await?,
                    Err(RecvError::Lagged(_)) => return Err(End::CatchUp),
                    Err(RecvError::Closed) => return Err(End::Stopping),
                },
                now = ping.tick() => {
                    if now > self.heard + times.silence {
                        return Err(End::CatchUp);
                    }
                    self.write(socket, Message::Ping(Bytes::new())).await?;
                    if now >= cursor_at {
                        cursor_at = now + times.heartbeat;
                        self.beat(socket, place).await?;
                    }
                }
                message = socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                    Some(Ok(message)) => {
                        // Whoever talks may still not listen: only the answer to a ping shows that they have read so far.
                        if matches!(message, Message::Pong(_)) {
                            self.heard = Instant::now();
                        }
                        said.take(&message, self.gateway.clock.now()).await.map_err(|_| End::Flood)?;
                    }
                },
                Ok(()) = presence.changed(), if !news => news = true,
                () = tokio::time::sleep_until(tell_at), if news => {
                    tell_at = Instant::now() + times.presence;
                    let (lines, reached) = said.others(viewer, told, PRESENCES, self.gateway.clock.now());
                    // More than goes at once, or a reader too slow for any: the rest at the next turn.
                    news = lines.len() == PRESENCES;
                    match timeout(times.presence, write_all(socket, lines)).await {
                        Ok(written) => {
                            written?;
                            told = reached;
                        }
                        Err(_) => news = true,
                    }
                }
            }
        }
    }

    async fn tell(&self, socket: &mut WebSocket, viewer: &Viewer, place: &mut Place, event: Event) -> Result<(), End> {
        let entry = match event {
            Event::SignedOut(tokens) if tokens.contains(&self.signed.token) => return Err(End::SignedOut),
            Event::Seen(staff, position) if staff == viewer.staff => {
                let line = serde_json::to_string(&Line::Position(position)).map_err(|_| End::Gone)?;
                return self.write(socket, Message::Text(line.into())).await;
            }
            Event::SignedOut(_) | Event::Seen(..) => return Ok(()),
            Event::Missed(_) => return Err(End::CatchUp),
            Event::Entry(entry) => entry,
        };
        if entry.seq <= place.seq {
            return Ok(());
        }
        match entry.concerns(viewer) {
            Concern::CatchUp => return Err(End::CatchUp),
            Concern::Show => {
                self.write(socket, Message::Text(entry.line(place.prev).into())).await?;
                place.prev = entry.seq;
            }
            Concern::Nothing => {}
        }
        place.seq = entry.seq;
        Ok(())
    }

    /// A cursor, so that a gap shows and a break resumes from here; with the head that was signed last, if it is another
    /// than this client was given.
    async fn beat(&mut self, socket: &mut WebSocket, place: &mut Place) -> Result<(), End> {
        let agency = &self.signed.agency;
        let (seq, now) = (place.seq, self.gateway.clock.now());
        let (chain, signed) = agency
            .read(move |reader| Ok((reader.journal.chain_at(seq)?, reader.journal.signed_head()?)))
            .await
            .map_err(|_| End::Gone)?;
        place.chain = chain.ok_or(End::CatchUp)?;
        let witness = signed.map(|(_, witness)| Box::new(witness)).filter(|new| new.at != self.head_signed_at);
        self.head_signed_at = witness.as_ref().map_or(self.head_signed_at, |new| new.at);
        let cursor = Cursor { witness, ..place.cursor(now) };
        let line = serde_json::to_string(&Line::Cursor(cursor)).map_err(|_| End::Gone)?;
        self.write(socket, Message::Text(line.into())).await
    }

    async fn write(&self, socket: &mut WebSocket, message: Message) -> Result<(), End> {
        match timeout_at(self.heard + self.gateway.times.write, socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::CatchUp),
        }
    }
}

async fn write(socket: &mut WebSocket, text: String, until: Instant) -> Result<(), End> {
    match timeout_at(until, socket.send(Message::Text(text.into()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}

/// Writes lines in one go. Given up in between, at most one of them is on its way.
async fn write_all(socket: &mut WebSocket, lines: Vec<String>) -> Result<(), End> {
    for line in lines {
        socket.feed(Message::Text(line.into())).await.map_err(|_| End::Gone)?;
    }
    socket.flush().await.map_err(|_| End::Gone)
}
