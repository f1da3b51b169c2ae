//! Starting programs, and ending every one of them.
//!
//! What runs beside this program (a gateway, a window, a display) gets a process group of its own: Ctrl-C in the
//! terminal then reaches only this program, which ends the groups in the opposite order of their start. What runs in
//! the foreground (cargo, npm, apt) stays in the terminal's group, because it may ask for a password.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

static GROUPS: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static TOLD_TO_END: AtomicBool = AtomicBool::new(false);
static STDOUT_IS_TAKEN: AtomicBool = AtomicBool::new(false);
const PATIENCE: Duration = Duration::from_secs(5);

/// Says something to the person at the terminal.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { eprintln!($($text)*) };
}

/// From now on standard output belongs to what `--json` prints: programs in the foreground write to the error stream.
pub(crate) fn take_stdout() {
    STDOUT_IS_TAKEN.store(true, Ordering::Relaxed);
}

/// Makes Ctrl-C, SIGTERM and SIGHUP end everything that was started, and then this program.
pub(crate) fn end_all_when_told() -> Result<()> {
    ctrlc::set_handler(|| {
        TOLD_TO_END.store(true, Ordering::Release);
        end_all();
        std::process::exit(130);
    })
    .context("Listening for Ctrl-C")
}

/// If this program was told to end, waits for that: what the rest of it sees fall meanwhile is no failure.
pub(crate) fn wait_if_told_to_end() {
    while TOLD_TO_END.load(Ordering::Acquire) {
        thread::park();
    }
}

/// Ends every program that still runs beside this one, last started first.
pub(crate) fn end_all() {
    end(&GROUPS.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect::<Vec<_>>());
}

/// Ends programs that an earlier run of this one started and could not end.
pub(crate) fn end_leftovers(groups: &[u32]) -> Result<()> {
    end(groups);
    match groups.iter().find(|group| system::runs(**group)) {
        Some(group) => bail!("The process {group} of an earlier demonstration does not end"),
        None => Ok(()),
    }
}

/// Whether a program of this kind runs, by the process that leads its group.
pub(crate) fn runs(pid: u32) -> bool {
    system::process_runs(pid)
}

fn end(groups: &[u32]) {
    let wait = |patience: Duration| {
        let until = Instant::now() + patience;
        while groups.iter().any(|group| system::runs(*group)) && Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
        }
    };
    groups.iter().rev().for_each(|group| system::end(*group));
    wait(PATIENCE);
    groups.iter().rev().for_each(|group| system::kill(*group));
    wait(Duration::from_secs(1));
}

/// A program that runs beside this one. It ends when this value goes.
pub(crate) struct Service {
    name: String,
    child: Child,
}

impl Service {
    /// Starts it in a process group of its own.
    pub(crate) fn start(name: &str, command: &mut Command) -> Result<Self> {
        system::own_group(command);
        let child =
            command.spawn().with_context(|| format!("Starting {name} ({})", command.get_program().display()))?;
        GROUPS.lock().unwrap_or_else(PoisonError::into_inner).push(child.id());
        Ok(Self { name: name.to_owned(), child })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The first line that it writes to its output; what follows is read and dropped, so that it never blocks.
    pub(crate) fn first_line(&mut self) -> Result<String> {
        let output = self.child.stdout.take().with_context(|| format!("Reading what {} says", self.name))?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line).with_context(|| format!("Reading what {} says", self.name))?;
        if line.is_empty() {
            bail!("{} said nothing ({})", self.name, self.child.wait()?);
        }
        thread::spawn(move || io::copy(&mut output, &mut io::sink()));
        Ok(line.trim().to_owned())
    }

