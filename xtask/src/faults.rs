//! `cargo xtask faults`: the tests that break something on purpose, at full length.
//!
//! But for the soak they are the same tests that run shortened with all the others; `SHUBBAK_FAULTS` tells them how much. Each says what it
//! did in a line of its own, and what chance decided comes of a seed that it prints, so that a failure can be repeated.

use std::{fs, path::PathBuf, process::Command, time::Instant};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    bench::Released,
    build::{cargo, program},
    prerequisites,
    process::{run, run_keeping},
    say,
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// One fault alone; all of them if absent
    name: Option<String>,
    /// As often as for a release: some take hours
    #[arg(long)]
    long: bool,
    /// Repeats what chance decided in an earlier run
    #[arg(long)]
    seed: Option<u64>,
    /// How long the soak takes, which is done by its name or with --long
    #[arg(long, default_value_t = 60)]
    minutes: usize,
    /// Where the outcome goes as JSON; target/faults.json if not given
    #[arg(long)]
    json: Option<PathBuf>,
}

/// A fault: its name, what is done, and the test that does it.
struct Fault(&'static str, &'static str, &'static str);

const FAULTS: &[Fault] = &[
    Fault(
        "several",
        "two gateways on one PostgreSQL, one killed every few seconds",
        "several_killed::nothing_is_lost_and_nothing_sent_twice_and_every_desk_converges",
    ),
    Fault(
        "homes",
        "any sequence, decided on SQLite and on PostgreSQL beside each other",
        "alike::both_homes_answer_alike_and_hold_the_same",
    ),
    Fault("kill", "kill -9 of the gateway under load", "crash::what_was_answered_200_is_in_the_journal_exactly_once"),
    Fault("power-cut", "the power goes under load", "power::what_was_answered_for_survives_it"),
    Fault("power-cut-unsynced", "the same without syncs, which must lose", "power::without_its_syncs_it_would_not"),
    Fault(
        "intake-steps",
        "kill -9 between every two writes of intake",
        "steps::a_delivery_is_taken_in_exactly_once_wherever_the_program_dies",
    ),
    Fault(
        "sending-steps",
        "kill -9 between every two writes of sending",
        "steps::a_reply_is_posted_at_most_once_wherever_the_program_dies",
    ),
    Fault(
        "upgrade",
        "kill -9 between every two writes of an upgrade",
        "upgrade::an_older_storage_is_brought_up_whole_wherever_the_program_dies",
    ),
    Fault("disk-full", "no room on the disk", "disk::a_full_disk_is_answered_503_and_it_goes_on_once_there_is_room"),
    Fault(
        "fsync",
        "fsync fails",
        "disk::the_first_fsync_that_fails_ends_the_gateway_and_nothing_is_answered_200_after_it",
    ),
    Fault("rot", "one bit of a file flips", "rot::nothing_is_served_that_nobody_wrote_and_verify_finds_it"),
    Fault(
        "disorder",
        "webhooks come one to five times, shuffled",
        "disorder::nothing_is_doubled_and_no_tick_goes_back",
    ),
    Fault("unknown", "bodies that were changed somewhere", "unknown::whatever_comes_is_kept_and_shown_or_set_aside"),
    Fault(
        "outbound",
        "a Graph API that fails in every way",
        "outbound::nothing_goes_out_twice_and_what_went_out_is_known",
    ),
    Fault(
        "clocks",
        "clocks that jump by up to 400 days",
        "clocks::whatever_the_clocks_say_the_order_holds_and_work_goes_on",
    ),
    Fault(
        "sockets",
        "10,000 live connections, and one more",
        "many::as_many_desks_as_are_allowed_cost_little_and_one_more_is_told_so",
    ),
    Fault(
        "slow-readers",
        "some among 1,000 desks do not read",
        "many::who_does_not_read_is_sent_away_and_nobody_else_notices",
    ),
    Fault(
        "rot-desk",
        "one bit of the desk's files flips",
        "rot::a_bit_that_flips_is_found_before_a_row_is_served_and_the_rest_is_saved",
    ),
    Fault(
        "rot-desk-log",
        "one bit flips in what a killed desk had not folded in",
        "rot::a_bit_that_flips_in_what_a_killed_program_left_is_put_right",
    ),
    Fault(
        "desk-steps",
        "kill -9 of the desk between every two writes of outbox and sync",
        "desk_steps::nothing_is_lost_and_nothing_sent_twice_wherever_the_desk_dies",
    ),
    Fault(
        "partition",
        "the network between desk and gateway breaks",
        "partition::both_sides_come_to_the_same_and_the_outbox_goes_once",
    ),
];

/// The one that is no test: it takes the gateway as it is released, and an hour or so.
const SOAK: (&str, &str) = ("soak", "320 webhooks a second and 50 desks, for long");

/// What came of one.
#[derive(Serialize)]
struct Outcome {
    name: &'static str,
    what: &'static str,
    held: bool,
    seconds: f64,
    seeds: Vec<String>,
    counts: Map<String, Value>,
}

/// Runs them.
pub(crate) fn run_all(options: &Options) -> Result<()> {
    let wanted: Vec<&Fault> =
        FAULTS.iter().filter(|fault| options.name.as_deref().is_none_or(|name| name == fault.0)).collect();
    let soaks = options.name.as_deref().map_or(options.long, |name| name == SOAK.0);
    if wanted.is_empty() && !soaks {
        let names: Vec<_> = FAULTS.iter().map(|fault| fault.0).chain([SOAK.0]).collect();
        bail!("There is no fault of this name; there are {}", names.join(", "));
    }
    if !wanted.is_empty() {
        prerequisites::for_faults()?;
        // The programs too: a test may not name the crate of one that it starts.
        run(cargo().args(["build"]))?;
        run(cargo().args(["nextest", "run", "--no-run"]))?;
    }
    let length = if options.long { "long" } else { "full" };
    let mut outcomes =
        wanted.into_iter().map(|fault| inject(fault, length, options.seed)).collect::<Result<Vec<_>>>()?;
    if soaks {
        let mut bench = Released::build()?.bench("soak");
        bench.args(["--minutes", &options.minutes.to_string()]);
        outcomes.push(outcome_of(SOAK.0, SOAK.1, &mut bench)?);
    }
    report(&outcomes);
    let json = match &options.json {
        Some(json) => json.clone(),
        None => program("xtask")?.with_file_name("").join("../faults.json"),
    };
    let written = serde_json::json!({"length": length, "faults": outcomes});
    fs::write(&json, serde_json::to_vec_pretty(&written)?).with_context(|| format!("Writing {}", json.display()))?;
    say!("\nThe same as JSON: {}", json.display());
    let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.held).map(|outcome| outcome.name).collect();
    if !failed.is_empty() {
        bail!("These did not hold: {}", failed.join(", "));
    }
    Ok(())
}

