//! Measures the real gateway, and in the same run what the machine would give at most.
//!
//! A figure alone says little: a neighbour moves it by more than most changes to the program do. So each stands beside its
//! ceiling, the same work without the product, measured moments before or after.

mod accounts;
mod bare;
mod desks;
mod gateway;
mod http;
mod load;
mod report;
mod runs;
mod soak;
mod spread;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::report::Report;

#[derive(Parser)]
#[command(name = "shubbak-bench", version, about = "Measures the gateway, each figure beside its ceiling")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures everything.
    Run {
        /// The gateway's program.
        #[arg(long)]
        gateway: PathBuf,
        /// The pack of the agency.
        #[arg(long)]
        pack: PathBuf,
        /// Where the figures go as JSON.
        #[arg(long)]
        json: PathBuf,
        /// Shortens every measurement: good for seeing that it runs, not for figures.
        #[arg(long)]
        quick: bool,
    },
    /// Works for a long time, and watches the gateway's memory meanwhile.
    Soak {
        /// The gateway's program.
        #[arg(long)]
        gateway: PathBuf,
        /// The pack of the agency.
        #[arg(long)]
        pack: PathBuf,
        /// How long.
        #[arg(long)]
        minutes: usize,
    },
    /// Serves as the bare server, which the others are measured against.
    #[command(hide = true)]
    Bare { folder: PathBuf },
}

#[tokio::main]
async fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Bare { folder } => bare::serve(folder).await,
        Command::Soak { gateway, pack, minutes } => soak::run(&gateway, &pack, minutes).await,
        Command::Run { gateway, pack, json, quick } => {
            let mut report = Report { machine: machine(), quick, notes: Vec::new(), figures: Vec::new() };
            let sizes = if quick { runs::QUICK } else { runs::FULL };
            runs::ingest(&gateway, &pack, &sizes, &mut report).await?;
            runs::desks(&gateway, &pack, &sizes, &mut report).await?;
            report.notes.push(format!("{} at the end.", load_average()));
            fs::write(&json, serde_json::to_vec_pretty(&report)?)
                .with_context(|| format!("Writing {}", json.display()))?;
            say(&report.table())
        }
    }
}

/// On what it was measured, as far as the system tells.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = read("/proc/cpuinfo")
        .lines()
        .find_map(|line| Some(line.strip_prefix("model name")?.trim_start_matches([' ', '\t', ':']).to_owned()))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!(
        "{model}, {cores} cores, for the gateway, the load and whatever neighbours run; {} at the beginning. Files in {}.",
        load_average(),
        std::env::temp_dir().display()
    )
}

fn load_average() -> String {
    format!("Load average {}", read("/proc/loadavg").split_whitespace().take(3).collect::<Vec<_>>().join(", "))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Prints a line for whoever started this program.
fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("Writing to standard output")
}
