//! Who may hold a connection, and for how long.
//!
//! A server that waits politely is emptied by whoever sends a byte now and then. So the head of a request has its time
//! and its body has its own (see `requests`), a connection on which nothing moves is closed, there is a number of
//! connections in all and one from an address, and whoever comes beyond that is told so (503) instead of being left to
//! wait. Those who are told are bounded too; whoever comes beyond them is closed without a word.
//!
//! Idleness is measured on the bytes below TLS and HTTP, either way: a long catch-up only writes, a quiet socket is kept
//! alive by its heartbeat, and HTTP/2 cannot hide anything from it.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::{Ready, ready},
    io,
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready as pending},
    time::Duration,
};

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use axum_server::accept::Accept;
use futures_util::future::Either;
use serde::Deserialize;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};
use tower_service::Service;

use crate::{failure::Failure, signs};

/// So many are told at once that there is no place for them.
const TOLD: usize = 256;

/// `[limits]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address (IPv6: from one /64). It does not hold behind a proxy, where all come from one.
    pub connections_per_address: usize,
    /// For so long the head of a request, or the TLS handshake, may take; a kept connection waits as long for the next.
    pub header_seconds: u64,
    /// For so long the body of a request may take.
    pub body_seconds: u64,
    /// For so long nothing may move on a connection.
    pub idle_seconds: u64,
    /// Commands that one device may send in a minute.
    pub commands_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 12_000,
            connections_per_address: 4000,
            header_seconds: 10,
            body_seconds: 30,
            idle_seconds: 75,
            commands_per_minute: 600,
        }
    }
}

impl Limits {
    /// The time of a head.
    pub fn header(&self) -> Duration {
        Duration::from_secs(self.header_seconds)
    }

    /// The time of a body.
    pub fn body(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }
}

/// Lets connections in, and counts them.
#[derive(Clone)]
pub struct Door {
    seats: Arc<Mutex<Seats>>,
    idle: Duration,
}

struct Seats {
    most: usize,
    most_per_address: usize,
    taken: usize,
    told: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// What a connection holds until it ends.
struct Seat {
    seats: Arc<Mutex<Seats>>,
    /// Whose it is; `None` for one that is only told that there is no place.
    address: Option<IpAddr>,
}

impl Door {
    /// A door with these limits.
    pub fn new(limits: &Limits, behind_proxy: bool) -> Self {
        let most_per_address = if behind_proxy { usize::MAX } else { limits.connections_per_address };
        let seats = Seats { most: limits.connections, most_per_address, taken: 0, told: 0, by_address: HashMap::new() };
        Self { seats: Arc::new(Mutex::new(seats)), idle: Duration::from_secs(limits.idle_seconds) }
    }

    fn enter(&self, address: IpAddr) -> io::Result<Seat> {
        let address = network(address);
        let mut seats = lock(&self.seats);
        let here = seats.by_address.get(&address).copied().unwrap_or_default();
        if seats.taken < seats.most && here < seats.most_per_address {
            seats.taken += 1;
            seats.by_address.insert(address, here + 1);
            return Ok(Seat { seats: Arc::clone(&self.seats), address: Some(address) });
        }
        signs::connection_refused(if seats.taken < seats.most { "address" } else { "all" });
        if seats.told >= TOLD {
            return Err(io::Error::other("There is no place for another connection"));
        }
        seats.told += 1;
        Ok(Seat { seats: Arc::clone(&self.seats), address: None })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = lock(&self.seats);
        let Some(address) = self.address else {
            seats.told -= 1;
            return;
        };
        seats.taken -= 1;
        if let Some(here) = seats.by_address.get_mut(&address) {
            *here -= 1;
            if *here == 0 {
                seats.by_address.remove(&address);
            }
        }
    }
}

fn lock(seats: &Mutex<Seats>) -> MutexGuard<'_, Seats> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The network that a request came from. A proxy before this program appends what it saw itself to `X-Forwarded-For`; what
/// stands before that, anybody may have written.
pub fn origin(peer: IpAddr, headers: &HeaderMap, behind_proxy: bool) -> IpAddr {
    let told = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    let told = told.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
    network(told.filter(|_| behind_proxy).unwrap_or(peer))
}

/// Whoever has one IPv6 address has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

impl<S> Accept<TcpStream, S> for Door {
    type Stream = Watched;
    type Service = Seated<S>;
    type Future = Ready<io::Result<(Watched, Seated<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let entered = stream.peer_addr().and_then(|peer| self.enter(peer.ip())).and_then(|seat| {
            // Small answers and frames go out at once.
            stream.set_nodelay(true)?;
            let seated = Seated { service, welcome: seat.address.is_some() };
            let rest = Box::pin(tokio::time::sleep(self.idle));
            Ok((Watched { stream, idle: self.idle, rest, _seat: seat }, seated))
        });
        ready(entered)
    }
}

/// The service behind the door, or the word that there is no place.
#[derive(Clone)]
pub struct Seated<S> {
    service: S,
    welcome: bool,
}

impl<S, R> Service<R> for Seated<S>
where
    S: Service<R, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        if self.welcome {
            return Either::Left(self.service.call(request));
        }
        let mut answer = Failure::not_ready("Too many connections are open").retry_after(5).into_response();
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        Either::Right(ready(Ok(answer)))
    }
}

