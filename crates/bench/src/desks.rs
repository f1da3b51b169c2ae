//! Many desks: they come back at once, and they listen.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinSet};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

use crate::{
    accounts::text,
    http::Connection,
    load::{self, Webhook, number_in, planned},
    spread::Spread,
};

/// A desk's socket.
pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Where a desk stands, and how many entries it was given on the way there.
pub(crate) async fn sync(address: SocketAddr, token: &str, after: &str) -> Result<(String, usize)> {
    let answer = Connection::open(address).await?.get(&format!("/api/v1/sync?after={after}"), token).await?;
    ensure!(answer.status == 200, "Catching up was answered {}", answer.status);
    let lines = std::str::from_utf8(&answer.body).context("Reading a catch-up")?;
    let entries = lines.lines().filter(|line| line.starts_with("{\"entry\"")).count();
    let last: Value = serde_json::from_str(lines.lines().last().unwrap_or_default()).context("Reading a catch-up")?;
    Ok((text(&last, "/cursor/token")?, entries))
}

/// Opens a socket, and waits for the cursor that says: from here on it is live.
pub(crate) async fn live(address: SocketAddr, path: &str, token: &str) -> Result<Socket> {
    let mut request = format!("ws://{address}{path}").into_client_request().context("Making a request")?;
    let bearer = HeaderValue::try_from(format!("Bearer {token}")).context("Making a request")?;
    request.headers_mut().insert("authorization", bearer);
    let stream = TcpStream::connect(address).await.context("Connecting a desk")?;
    stream.set_nodelay(true).context("Connecting a desk")?;
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.context("Connecting a desk")?;
    loop {
        match socket.next().await.context("A socket ended before it was live")?.context("Reading a socket")? {
            Message::Text(frame) if frame.starts_with("{\"cursor\"") => return Ok(socket),
            Message::Close(why) => bail!("A socket was closed before it was live: {why:?}"),
            _ => {}
        }
    }
}

/// Lets every one of these come to its end, and collects what they give.
pub(crate) async fn all<T: Send + 'static>(
    desks: impl Iterator<Item = impl Future<Output = Result<T>> + Send + 'static>,
) -> Result<Vec<T>> {
    let mut running = JoinSet::new();
    desks.for_each(|desk| drop(running.spawn(desk)));
    let mut done = Vec::new();
    while let Some(one) = running.join_next().await {
        done.push(one??);
    }
    Ok(done)
}

/// One text on its way.
#[derive(Default)]
struct Seen {
    desks: AtomicUsize,
    /// Nanoseconds after the beginning.
    last: AtomicU64,
}

/// Sends texts at their times to a server, and says how long each took until the last desk had it. Returns the sockets.
pub(crate) async fn fan_out(
    address: SocketAddr,
    sockets: Vec<Socket>,
    webhooks: &Arc<[Webhook]>,
    per_second: usize,
) -> Result<(Spread, Vec<Socket>)> {
    let desks = sockets.len();
    let seen: Arc<[Seen]> = webhooks.iter().map(|_| Seen::default()).collect();
    let began = Instant::now() + Duration::from_millis(500);
    let (count, listening) = (webhooks.len(), sockets.into_iter());
    let mut listeners = JoinSet::new();
    for mut socket in listening {
        let seen = Arc::clone(&seen);
        listeners.spawn(async move {
            let mut had = 0;
            while had < count {
                let frame = socket.next().await.context("A socket ended")?.context("Reading a socket")?;
                let Message::Text(frame) = frame else {
                    ensure!(!frame.is_close(), "A desk was sent away");
                    continue;
                };
                if let Some(seen) = number_in(&frame).and_then(|number| seen.get(number)) {
                    let now = began.elapsed().as_nanos();
                    seen.last.fetch_max(u64::try_from(now).unwrap_or(u64::MAX), Ordering::Relaxed);
                    seen.desks.fetch_add(1, Ordering::Relaxed);
                    had += 1;
                }
            }
            Ok(socket)
        });
    }
    let mut connection = Connection::open(address).await?;
    for (number, webhook) in webhooks.iter().enumerate() {
        tokio::time::sleep_until(planned(began, per_second, number).into()).await;
        load::post(&mut connection, webhook).await?;
    }
    let listened = async {
        let mut sockets = Vec::new();
        while let Some(socket) = listeners.join_next().await {
            sockets.push(socket??);
        }
        anyhow::Ok(sockets)
    };
    let sockets =
        tokio::time::timeout(Duration::from_secs(60), listened).await.context("Waiting for the last desk")??;
    let mut took = Vec::new();
    for (number, seen) in seen.iter().enumerate() {
        ensure!(seen.desks.load(Ordering::Relaxed) == desks, "Not every desk had every text exactly once");
        let last = Duration::from_nanos(seen.last.load(Ordering::Relaxed));
        took.push(last.saturating_sub(planned(began, per_second, number) - began));
    }
    Ok((Spread::new(took), sockets))
}
