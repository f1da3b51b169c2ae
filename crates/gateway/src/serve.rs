//! `serve`: the gateway on its address, until it is told to stop.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use axum_server::{
    Handle,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use domain::ids::{Clock, Ids};
use tokio::sync::oneshot;

use crate::{
    alarms,
    config::Config,
    connections::Door,
    gateway::Running,
    http::{self, PATIENCE},
    tls,
};

/// Bytes that a connection of HTTP/1 reads ahead; a head has to fit.
const BUFFER: usize = 32 << 10;
/// Requests at once on one connection of HTTP/2.
const STREAMS: u32 = 64;
/// Bytes of a head in HTTP/2.
const HEADERS: u32 = 16 << 10;

/// Serves until `stop` resolves. `listening` is told the address: with port 0 it is known only then.
pub async fn serve(
    config: Config,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    listening: oneshot::Sender<String>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let listen = config.server.listen;
    let tls = match (&config.server.tls_cert, &config.server.tls_key) {
        (Some(cert), Some(key)) => Some(RustlsConfig::from_config(tls::read(cert, key)?)),
        _ => None,
    };
    // The address first: a second gateway by mistake ends here and touches nothing.
    let listener = std::net::TcpListener::bind(listen).with_context(|| format!("Listening on {listen}"))?;
    listener.set_nonblocking(true).context("Setting up the listener")?;
    let address = listener.local_addr().context("Asking for the address")?;

    let (limits, door) = (config.limits, Door::new(&config.limits, config.server.behind_proxy));
    let running = Running::start(config, clock, ids).await?;
    let router = http::router(&running.gateway);
    let handle: Handle<SocketAddr> = Handle::new();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let gateway = Arc::clone(&running.gateway);
    let watch = tokio::spawn(alarms::run(Arc::clone(&gateway)));
    let stopper = {
        let handle = handle.clone();
        tokio::spawn(async move {
            stop.await;
            tracing::info!("Stopping");
            let _ = gateway.stopping.send(true);
            handle.graceful_shutdown(Some(PATIENCE));
        })
    };
    tracing::info!(address = format!("{scheme}://{address}"), "Serving");
    let _ = listening.send(format!("{scheme}://{address}"));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut server = axum_server::from_tcp(listener).context("Serving")?.handle(handle);
    // Before the first head nobody has said yet which HTTP it will be, so that time is measured from without.
    server = server.first_request_timeout(limits.header());
    server.http_builder().http1().header_read_timeout(limits.header()).max_buf_size(BUFFER);
    server.http_builder().http2().max_concurrent_streams(STREAMS).max_header_list_size(HEADERS);
    let served = match tls {
        Some(tls) => {
            let tls = RustlsAcceptor::new(tls).handshake_timeout(limits.header()).acceptor(door);
            server.acceptor(tls).serve(service).await
        }
        None => server.acceptor(door).serve(service).await,
    };
    stopper.abort();
    watch.abort();
    running.stop().await;
    served.context("Serving")
}
