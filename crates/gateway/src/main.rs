//! `shubbak-gateway`: the server program.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use domain::ids::{Clock, Ids, System};
use gateway::{backup, config, heads, init, rebuild, restore, serve, verify};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

/// SQLite's memory is from it too. glibc gives each thread an arena of its own, and under steady load all of them grew for
/// an hour and more, to twice of what was in use.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The server between WhatsApp and the desks.
#[derive(Parser)]
#[command(name = "shubbak-gateway", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Creates the storage and each agency's first account; prints a one-time code for each.
    Init(Common),
    /// Serves until it is told to stop (SIGTERM, Ctrl-C).
    Serve(Common),
    /// Tells what is wrong with the configuration, in words.
    Check(Common),
    /// Recomputes every digest and chain, and names the first entry that is not as it was written.
    Verify {
        /// Signed heads that were exported before and kept elsewhere.
        #[arg(long)]
        witness: Option<PathBuf>,
        #[command(flatten)]
        of: Of,
    },
    /// Builds the read models anew from the journals, while nobody serves.
    Rebuild(Of),
    /// Copies everything that cannot be made anew, while the gateway serves or not.
    Backup {
        /// An empty folder, or one that is made.
        #[arg(long)]
        to: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Takes a backup into an empty storage. Nothing goes out until `release-sending`.
    Restore {
        /// The backup's folder.
        #[arg(long)]
        from: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Lets sending go on after a restore.
    ReleaseSending(Of),
    /// Signed heads.
    Head {
        #[command(subcommand)]
        command: Head,
    },
    /// Accounts.
    Staff {
        #[command(subcommand)]
        command: Staff,
    },
}

#[derive(Subcommand)]
enum Head {
    /// Prints the head that was signed last, to be kept elsewhere.
    Export(Of),
}

#[derive(Args)]
struct Of {
    /// Which agency; all of them where none is named.
    #[arg(long)]
    agency: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Staff {
    /// Prints a new one-time code, with which a person sets a new password.
    Code {
        /// What the person signs in with.
        username: String,
        /// Which agency; needed where there are several.
        #[arg(long)]
        agency: Option<String>,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
struct Common {
    /// The configuration.
    #[arg(long, default_value = "gateway.toml")]
    config: PathBuf,
    /// Answers in JSON, for programs.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).json().init();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("A crypto provider was installed before");
    }
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>) = (Arc::new(System), Arc::new(System));
    match command {
        Command::Check(common) => {
            let found = config::load(&common.config);
            if common.json {
                let (problems, warnings) = match &found {
                    Ok(config) => (&[][..], &config.warnings[..]),
                    Err(problems) => (&problems.0[..], &[][..]),
                };
                say(&serde_json::json!({ "problems": problems, "warnings": warnings }).to_string())?;
            }
            let config = found?;
            if !common.json {
                for warning in &config.warnings {
                    say(&format!("Note: {warning}"))?;
                }
                say(&format!("{} is sound: {} agencies", common.config.display(), config.agencies.len()))?;
            }
            Ok(())
        }
        Command::Init(common) => {
            let made = init::init(&config::load(&common.config)?, clock, ids)?;
            if common.json {
                return say(&serde_json::to_string(&made)?);
            }
            for admin in &made.admins {
                say(&told(admin))?;
            }
            Ok(())
        }
        Command::Verify { witness, of } => verify(&of, witness.as_deref()),
        Command::Rebuild(of) => {
            let config = config::load(&of.common.config)?;
            for (agency, seq) in rebuild::rebuild(&config, of.agency.as_deref(), &clock, &ids)? {
                say(&match of.common.json {
                    true => serde_json::json!({ "agency": agency, "seq": seq }).to_string(),
                    false => format!("{agency}: the records are built anew from {seq} entries"),
                })?;
            }
            Ok(())
        }
        Command::Backup { to, common } => {
            let manifest = backup::backup(&config::load(&common.config)?, &to, &clock)?;
            if common.json {
                return say(&serde_json::to_string(&manifest)?);
            }
            for head in &manifest.heads {
                say(&format!("{}: {} entries", head.agency, head.seq))?;
            }
            say(&format!("The backup stands in {}; keep it under lock", to.display()))
        }
        Command::Restore { from, common } => {
            for restored in restore::restore(&config::load(&common.config)?, &from, &clock, &ids)? {
                say(&match common.json {
                    true => serde_json::to_string(&restored)?,
                    false => format!(
                        "{}: {} entries; {} messages of which nobody knows whether they went out; {} files are missing",
                        restored.agency,
                        restored.seq,
                        restored.uncertain,
                        restored
                            .missing_media
                            .map_or("nobody knows how many".to_owned(), |missing| missing.to_string())
                    ),
                })?;
            }
            if common.json { Ok(()) } else { say("Nothing goes out until `shubbak-gateway release-sending`") }
        }
        Command::ReleaseSending(of) => {
            for agency in restore::release_sending(&config::load(&of.common.config)?, of.agency.as_deref())? {
                say(&match of.common.json {
                    true => serde_json::json!({ "agency": agency }).to_string(),
                    false => format!("{agency}: sending goes on"),
                })?;
            }
            Ok(())
        }
        Command::Head { command: Head::Export(of) } => {
            for witness in heads::last(&config::load(&of.common.config)?, of.agency.as_deref())? {
                say(&serde_json::to_string(&witness)?)?;
            }
            Ok(())
        }
        Command::Staff { command: Staff::Code { username, agency, common } } => {
            let given = init::staff_code(&config::load(&common.config)?, agency.as_deref(), &username, &clock, &ids)?;
            say(&if common.json { serde_json::to_string(&given)? } else { told(&given) })
        }
        Command::Serve(common) => {
            let config = config::load(&common.config)?;
            for warning in &config.warnings {
                tracing::warn!("{warning}");
            }
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("Starting tokio")?;
            runtime.block_on(async {
                let (listening, address) = oneshot::channel();
                if common.json {
                    tokio::spawn(async move {
                        if let Ok(address) = address.await {
                            let _ = say(&serde_json::json!({ "address": address }).to_string());
                        }
                    });
                }
                serve::serve(config, clock, ids, listening, told_to_stop()).await
            })
        }
    }
}

fn verify(of: &Of, witness: Option<&Path>) -> Result<()> {
    let reports = verify::agencies(&config::load(&of.common.config)?, of.agency.as_deref(), witness)?;
    for verify::Report { agency, found } in &reports {
        let line = match (found, of.common.json) {
            (Ok(head), false) => format!("{agency}: {} entries, each as it was written", head.seq),
            (Ok(head), true) => serde_json::json!({ "agency": agency, "seq": head.seq, "flaw": null }).to_string(),
            (Err(flaw), false) => format!("{agency}: {flaw}"),
            (Err(flaw), true) => {
                serde_json::json!({ "agency": agency, "seq": flaw.seq(), "flaw": flaw.to_string() }).to_string()
            }
        };
        say(&line)?;
    }
    let bad = reports.iter().filter(|report| report.found.is_err()).count();
    ensure!(bad == 0, "{bad} of {} journals are not as they were written", reports.len());
    Ok(())
}

fn told(admin: &init::Admin) -> String {
    format!("{}: sign in as {} with the one-time code {} (72 hours)", admin.agency, admin.username, admin.code)
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("Writing to standard output")
}

async fn told_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            let _ = interrupted.await;
            return;
        };
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupted.await;
}
