//! `cargo xtask check-windows`: whether everything compiles for Windows, found out on Debian.
//!
//! The registry has no standard library for Windows, so it is compiled from its source. Debian has that source, with
//! the compiler it belongs to, in packages that do not go together with rustup: they are unpacked into a folder of
//! their own and never installed. The target folder is one of its own too, so that nothing is built anew for the
//! ordinary build afterwards.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    build::{self, cargo, root},
    prerequisites,
    process::{answer, run},
    say,
};

const TARGET: &str = "x86_64-pc-windows-gnu";
/// Debian's compiler and the source of its standard library.
const COMPILER: [&str; 2] = ["rustc-web", "rust-web-src"];
/// What of its needs is unpacked with it; the rest is on every Debian.
const WITH_IT: [&str; 2] = ["libllvm", "libstd-rust-web"];

/// Checks the whole workspace; a warning is an error, as it is in the tests.
pub(crate) fn check() -> Result<()> {
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("This is done on Debian, whose packages it takes the compiler from");
    }
    prerequisites::for_windows()?;
    // The window has it inside.
    build::interface()?;
    let folder = root().join("target/windows");
    let compiler = compiler(&folder.join("compiler"))?;
    let built = folder.join("built");
    let mut check = cargo();
    check
        .envs([("CARGO_TARGET_DIR", &built), ("CARGO_BUILD_BUILD_DIR", &built), ("RUSTC", &compiler)])
        // Building the standard library is an unstable flag, which this lets a stable compiler take.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["check", "--workspace", "--target", TARGET, "-Zbuild-std=std,panic_unwind"])
        .args(["-Zwarnings", "--config", "build.warnings='deny'"]);
    run(&mut check)
}

/// Unpacks the compiler, if another release of it is there or none; a program that runs it from where it lies.
fn compiler(folder: &Path) -> Result<PathBuf> {
    let wrapper = folder.join("rustc");
    let stamp = folder.join("release");
    let release = answer(Command::new("apt-cache").args(["show", "--no-all-versions", COMPILER[0]]))
        .and_then(|shown| Some(shown.lines().find_map(|line| line.strip_prefix("Version: "))?.to_owned()))
        .context("Finding the compiler among Debian's packages")?;
    if fs::read_to_string(&stamp).is_ok_and(|here| here == release) {
        return Ok(wrapper);
    }
    say!("Unpacking Debian's compiler {release}");
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("Removing an older compiler")?
        }
        _ => fs::create_dir_all(folder).context("Making a place for the compiler")?,
    }
    run(Command::new("apt-get").arg("download").args(packages()?).current_dir(folder))?;
    for file in fs::read_dir(folder)? {
        let file = file?.path();
        run(Command::new("dpkg").arg("-x").arg(&file).arg(folder))?;
        fs::remove_file(&file)?;
    }
    let libraries = ["usr/lib/x86_64-linux-gnu", "usr/lib"].map(|part| folder.join(part));
    let llvm = fs::read_dir(folder.join("usr/lib"))?.filter_map(|entry| Some(entry.ok()?.path().join("lib")));
    let path = env::join_paths(libraries.into_iter().chain(llvm.filter(|path| path.is_dir())))?;
    let program = folder.join("usr/bin/rustc");
    let script =
        format!("#!/bin/sh\nexport LD_LIBRARY_PATH='{}'\nexec '{}' \"$@\"\n", path.display(), program.display());
    fs::write(&wrapper, script)?;
    #[cfg(unix)]
    fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    fs::write(stamp, release).context("Remembering which compiler was unpacked")?;
    Ok(wrapper)
}

/// The compiler's packages, and what of their needs no Debian has by itself.
fn packages() -> Result<Vec<String>> {
    let mut wanted = COMPILER.map(str::to_owned).to_vec();
    let mut at = 0;
    while let Some(package) = wanted.get(at) {
        let needs = answer(Command::new("apt-cache").args(["depends", "--important", package]));
        for need in needs.context("Asking for the compiler's needs")?.lines() {
            let Some(need) = need.trim().strip_prefix("Depends: ") else { continue };
            if WITH_IT.iter().any(|start| need.starts_with(start)) && !wanted.iter().any(|known| known == need) {
                wanted.push(need.to_owned());
            }
        }
        at += 1;
    }
    Ok(wanted)
}
