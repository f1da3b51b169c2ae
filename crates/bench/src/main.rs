//! Measures the real gateway, and in the same run what the machine would give at most.
//!
//! A figure alone says little: a neighbour moves it by more than most changes to the program do. So each stands beside its
//! ceiling, the same work without the product, measured moments before or after.

mod accounts;
mod bare;
mod desks;
mod driver;
mod filled;
mod fresh;
mod gateway;
mod hand;
mod host;
mod http;
mod ingest;
mod load;
mod many;
mod postgres;
mod processes;
mod report;
mod screen;
mod searching;
mod sizes;
mod soak;
mod spread;
mod window;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum as _};

use crate::{
    report::{Id, Report},
    sizes::Sizes,
};

#[derive(Parser)]
#[command(name = "shubbak-bench", version, about = "Measures the gateway, each figure beside its ceiling")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures everything, or what is named.
    Run {
        #[command(flatten)]
        product: Product,
        /// Where the figures go as JSON.
        #[arg(long)]
        json: PathBuf,
        /// Shortens every measurement: good for seeing that it runs, not for figures.
        #[arg(long)]
        quick: bool,
        /// Measures these alone.
        #[arg(long, value_enum, ignore_case = true, value_delimiter = ',')]
        only: Vec<Id>,
    },
    /// Works for a long time, and watches the gateway's memory meanwhile.
    Soak {
        #[command(flatten)]
        product: Product,
        /// How long.
        #[arg(long)]
        minutes: usize,
    },
    /// Serves as the bare server, which the others are measured against.
    #[command(hide = true)]
    Bare { home: String },
}

/// What is measured.
#[derive(clap::Args)]
struct Product {
    /// Where its programs are.
    #[arg(long)]
    programs: PathBuf,
    /// The pack of the agency.
    #[arg(long)]
    pack: PathBuf,
    /// The built interface.
    #[arg(long)]
    ui: Option<PathBuf>,
    /// The package of the desk.
    #[arg(long)]
    deb: Option<PathBuf>,
}

impl Product {
    fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    fn gateway(&self) -> PathBuf {
        self.program("shubbak-gateway")
    }

    fn interface(&self) -> Result<&Path> {
        self.ui.as_deref().context("Finding the interface: give --ui")
    }
}

/// What is measured, and how much of everything.
struct Setting {
    product: Product,
    sizes: Sizes,
}

#[tokio::main]
async fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Bare { home } => bare::serve(&home).await,
        Command::Soak { product, minutes } => soak::run(&product.gateway(), &product.pack, minutes).await,
        Command::Run { product, json, quick, only } => {
            let wanted = if only.is_empty() {
                Id::value_variants().iter().copied().collect()
            } else {
                only.into_iter().collect()
            };
            let mut report = Report { wanted, machine: machine(), quick, notes: Vec::new(), figures: Vec::new() };
            let setting = Setting { product, sizes: if quick { sizes::QUICK } else { sizes::FULL } };
            // What was measured before something failed is worth having.
            let measured = measure(&setting, &mut report).await;
            report.notes.push(format!("{} at the end.", load_average()));
            fs::write(&json, serde_json::to_vec_pretty(&report)?)
                .with_context(|| format!("Writing {}", json.display()))?;
            let table = json.with_extension("md");
            fs::write(&table, report.table()).with_context(|| format!("Writing {}", table.display()))?;
            say(&report.table())?;
            measured
        }
    }
}

async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    ingest::ingest(setting, report).await?;
    if report.wants(&[Id::P4, Id::P5, Id::P7, Id::P9]) {
        many::desks(setting, report).await?;
    }
    if report.wants(&[Id::P6]) {
        fresh::fresh(setting, report).await?;
    }
    window::window(setting, report).await
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
