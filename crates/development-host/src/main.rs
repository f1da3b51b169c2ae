//! `shubbak-host`: the desk over loopback HTTP, so that the interface runs and is tested in an ordinary browser.

mod doors;
mod outside;
mod serve;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use clap::Parser;
use desk::{
    Config, Desk,
    keychain::{FileKeychain, Keychain, SystemKeychain},
};
use domain::ids::System;
use tokio::sync::broadcast;

/// The desk over loopback HTTP, for an ordinary browser. For development and tests: whoever may open a connection to
/// this computer's loopback may read what the desk shows.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen; loopback only. Port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where this workstation keeps its data
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The built interface
    #[arg(long, value_name = "DIR")]
    ui: PathBuf,
    /// Sign in with what stands in this TOML file: gateway, agency, username, password, code
    #[arg(long, value_name = "FILE")]
    sign_in_from: Option<PathBuf>,
    /// Keep the wrapped keys in this file instead of the system's keychain
    #[arg(long, value_name = "FILE")]
    keychain_file: Option<PathBuf>,
    /// Print the address as JSON
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    if !arguments.listen.ip().is_loopback() {
        bail!("{} is not a loopback address: the development host serves this computer alone", arguments.listen);
    }
    let keychain: Arc<dyn Keychain> = match arguments.keychain_file {
        Some(path) => Arc::new(FileKeychain::new(path)),
        None => Arc::new(SystemKeychain),
    };
    let config = Config {
        data: arguments.data,
        keychain,
        clock: Arc::new(System),
        ids: Arc::new(System),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let desk = Desk::open(config).await?;
    let opened = broadcast::Sender::new(16);
    desk.lend(Arc::new(outside::Outside(opened.clone())));
    if let Some(path) = &arguments.sign_in_from
        && let Err(error) = desk.enter(desk::sign_in_from(path)?).await
    {
        tracing::error!(%error, "Signing in from a file failed; the interface shows the sign-in screen");
    }

    let listener = tokio::net::TcpListener::bind(arguments.listen).await.context("Listening")?;
    let address = listener.local_addr().context("Listening")?;
    tell(address, arguments.json);
    let service = serve::router(desk.clone(), opened, &arguments.ui, address);
    tokio::select! {
        served = axum::serve(listener, service).into_future() => served.context("Serving")?,
        () = told_to_stop() => {}
    }
    desk.close().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "whoever started the program reads its address from there")]
fn tell(address: SocketAddr, json: bool) {
    if json {
        println!("{}", serde_json::json!({ "address": format!("http://{address}") }));
    } else {
        println!("The desk is at http://{address}");
    }
}

async fn told_to_stop() {
    let interrupted = async { drop(tokio::signal::ctrl_c().await) };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminated = async {
            match signal(SignalKind::terminate()) {
                Ok(mut terminate) => drop(terminate.recv().await),
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! { () = interrupted => {}, () = terminated => {} }
    }
    #[cfg(not(unix))]
    interrupted.await;
}
