//! `cargo xtask demo`.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    build::{self, root},
    display::{self, Display},
    prerequisites,
    process::{self, Service},
    say,
    stage::{Stage, State, blame},
    steering, window,
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Open no window, and stay up
    #[arg(long)]
    headless: bool,
    /// Open another person's window beside the demonstration that runs: lead, agent1, agent2
    #[arg(long = "as", value_name = "NAME", conflicts_with_all = ["headless", "json"])]
    person: Option<String>,
    /// Print one line of JSON with everything a program needs to join in
    #[arg(long)]
    json: bool,
    /// The folder of the demonstration, made anew each time [default: .demo]
    #[arg(long, value_name = "DIR")]
    storage: Option<PathBuf>,
    /// Use the programs as they were built last, and install nothing
    #[arg(long)]
    built: bool,
    /// Obey lines on standard input (gateway stop, gateway kill, gateway start), and end when it does
    #[arg(long, requires = "headless", requires = "json")]
    steered: bool,
}

/// Runs until Ctrl-C, or until the last window has quit.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.json {
        process::take_stdout();
    }
    let folder = options.storage.clone().unwrap_or_else(|| root().join(".demo"));
    if let Some(username) = &options.person {
        return beside(&folder, username);
    }
    make_room(&folder)?;
    if !options.built {
        prerequisites::for_demo(!options.headless && !display::is_whole())?;
        say!("Building the interface and the programs; the first time this takes some minutes.");
        build::interface()?;
        build::programs()?;
    }
    let mut stage = Stage::set(&folder, options.storage.is_none())?;
    let folder = stage.state.folder.clone();

    let mut shown: Option<(Display, Service)> = None;
    if !options.headless {
        let display = Display::of_this_session(&folder)?;
        stage.state.surroundings = display.surroundings.clone();
        let lead = stage.state.staff.first().context("Finding the lead")?;
        let window = window::open(&folder, lead, &display.surroundings)?;
        shown = Some((display, window));
    }
    stage.announce()?;
    if !options.steered {
        introduce(&stage.state, options.headless);
    }
    if options.json {
        println!("{}", serde_json::to_string(&stage.state)?);
    }
    if options.steered {
        return steering::obey(&mut stage);
    }
    loop {
        thread::sleep(Duration::from_millis(300));
        stage.must_stand()?;
        if let Some((_, window)) = &mut shown
            && let Some(status) = window.ended()?
        {
            if !status.success() {
                bail!(
                    "{}",
                    blame(&folder, &format!("window-{}", stage.state.staff.first().map_or("", |lead| &lead.username)))
                );
            }
            say!("The window was quit: the demonstration ends.");
            return Ok(());
        }
    }
}

/// Opens somebody else's window at a demonstration that runs.
fn beside(folder: &Path, username: &str) -> Result<()> {
    let state = State::read(folder)?;
    let person = state.person(username)?;
    say!("Opening the window of {} ({})", person.name, person.username);
    let status = window::open(&state.folder, person, &state.surroundings)?.wait()?;
    if !status.success() {
        bail!("{}", blame(&state.folder, &format!("window-{username}")));
    }
    Ok(())
}

/// Each demonstration begins empty. One that still runs is left alone.
fn make_room(folder: &Path) -> Result<()> {
    if let Ok(state) = State::read(folder) {
        if !process::runs(state.pids.demo) {
            say!("Ending what a demonstration left behind that was itself killed.");
            return process::end_leftovers(&[state.pids.simulator, state.pids.gateway])
                .and_then(|()| make_room(folder));
        }
        bail!(
            "A demonstration runs already (telephones: {}). End it with Ctrl-C where it was started, or open another window with `cargo xtask demo --as agent1`",
            state.telephones
        );
    }
    if fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none()) {
        return Ok(());
    }
    // Only what a demonstration wrote is removed: a folder that holds anything else is somebody's.
    if !folder.join("gateway.toml").exists() {
        bail!("{} holds something else than a demonstration: name another folder", folder.display());
    }
    say!("Removing the last demonstration in {}: this one begins empty.", folder.display());
    fs::remove_dir_all(folder).with_context(|| format!("Removing {}", folder.display()))
}

fn introduce(state: &State, headless: bool) {
    say!("\n  Telephones of the citizens   {}", state.telephones);
    say!("  Gateway                      {}", state.gateway);
    say!("  Logs and data                {}", state.folder.display());
    for person in &state.staff {
        say!("  {:<28} {} ({}), password: {}", person.username, person.name, person.role, person.password);
    }
    say!("\n  Open the telephones in a browser and write to the ministry as a citizen.");
    if headless {
        say!("  No window was opened. `cargo xtask demo --as lead` opens one.");
    } else {
        say!("  The window of the lead is open. `cargo xtask demo --as agent1` opens another beside it.");
    }
    say!("  Ctrl-C ends everything.\n");
}
