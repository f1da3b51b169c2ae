//! `cargo xtask bench`: builds the product as it is released, and measures it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    build::{self, cargo, program, root},
    display::Display,
    prerequisites::{self, npm},
    process::{self, Service},
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Shortens every measurement: good for seeing that it runs, not for figures
    #[arg(long)]
    quick: bool,
    /// Measures these alone: P1 to P5, P7 and P9 at the gateway; P6, P8 and D1 to D5 at the desk
    #[arg(long, value_name = "FIGURES", value_delimiter = ',')]
    only: Vec<String>,
    /// Where the figures go as JSON; target/bench.json if not given. The table beside it ends with .md
    #[arg(long)]
    json: Option<PathBuf>,
}

/// The product as it is released, what measures it, and where cargo puts both; all of them built now.
pub(crate) struct Released {
    target: PathBuf,
}

impl Released {
    /// Builds the gateway, and what measures it.
    pub(crate) fn build() -> Result<Self> {
        let target =
            program("bench")?.parent().and_then(Path::parent).context("Finding where cargo builds")?.to_owned();
        let released = Self { target };
        // Each by itself: together, features that only the load needs would be built into the gateway.
        released.also(&["gateway"])?;
        released.also(&["bench"])?;
        Ok(released)
    }

    /// Builds a package.
    fn also(&self, package: &[&str]) -> Result<()> {
        process::run(cargo().args(["build", "--release", "-p"]).args(package))
    }

    /// Packs the desk as it was built, for Debian.
    fn package(&self) -> Result<PathBuf> {
        let mut pack = npm();
        pack.args(["exec", "--yes", "--package=@tauri-apps/cli@2", "--", "tauri", "bundle", "--bundles", "deb"]);
        process::run(pack.current_dir(root().join("src-tauri")))?;
        let folder = self.target.join("release/bundle/deb");
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).with_context(|| format!("Looking into {}", folder.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "deb") {
                found.push((path.metadata()?.modified().unwrap_or(SystemTime::UNIX_EPOCH), path));
            }
        }
        let newest = found.into_iter().max();
        Ok(newest.with_context(|| format!("Finding the package in {}", folder.display()))?.1)
    }

    /// What measures, told to do this with the programs and a pack.
    pub(crate) fn bench(&self, verb: &str) -> Command {
        let folder = self.target.join("release");
        let mut command = Command::new(folder.join(format!("shubbak-bench{}", std::env::consts::EXE_SUFFIX)));
        command.arg(verb).arg("--programs").arg(folder);
        command.arg("--pack").arg(root().join("packs/mew.toml"));
        command
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let wants = |figures: &[&str]| {
        let wanted = |figure: &&str| options.only.iter().any(|only| only.eq_ignore_ascii_case(figure));
        options.only.is_empty() || figures.iter().any(wanted)
    };
    let (desk, window, package) = (wants(&["P6", "P8"]), wants(&["D1", "D2", "D3", "D4"]), wants(&["D5"]));
    prerequisites::for_bench(wants(&["P3"]), window || package)?;
    let released = Released::build()?;
    let json = options.json.clone().unwrap_or_else(|| released.target.join("bench.json"));
    let mut command = released.bench("run");
    command.arg("--json").arg(&json);
    if options.quick {
        command.arg("--quick");
    }
    if !options.only.is_empty() {
        command.arg("--only").arg(options.only.join(","));
    }
    if window || package {
        build::interface()?;
    }
    command.arg("--ui").arg(root().join("ui/dist"));
    if desk || window {
        released.also(&["development-host"])?;
    }
    if window || package {
        released.also(&["shubbak", "--bins", "--example", "empty-window"])?;
    }
    if package {
        command.arg("--deb").arg(released.package()?);
    }
    // Always a screen of its own, so that nothing of the person's own stands in the window's way.
    let place = tempfile::tempdir().context("Making a folder")?;
    let display = if window { Some(Display::virtual_one(place.path())?) } else { None };
    if let Some(display) = &display {
        command.envs(&display.surroundings);
    }
    // In a group of its own: what it starts ends with it, also by Ctrl-C.
    let status = Service::start("shubbak-bench", &mut command)?.wait()?;
    if !status.success() {
        bail!("Measuring failed ({status})");
    }
    eprintln!("The figures are in {}, and as a table in {}", json.display(), json.with_extension("md").display());
    Ok(())
}
