//! `cargo xtask test`: one command for everything that has to hold.
//!
//! The interface is built first, because the window has it inside; then everything of Rust at once, so that the tests
//! of the whole product find their programs and nothing is built in two ways. A step that fails does not keep the
//! others from running, unless they need it. What the runners counted stands at the end.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{
    build::{self, cargo, program, root},
    display::Display,
    fuzz,
    prerequisites::{self, npm, npm_packages},
    process::{self, run_keeping},
    say,
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run one step alone, and what it needs
    #[arg(long, value_name = "STEP", value_enum)]
    only: Option<Step>,
    /// Seconds for each fuzz target; 60 where CI=true, else 5
    #[arg(long)]
    fuzz_seconds: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Step {
    /// rustfmt
    Format,
    /// svelte-check, ESLint, Stylelint, Vitest, and axe on every state of the interface
    Interface,
    /// Builds everything
    Build,
    /// Clippy without warnings, code and tests
    Clippy,
    /// The tests of every crate
    Nextest,
    /// The examples in the documentation
    Doc,
    /// Whatever comes from outside, against a fuzzer
    Fuzz,
    /// The whole product, in a browser
    Browser,
    /// The whole product, in its real window
    Window,
}

const STEPS: [Step; 9] = [
    Step::Format,
    Step::Interface,
    Step::Build,
    Step::Clippy,
    Step::Nextest,
    Step::Doc,
    Step::Fuzz,
    Step::Browser,
    Step::Window,
];

/// What a step left for the end: what was counted, and the names of what failed.
struct Outcome {
    name: String,
    took: Duration,
    counts: Vec<String>,
    failed: Option<String>,
}

/// Runs the steps.
pub(crate) fn run(options: &Options) -> Result<()> {
    prerequisites::for_tests()?;
    let needs_build = |step| matches!(step, Step::Nextest | Step::Browser | Step::Window | Step::Clippy | Step::Doc);
    let mut outcomes: Vec<Outcome> = Vec::new();
    for step in STEPS {
        let wanted = match options.only {
            None => true,
            Some(only) => step == only || (step == Step::Build && needs_build(only)),
        };
        if wanted {
            outcomes.push(attempt(step, options));
        }
        let built = !outcomes.iter().any(|outcome| outcome.name == name(Step::Build) && outcome.failed.is_some());
        if step == Step::Build && !built {
            break;
        }
    }
    report(&outcomes)
}

fn attempt(step: Step, options: &Options) -> Outcome {
    say!("\n── {} ──", name(step));
    let begun = Instant::now();
    let done = perform(step, options);
    let took = begun.elapsed();
    let (counts, failed) = match done {
        Ok((counts, true)) => (counts, None),
        Ok((counts, false)) => (counts, Some("the runner found failures, above".to_owned())),
        Err(error) => (Vec::new(), Some(format!("{error:#}"))),
    };
    match &failed {
        None => say!("── {}: {:.1} s", name(step), took.as_secs_f32()),
        Some(why) => say!("── {}: FAILED after {:.1} s: {why}", name(step), took.as_secs_f32()),
    }
    Outcome { name: name(step), took, counts, failed }
}

fn perform(step: Step, options: &Options) -> Result<(Vec<String>, bool)> {
    let nothing_counted = |()| (Vec::new(), true);
    match step {
        Step::Format => process::run(cargo().args(["fmt", "--all", "--check"])).map(nothing_counted),
        Step::Interface => interface(),
        Step::Build => {
            build::interface()?;
            if matches!(options.only, Some(Step::Browser | Step::Window)) {
                return build::programs().map(nothing_counted);
            }
            process::run(cargo().args(["build", "--workspace", "--all-targets"])).map(nothing_counted)
        }
        Step::Clippy => process::run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
            .map(nothing_counted),
        Step::Nextest => run_keeping(cargo().args(["nextest", "run", "--workspace", "--no-fail-fast"]), |line| {
            ["Summary [", "FAIL [", "TIMEOUT [", "SIGABRT [", "SIGSEGV ["]
                .iter()
                .any(|one| line.trim_start().starts_with(one))
        }),
        Step::Doc => run_keeping(cargo().args(["test", "--doc", "--workspace", "--quiet"]), |line| {
            line.starts_with("test result") && !line.contains(" 0 passed; 0 failed")
        }),
        Step::Fuzz => {
            let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            fuzz::fuzz(options.fuzz_seconds.unwrap_or(if in_ci { 60 } else { 5 }))
        }
        Step::Browser => end_to_end("browser", Command::new("node")),
        Step::Window => {
            let folder = root().join("tests/output");
            let display = Display::virtual_one(&folder)?;
            let mut node = Command::new("node");
            node.envs(&display.surroundings);
            end_to_end("window", node)
        }
    }
}

fn interface() -> Result<(Vec<String>, bool)> {
    npm_packages("ui")?;
    for script in ["check", "lint", "stylelint"] {
        process::run(npm().args(["run", "--silent", script]).current_dir(root().join("ui")))?;
    }
    let mut counted = run_keeping(npm().args(["run", "--silent", "test"]).current_dir(root().join("ui")), |line| {
        let line = line.trim_start();
        line.starts_with("Tests ") || line.starts_with("Test Files ")
    })?;
    let searched = run_keeping(npm().args(["run", "--silent", "axe"]).current_dir(root().join("ui")), |line| {
        line.ends_with(" findings")
    })?;
    counted.0.extend(searched.0);
    Ok((counted.0, counted.1 && searched.1))
}

/// The tests of a folder of `tests/`, one file after the other: they share the machine's two cores with a browser.
fn end_to_end(folder: &str, mut node: Command) -> Result<(Vec<String>, bool)> {
    npm_packages("tests")?;
    node.args(["--test", "--test-reporter=spec", "--test-concurrency=1", "--test-timeout=240000"]);
    let mut files: Vec<_> = std::fs::read_dir(root().join("tests").join(folder))?
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|file| file.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    if files.is_empty() {
        bail!("There are no tests in tests/{folder}");
    }
    node.args(files).current_dir(root().join("tests"));
    // The programs were built by the step before: the stage takes them as they are.
    node.env("SHUBBAK_XTASK", program("xtask")?).env("SHUBBAK_PROGRAMS", program("shubbak")?.with_file_name(""));
    run_keeping(&mut node, |line| {
        ["ℹ tests ", "ℹ pass ", "ℹ fail ", "ℹ skipped ", "✖ "].iter().any(|one| line.starts_with(one))
    })
}

fn name(step: Step) -> String {
    clap::ValueEnum::to_possible_value(&step).map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn report(outcomes: &[Outcome]) -> Result<()> {
    say!("\n════ What was run ════");
    for outcome in outcomes {
        let how = if outcome.failed.is_some() { "FAILED" } else { "ok" };
        say!("{:<10} {how:<7} {:>6.1} s", outcome.name, outcome.took.as_secs_f32());
    }
    say!("\n════ What the runners counted, and what failed ════");
    for outcome in outcomes {
        for count in &outcome.counts {
            say!("{:<10} {count}", outcome.name);
        }
    }
    let failed: Vec<&str> = outcomes.iter().filter(|one| one.failed.is_some()).map(|one| one.name.as_str()).collect();
    if !failed.is_empty() {
        bail!("These steps failed: {}", failed.join(", "));
    }
    Ok(())
}