    /// Gives it this on its standard input, and ends that.
    pub(crate) fn tell(&mut self, text: &str) -> Result<()> {
        let mut input = self.child.stdin.take().with_context(|| format!("Telling {} something", self.name))?;
        input.write_all(text.as_bytes()).with_context(|| format!("Telling {} something", self.name))
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("Looking after {}", self.name))
    }

    /// Fails if it has ended by itself.
    pub(crate) fn must_run(&mut self) -> Result<()> {
        match self.ended()? {
            Some(status) => bail!("{} ended by itself ({status})", self.name),
            None => Ok(()),
        }
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        self.child.wait().with_context(|| format!("Waiting for {}", self.name))
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) -> Result<()> {
        system::kill(self.child.id());
        self.child.wait().map(drop).with_context(|| format!("Killing {}", self.name))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let group = self.child.id();
        system::end(group);
        let until = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > until {
                system::kill(group);
                let _ = self.child.wait();
            }
            thread::sleep(Duration::from_millis(20));
        }
        // What it started itself and left behind.
        system::kill(group);
        GROUPS.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| *other != group);
    }
}

/// Runs a program in the foreground to its end, and says so.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    say!("  › {line}");
    if STDOUT_IS_TAKEN.load(Ordering::Relaxed) {
        command.stdout(io::stderr());
    }
    let status = command.status().with_context(|| format!("Running {line}"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a program beside this one to its end, shows what it says, and keeps the lines that `keep` chooses; and whether
/// it did well.
pub(crate) fn run_keeping(command: &mut Command, keep: impl Fn(&str) -> bool) -> Result<(Vec<String>, bool)> {
    let line = line(command);
    say!("  › {line}");
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).env("NO_COLOR", "1");
    let mut service = Service::start(&line, command)?;
    // This program's own ends of the pipe have to go, or the reading below would never come to an end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut kept = Vec::new();
    for said in BufReader::new(reader).split(b'\n') {
        let said = said?;
        let said = String::from_utf8_lossy(&said);
        say!("{said}");
        if keep(&said) {
            kept.push(said.trim().to_owned());
        }
    }
    let did_well = service.wait()?.success();
    Ok((kept, did_well))
}

/// What a program says, if it can be run and does well.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(unix)]
mod system {
    use std::{os::unix::process::CommandExt as _, process::Command};

    use nix::{
        sys::{
            signal::{Signal, kill as signal_process, killpg},
            wait::{WaitPidFlag, waitpid},
        },
        unistd::Pid,
    };

    pub(super) fn own_group(command: &mut Command) {
        command.process_group(0);
    }

    fn signal(group: u32, signal: Option<Signal>) -> bool {
        i32::try_from(group).is_ok_and(|group| killpg(Pid::from_raw(group), signal).is_ok())
    }

    pub(super) fn end(group: u32) {
        signal(group, Some(Signal::SIGTERM));
    }

    pub(super) fn kill(group: u32) {
        signal(group, Some(Signal::SIGKILL));
    }

    pub(super) fn runs(group: u32) -> bool {
        // A child that has ended counts as running until somebody asks how it ended.
        if let Ok(leader) = i32::try_from(group) {
            let _ = waitpid(Pid::from_raw(leader), Some(WaitPidFlag::WNOHANG));
        }
        signal(group, None)
    }

    pub(super) fn process_runs(pid: u32) -> bool {
        // One that was killed and whose parent never asked how it ended answers signals all the same.
        let state = super::answer(Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()])).unwrap_or_default();
        !state.starts_with('Z') && i32::try_from(pid).is_ok_and(|pid| signal_process(Pid::from_raw(pid), None).is_ok())
    }
}

#[cfg(windows)]
mod system {
    use std::{
        os::windows::process::CommandExt as _,
        process::{Command, Stdio},
    };

    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

    pub(super) fn own_group(command: &mut Command) {
        command.creation_flags(CREATE_NEW_PROCESS_GROUP);
    }

    /// A program without a window cannot be asked to end on Windows.
    pub(super) fn end(group: u32) {
        kill(group);
    }

    pub(super) fn kill(group: u32) {
        let pid = group.to_string();
        let _ = Command::new("taskkill")
            .args(["/T", "/F", "/PID", &pid])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }

    pub(super) fn runs(_group: u32) -> bool {
        false
    }

    pub(super) fn process_runs(pid: u32) -> bool {
        let filter = format!("PID eq {pid}");
        super::answer(Command::new("tasklist").args(["/NH", "/FI", &filter]))
            .is_some_and(|list| list.contains(&pid.to_string()))
    }
}
