//! `serve`: the gateway on its address, until it is told to stop.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use domain::ids::{Clock, Ids};
use tokio::sync::oneshot;

use crate::{
    config::Config,
    gateway::Running,
    http::{self, PATIENCE},
    tls,
};

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

    let running = Running::start(config, clock, ids).await?;
    let router = http::router(&running.gateway);
    let handle: Handle<SocketAddr> = Handle::new();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let gateway = Arc::clone(&running.gateway);
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
    let service = router.into_make_service();
    let served = match tls {
        Some(tls) => {
            axum_server::from_tcp_rustls(listener, tls).context("Serving")?.handle(handle).serve(service).await
        }
        None => axum_server::from_tcp(listener).context("Serving")?.handle(handle).serve(service).await,
    };
    stopper.abort();
    running.stop().await;
    served.context("Serving")
}
