//! What a developer asks of the workspace. `cargo xtask demo` shows the product, `cargo xtask test` tries all of it.
//!
//! Everything that is started here ends with this program, whether it ends by itself, by Ctrl-C or by SIGTERM
//! (`process`). Messages go to the error stream, so that what `--json` prints stands alone.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod bench;
mod build;
mod demo;
mod display;
mod faults;
mod fuzz;
mod gateway;
mod icons;
mod prerequisites;
mod process;
mod shots;
mod stage;
mod steering;
mod test;
mod window;
mod windows;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Shows the product: citizens' telephones in the browser, and the desk's window. Ctrl-C ends all of it
    Demo(demo::Options),
    /// Tries everything: format, lints, tests, and the whole product in a browser and in its real window
    Test(test::Options),
    /// Measures the gateway as it is released, each figure beside its ceiling
    Bench(bench::Options),
    /// Breaks things on purpose, at full length: crashes, power cuts, disks, what comes in, what goes out
    Faults(faults::Options),
    /// Writes what is generated from other files: TypeScript's side of the desk's commands
    Generate,
    /// Takes pictures of every screen and state, in every look and size, and has axe search them
    Shots(shots::Options),
    /// Checks on Debian that everything compiles for Windows
    CheckWindows,
    /// Renders the icons in every size that the systems want
    Icons,
}

fn main() -> ExitCode {
    let done = process::end_all_when_told().and_then(|()| match Arguments::parse().task {
        Task::Demo(options) => demo::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Faults(options) => faults::run_all(&options),
        Task::Generate => build::generate(),
        Task::Shots(options) => shots::run(&options),
        Task::CheckWindows => windows::check(),
        Task::Icons => icons::run(),
    });
    process::wait_if_told_to_end();
    process::end_all();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nStopped: {error:#}");
            ExitCode::FAILURE
        }
    }
}