fn inject(fault: &Fault, length: &str, seed: Option<u64>) -> Result<Outcome> {
    let Fault(name, what, test) = fault;
    let mut nextest = cargo();
    nextest.args(["nextest", "run", "--profile", "faults", "--no-capture", "-E", &format!("test(={test})")]);
    nextest.env("SHUBBAK_FAULTS", length);
    if let Some(seed) = seed {
        nextest.env("SHUBBAK_SEED", seed.to_string());
    }
    outcome_of(name, what, &mut nextest)
}

/// Runs the program that injects a fault, and reads what it says of it.
fn outcome_of(name: &'static str, what: &'static str, command: &mut Command) -> Result<Outcome> {
    say!("\n── {name}: {what} ──");
    let began = Instant::now();
    let (lines, held) = run_keeping(command, |line| line.starts_with("COUNTED ") || line.starts_with("SHUBBAK_SEED="))?;
    let (mut seeds, mut counts) = (vec![], Map::new());
    for line in lines {
        if let Some(seed) = line.strip_prefix("SHUBBAK_SEED=") {
            seeds.push(seed.to_owned());
        } else if let Some(counted) = line.strip_prefix("COUNTED ") {
            counts.extend(serde_json::from_str::<Map<_, _>>(counted).context("Reading what a test counted")?);
        }
    }
    Ok(Outcome { name, what, held, seconds: began.elapsed().as_secs_f64(), seeds, counts })
}

fn report(outcomes: &[Outcome]) {
    say!("\n════ Faults ════");
    for Outcome { name, what, held, seconds, counts, .. } in outcomes {
        let counts: Vec<_> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let how = if *held { "held" } else { "FAILED" };
        say!("{name:<20} {how:<7} {seconds:>7.1} s  {what}\n{:29}{}", "", counts.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_names_a_test_that_is_there() {
        let folders = ["crates/gateway/tests/gateway", "crates/development-host/tests/host", "crates/desk/tests/desk"]
            .map(|folder| crate::build::root().join(folder));
        for Fault(name, _, test) in FAULTS {
            let (module, function) = test.split_once("::").unwrap();
            let there = folders.iter().any(|folder| {
                fs::read_to_string(folder.join(format!("{module}.rs")))
                    .is_ok_and(|text| text.contains(&format!("fn {function}()")))
            });
            assert!(there, "{name}: there is no test {test}");
        }
    }
}
