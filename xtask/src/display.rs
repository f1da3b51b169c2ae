//! Where a window can be shown: the person's own screen and session; or, where there is none, a virtual screen with a
//! session bus, a keychain, a window manager and a notification daemon of its own.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    process::{Service, answer},
    say,
    stage::{blame, log},
};

/// Larger than the window, so that a notification does not cover its controls.
const SCREEN: &str = "1600x1000x24";
const PATIENCE: Duration = Duration::from_secs(15);

/// Variables with which a window has to be started.
pub(crate) type Surroundings = BTreeMap<String, String>;

/// Programs that hold up a screen or a session.
#[derive(Default)]
pub(crate) struct Display {
    /// Variables with which a window has to be started.
    pub(crate) surroundings: Surroundings,
    /// What holds it up, in the order of their start.
    held_by: Vec<Service>,
    run_time: Option<PathBuf>,
}

/// Whether a window finds here all that it needs: a screen, and a session with a keychain.
pub(crate) fn is_whole() -> bool {
    !is_missing() && (!cfg!(target_os = "linux") || has_keychain())
}

/// Whether this is a Linux without a screen.
fn is_missing() -> bool {
    let has = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "linux") && !has("DISPLAY") && !has("WAYLAND_DISPLAY")
}

/// Whether this session has a bus, and on it a keychain that secrets can be put into.
fn has_keychain() -> bool {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let socket = set("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("bus"));
    // Asked without a bus, dbus-send would start one that nobody ends.
    if set("DBUS_SESSION_BUS_ADDRESS").is_none() && !socket.is_some_and(|socket| socket.exists()) {
        return false;
    }
    let mut ask = Command::new("dbus-send");
    ask.args(["--session", "--print-reply=literal", "--reply-timeout=5000", "--dest=org.freedesktop.secrets"]);
    ask.args(["/org/freedesktop/secrets", "org.freedesktop.Secret.Service.ReadAlias", "string:default"]);
    answer(&mut ask).is_some_and(|keyring| keyring.trim() != "/")
}

impl Display {
    /// The person's own screen, or a virtual one; and a session with a keychain that answers.
    pub(crate) fn of_this_session(folder: &Path) -> Result<Self> {
        if is_missing() {
            say!("There is no screen here: the window is shown on a virtual one (Xvfb).");
            return Self::virtual_one(folder);
        }
        let mut display = Self::default();
        if !is_whole() {
            say!(
                "This session has no keychain (Secret Service) to put secrets into: the window gets a private session with one."
            );
            display.start_session(&folder.join("session"))?;
        }
        Ok(display)
    }

    /// A virtual screen with everything that belongs to it.
    pub(crate) fn virtual_one(folder: &Path) -> Result<Self> {
        let mut display = Self::default();
        let folder = folder.join("session");
        // Sockets must have short paths, so the run-time folder cannot stand in a deep one.
        let run_time = env::temp_dir().join(format!("shubbak-session-{}", std::process::id()));
        for folder in [&folder, &run_time] {
            private_folder(folder)?;
        }
        let mut screen = Command::new("Xvfb");
        screen.args(["-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp"]);
        let number = display.hold("the virtual screen", &mut screen, &folder, "screen", None)?;
        for (name, value) in [
            ("DISPLAY", format!(":{number}")),
            ("WAYLAND_DISPLAY", String::new()),
            ("GDK_BACKEND", "x11".to_owned()),
            ("LIBGL_ALWAYS_SOFTWARE", "1".to_owned()),
            ("NO_AT_BRIDGE", "1".to_owned()),
            ("XDG_RUNTIME_DIR", run_time.display().to_string()),
        ] {
            display.surroundings.insert(name.to_owned(), value);
        }
        display.run_time = Some(run_time);
        display.start_session(&folder)?;
        display.hold_quiet("the window manager", &mut Command::new("openbox"), &folder, "openbox", None)?;
        Ok(display)
    }

    /// A session bus with a keychain and a notification daemon.
    fn start_session(&mut self, folder: &Path) -> Result<()> {
        private_folder(folder)?;
        for (name, part) in [("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache")] {
            let path = folder.join(part);
            private_folder(&path)?;
            self.surroundings.insert(name.to_owned(), path.display().to_string());
        }
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address"]);
        let address = self.hold("the session bus", &mut bus, folder, "bus", None)?;
        self.surroundings.insert("DBUS_SESSION_BUS_ADDRESS".to_owned(), address);

        let mut keychain = Command::new("gnome-keyring-daemon");
        keychain.args(["--foreground", "--unlock", "--components=secrets"]);
        self.hold_quiet("the keychain", &mut keychain, folder, "keychain", Some("a keychain of the demonstration"))?;
        self.hold_quiet("the notification daemon", &mut Command::new("dunst"), folder, "dunst", None)?;
        let until = Instant::now() + PATIENCE;
        while !self.has("org.freedesktop.secrets") || !self.has("org.freedesktop.Notifications") {
            if Instant::now() > until {
                bail!("The private session did not come up; its logs are in {}", folder.display());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Starts a program of the session; gives the first line that it writes.
    fn hold(
        &mut self,
        name: &str,
        command: &mut Command,
        folder: &Path,
        log_name: &str,
        input: Option<&str>,
    ) -> Result<String> {
        let mut service = self.start(name, command.stdout(Stdio::piped()), folder, log_name, input)?;
        let line = service.first_line().with_context(|| blame(folder, log_name))?;
        self.held_by.push(service);
        Ok(line)
    }

    /// Starts a program of the session that has nothing to say.
    fn hold_quiet(
        &mut self,
        name: &str,
        command: &mut Command,
        folder: &Path,
        log_name: &str,
        input: Option<&str>,
    ) -> Result<()> {
        let service = self.start(name, command.stdout(Stdio::null()), folder, log_name, input)?;
        self.held_by.push(service);
        Ok(())
    }

    fn start(
        &self,
        name: &str,
        command: &mut Command,
        folder: &Path,
        log_name: &str,
        input: Option<&str>,
    ) -> Result<Service> {
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut service = Service::start(name, command.stderr(log(folder, log_name)?).envs(&self.surroundings))?;
        if let Some(input) = input {
            service.tell(input)?;
        }
        Ok(service)
    }

    /// Whether a name has an owner on the session bus.
    fn has(&self, name: &str) -> bool {
        let mut ask = Command::new("dbus-send");
        ask.args([
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/",
            "org.freedesktop.DBus.NameHasOwner",
        ]);
        answer(ask.arg(format!("string:{name}")).envs(&self.surroundings)).is_some_and(|said| said.contains("true"))
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        while self.held_by.pop().is_some() {}
        if let Some(folder) = &self.run_time {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn private_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("Making {}", path.display()))?;
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}
