//! `shubbak-simulator`: WhatsApp and its citizens on a loopback port.

use std::{io::Write, net::SocketAddr, path::PathBuf};

use anyhow::Context;
use clap::Parser;
use simulator::{Config, Running};

/// A stand-in for Meta's Graph API and for citizens' telephones.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Where to listen; loopback only, port 0 for any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the gateway receives webhooks.
    #[arg(long)]
    webhook: String,
    /// File with the secret that signs webhooks.
    #[arg(long)]
    app_secret_file: PathBuf,
    /// File with the token that senders must bear.
    #[arg(long)]
    token_file: PathBuf,
    /// The line's id at Meta.
    #[arg(long)]
    phone_number_id: String,
    /// The line's number as people dial it.
    #[arg(long)]
    display_number: String,
    /// What the telephone page calls the agency.
    #[arg(long)]
    agency_name: Option<String>,
    /// Print the address as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .with_writer(std::io::stderr)
        .init();
    let options = Options::parse();
    let mut config = Config::new(
        &options.webhook,
        &secret(&options.app_secret_file)?,
        &secret(&options.token_file)?,
        &options.phone_number_id,
        &options.display_number,
    );
    config.listen = options.listen;
    config.agency_name = options.agency_name;
    let running = Running::start(config).await?;

    let url = format!("http://{}/", running.address);
    let line = if options.json {
        serde_json::json!({"address": running.address.to_string(), "telephones": url}).to_string()
    } else {
        format!("Citizens' telephones: {url}")
    };
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("Printing the address")?;

    interrupted().await?;
    running.stop().await;
    Ok(())
}

fn secret(path: &PathBuf) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("Reading the secret in {}", path.display()))?;
    let text = text.trim().to_owned();
    anyhow::ensure!(!text.is_empty(), "Reading the secret in {}: the file is empty", path.display());
    Ok(text)
}

/// Returns on Ctrl-C, and on Unix on SIGTERM too.
async fn interrupted() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .context("Waiting for the signal to end")?;
        tokio::select! {
            outcome = tokio::signal::ctrl_c() => outcome.context("Waiting for the signal to end"),
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.context("Waiting for the signal to end")
}