/// A connection that ends when nothing moves on it.
pub struct Watched {
    stream: TcpStream,
    idle: Duration,
    rest: Pin<Box<Sleep>>,
    _seat: Seat,
}

impl Watched {
    /// Notes that something moved, or ends the connection if that was too long ago.
    fn watch<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_pending() {
            pending!(self.rest.as_mut().poll(context));
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "Nothing moved on the connection")));
        }
        self.rest.as_mut().reset(Instant::now() + self.idle);
        polled
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.watch(context, polled)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.watch(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_counted_and_given_back() {
        let door = Door::new(&Limits { connections: 3, connections_per_address: 2, ..Limits::default() }, false);
        let enter = |address: &str| door.enter(address.parse().unwrap()).unwrap();
        let welcome = |seat: &Seat| seat.address.is_some();
        // One network in IPv6, and one address in two clothes.
        let first = [enter("2001:db8::1"), enter("2001:db8::2"), enter("2001:db8::3")];
        assert_eq!(first.each_ref().map(welcome), [true, true, false]);
        let second = [enter("10.0.0.1"), enter("10.0.0.2")];
        assert_eq!(second.each_ref().map(welcome), [true, false], "in all");
        drop(first);
        let third = [enter("::ffff:10.0.0.1"), enter("10.0.0.1")];
        assert_eq!(third.each_ref().map(welcome), [true, false], "from one address");
        drop((second, third));
        let seats = lock(&door.seats);
        assert_eq!((seats.taken, seats.told, seats.by_address.len()), (0, 0, 0));
    }

    #[test]
    fn only_the_proxys_own_word_is_taken() {
        let peer = IpAddr::from([10, 1, 1, 1]);
        let mut headers = HeaderMap::new();
        assert_eq!(origin(peer, &headers, true), peer);
        headers.append("x-forwarded-for", HeaderValue::from_static("1.1.1.1, 2.2.2.2"));
        headers.append("x-forwarded-for", HeaderValue::from_static("3.3.3.3, 4.4.4.4"));
        assert_eq!(origin(peer, &headers, true), IpAddr::from([4, 4, 4, 4]));
        assert_eq!(origin(peer, &headers, false), peer, "without a proxy it is anybody's word");
        headers.append("x-forwarded-for", HeaderValue::from_static("nonsense"));
        assert_eq!(origin(peer, &headers, true), peer);
    }

    #[test]
    fn behind_a_proxy_all_come_from_one_address() {
        let door = Door::new(&Limits { connections: 3, connections_per_address: 1, ..Limits::default() }, true);
        let seats: Vec<_> = (0..4).map(|_| door.enter(IpAddr::from([127, 0, 0, 1])).unwrap()).collect();
        assert_eq!(seats.iter().filter(|seat| seat.address.is_some()).count(), 3);
    }
}
