//! The fuzz targets of `fuzz/`: whatever comes from outside, read for so many seconds each, all at once.

use std::{env, path::PathBuf, process::Command, thread};

use anyhow::{Context as _, Result, bail};

use crate::{
    build::{cargo, program},
    process::{answer, run, run_keeping},
    say,
};

const TARGETS: [&str; 3] = ["webhook", "frame", "command"];
/// The release of cargo-fuzz that is known to work with this compiler.
const CARGO_FUZZ: &str = "0.13.1";

/// Where cargo builds; what is built here outlives a run like everything else there.
fn target() -> Result<PathBuf> {
    program("xtask")?.parent().and_then(|debug| debug.parent()).map(Into::into).context("Finding where cargo builds")
}

/// Fuzzes each target for so long; what libFuzzer said at its end, and whether nothing was found.
pub(crate) fn fuzz(seconds: u32) -> Result<(Vec<String>, bool)> {
    if !cfg!(target_os = "linux") {
        say!("Fuzzing is done on Linux alone");
        return Ok((Vec::new(), true));
    }
    let target = target()?;
    let tools = target.join("tools");
    let version = answer(Command::new(tools.join("bin/cargo-fuzz")).arg("--version"));
    if version.is_none_or(|version| version.trim() != format!("cargo-fuzz {CARGO_FUZZ}")) {
        run(cargo().args(["install", "cargo-fuzz", "--version", CARGO_FUZZ, "--locked", "--root"]).arg(&tools))?;
    }
    let with_tools = env::join_paths(
        [tools.join("bin")].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
    )
    .context("Naming where cargo-fuzz is")?;
    let fuzz = |word: &str| {
        let mut command = cargo();
        // The instrumentation is asked for by unstable flags, which this lets a stable compiler take.
        command.env("PATH", &with_tools).env("RUSTC_BOOTSTRAP", "1").env("CARGO_INCREMENTAL", "0");
        command.args(["fuzz", word, "-s", "none", "--target-dir"]).arg(target.join("fuzz"));
        command
    };
    run(&mut fuzz("build"))?;
    let mut runs = Vec::new();
    for name in TARGETS {
        let corpus = target.join("fuzz/corpus").join(name);
        std::fs::create_dir_all(&corpus).with_context(|| format!("Making {}", corpus.display()))?;
        let mut command = fuzz("run");
        command.arg(name).arg(corpus).arg(format!("fuzz/seeds/{name}"));
        command.args(["--", "-print_final_stats=0", "-rss_limit_mb=1024"]);
        command.arg(format!("-max_total_time={seconds}"));
        runs.push((name, thread::spawn(move || run_keeping(&mut command, |line| line.starts_with("Done ")))));
    }
    let (mut counts, mut well) = (Vec::new(), true);
    for (name, run) in runs {
        let Ok(done) = run.join() else { bail!("Fuzzing {name} broke off") };
        let (lines, held) = done?;
        counts.extend(lines.into_iter().map(|line| format!("{name}: {line}")));
        well &= held;
    }
    Ok((counts, well))
}
