//! `cargo xtask bench`: builds the gateway as it is released, and measures it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    build::{cargo, program, root},
    process::{self, Service},
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Shortens every measurement: good for seeing that it runs, not for figures
    #[arg(long)]
    quick: bool,
    /// Where the figures go as JSON; target/bench.json if not given
    #[arg(long)]
    json: Option<PathBuf>,
}

/// The gateway as it is released, what measures it, and where cargo puts both; all of them built now.
pub(crate) struct Released {
    target: PathBuf,
}

impl Released {
    /// Builds them.
    pub(crate) fn build() -> Result<Self> {
        // Each by itself: together, features that only the load needs would be built into the gateway.
        for package in ["gateway", "bench"] {
            process::run(cargo().args(["build", "--release", "-p", package]))?;
        }
        let target =
            program("bench")?.parent().and_then(Path::parent).context("Finding where cargo builds")?.to_owned();
        Ok(Self { target })
    }

    /// What measures, told to do this with the gateway and a pack.
    pub(crate) fn bench(&self, verb: &str) -> Command {
        let built = |name: &str| self.target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let mut command = Command::new(built("shubbak-bench"));
        command.arg(verb).arg("--gateway").arg(built("shubbak-gateway"));
        command.arg("--pack").arg(root().join("packs/mew.toml"));
        command
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let released = Released::build()?;
    let json = options.json.clone().unwrap_or_else(|| released.target.join("bench.json"));
    let mut command = released.bench("run");
    command.arg("--json").arg(&json);
    if options.quick {
        command.arg("--quick");
    }
    // In a group of its own: what it starts ends with it, also by Ctrl-C.
    let status = Service::start("shubbak-bench", &mut command)?.wait()?;
    if !status.success() {
        bail!("Measuring failed ({status})");
    }
    eprintln!("The figures are in {}", json.display());
    Ok(())
}
