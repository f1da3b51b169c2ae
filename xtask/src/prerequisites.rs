//! What must be on the machine, and how it gets there.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    build::root,
    process::{answer, run},
    say,
};

/// What building and showing the window needs.
const WINDOW: &[&str] = &[
    "build-essential",
    "dbus",
    "fonts-noto-color-emoji",
    "fonts-noto-core",
    "gnome-keyring",
    "libayatana-appindicator3-dev",
    "libdbus-1-dev",
    "librsvg2-dev",
    "libssl-dev",
    "libwebkit2gtk-4.1-dev",
    "pkg-config",
];
/// What a window needs where there is no screen, or no session.
const NO_SCREEN: &[&str] = &["dbus-x11", "dunst", "openbox", "xvfb"];
/// What drives the window, and the interface in a browser.
const DRIVERS: &[&str] = &["chromium", "libglib2.0-bin", "webkit2gtk-driver", "xdotool"];

/// What the gateway's tests and its measurements start servers of their own from. The cluster that Debian may start with it is left alone.
const SERVERS: &[&str] = &["postgresql"];

/// Sees to the packages that a task needs.
pub(crate) fn for_demo(with_session: bool) -> Result<()> {
    node()?;
    packages(&if with_session { [WINDOW, NO_SCREEN].concat() } else { WINDOW.to_vec() })
}

/// Sees to everything that the tests need, beside npm's packages.
pub(crate) fn for_tests() -> Result<()> {
    node()?;
    packages(&[WINDOW, NO_SCREEN, DRIVERS, SERVERS].concat())?;
    s3_server()?;
    nextest()
}

/// Sees to what photographing the interface needs: a browser, and faces for whatever stands in a message.
pub(crate) fn for_pictures() -> Result<()> {
    node()?;
    packages(&["chromium", "fonts-noto-color-emoji", "fonts-noto-core"])
}

/// Sees to what measuring needs: the gateway's, and PostgreSQL and the window where they are measured.
pub(crate) fn for_bench(postgres: bool, window: bool) -> Result<()> {
    packages(&["build-essential", "libssl-dev", "pkg-config"])?;
    if postgres {
        packages(SERVERS)?;
    }
    if window {
        node()?;
        // The browser beside the window is driven by the same protocol as the window.
        packages(&[WINDOW, NO_SCREEN, DRIVERS, &["chromium-driver"]].concat())?;
    }
    Ok(())
}

/// Sees to what the tests without a window need.
pub(crate) fn for_faults() -> Result<()> {
    packages(&["build-essential", "libssl-dev", "pkg-config"])?;
    nextest()
}

/// Sees to what checking for Windows needs: C is compiled for it too.
pub(crate) fn for_windows() -> Result<()> {
    node()?;
    packages(&["build-essential", "gcc-mingw-w64-x86-64", "libssl-dev", "pkg-config"])
}

/// A folder among the user's caches, for what is had once and serves every copy of the sources.
pub(crate) fn cache(name: &str) -> Result<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(env::home_dir()?.join(".cache"))).context("Finding the user's caches")?;
    Ok(cache.join("shubbak").join(name))
}

fn nextest() -> Result<()> {
    if answer(Command::new("cargo").args(["nextest", "--version"])).is_none() {
        say!("Installing cargo-nextest from the registry; this is built from source once and takes some minutes.");
        run(Command::new("cargo").args(["install", "cargo-nextest", "--locked"]))?;
    }
    Ok(())
}

/// The stand-in for S3 that the gateway's tests start, from PyPI.
fn s3_server() -> Result<()> {
    let wanted = root().join("crates/gateway/tests/s3-server.txt");
    let text = fs::read(&wanted).context("Reading what the stand-in for S3 consists of")?;
    let folder = cache("s3-server")?;
    let stamp = folder.join(".installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == text) {
        return Ok(());
    }
    say!("Installing a stand-in for S3 from PyPI into {}", folder.display());
    if answer(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_none() {
        packages(&["python3", "python3-venv"])?;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
        .context("Making a place for it: Python 3 and its venv are needed")?;
    run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", "--no-deps", "--requirement"]).arg(&wanted))?;
    fs::write(stamp, text).context("Remembering what pip installed")
}

/// npm, by the name that the system knows it by.
pub(crate) fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

/// Installs the packages of a folder with a `package.json`, unless what is there is what its lock names.
pub(crate) fn npm_packages(folder: &str) -> Result<()> {
    let folder = root().join(folder);
    let stamp = folder.join("node_modules/.shubbak-installed");
    let lock = fs::read(folder.join("package-lock.json")).context("Reading package-lock.json")?;
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    run(npm().args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    fs::write(stamp, lock).context("Remembering what npm installed")
}

fn node() -> Result<()> {
    let version = answer(Command::new("node").arg("--version"));
    let major =
        version.as_deref().and_then(|text| text.trim().strip_prefix('v')?.split('.').next()?.parse::<u32>().ok());
    match major {
        Some(major) if major >= 20 => {}
        Some(_) => bail!("Node 20 or newer is needed, and {} is here", version.unwrap_or_default().trim()),
        None => bail!("Node 20 or newer is needed: https://nodejs.org"),
    }
    if answer(npm().arg("--version")).is_none() {
        bail!("npm is needed; it comes with Node, and on Debian as the package npm");
    }
    Ok(())
}

/// Installs what is missing of these Debian packages. Elsewhere they are the reader's affair, and README names them.
fn packages(wanted: &[&str]) -> Result<()> {
    if !Path::new("/usr/bin/apt-get").exists() {
        return Ok(());
    }
    let missing: Vec<&str> = wanted.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    say!("Installing {} Debian packages that are missing: {}", missing.len(), missing.join(" "));
    run(&mut apt(&["update", "-q"])?).context("Asking for Debian's lists of packages")?;
    run(apt(&["install", "-y", "-q", "--no-install-recommends"])?.args(&missing)).context("Installing Debian packages")
}

fn is_installed(package: &str) -> bool {
    answer(Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status} ", package]))
        .is_some_and(|states| states.split_whitespace().any(|state| state == "installed"))
}

fn apt(arguments: &[&str]) -> Result<Command> {
    let is_root = answer(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    let mut command = if is_root {
        Command::new("env")
    } else if answer(Command::new("sudo").arg("--version")).is_some() {
        let mut command = Command::new("sudo");
        command.arg("env");
        command
    } else {
        bail!("Debian packages are missing, and there is no sudo to install them with");
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments);
    Ok(command)
}
