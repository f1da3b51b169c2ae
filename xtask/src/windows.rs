//! `cargo xtask check-windows`: whether everything compiles for Windows, found out on Debian.
//!
//! The registry has no standard library for Windows, so it is compiled from its source. Debian has that source, with
//! the compiler it belongs to, in packages that do not go together with rustup: they are unpacked into a folder of
//! their own and never installed, its linter with it. The target folder is one of its own too, so that nothing is built
//! anew for the ordinary build afterwards; both lie among the user's caches, so that only the first run is long.

use std::{env, fs, path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{
    build::{self, cargo},
    prerequisites,
    process::{answer, run},
    say,
};

const TARGET: &str = "x86_64-pc-windows-gnu";
/// Debian's compiler, the source of its standard library, and its linter.
const COMPILER: [&str; 3] = ["rustc-web", "rust-web-src", "rust-web-clippy"];
/// What of its needs is unpacked with it; the rest is on every Debian.
const WITH_IT: [&str; 2] = ["libllvm", "libstd-rust-web"];

/// Checks and lints the whole workspace; a warning is an error, as it is in the tests.
pub(crate) fn check() -> Result<()> {
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("This is done on Debian, whose packages it takes the compiler from");
    }
    prerequisites::for_windows()?;
    // The window has it inside.
    build::interface()?;
    let folder = prerequisites::cache("windows")?;
    let compiler = folder.join("compiler");
    unpack(&compiler)?;
    let (built, openssl) = (folder.join("built"), folder.join("openssl"));
    stand_in_for_openssl(&openssl)?;
    let mut check = cargo();
    check
        .env("X86_64_PC_WINDOWS_GNU_OPENSSL_NO_VENDOR", "1")
        .env("X86_64_PC_WINDOWS_GNU_OPENSSL_DIR", &openssl)
        .envs([("CARGO_TARGET_DIR", &built), ("CARGO_BUILD_BUILD_DIR", &built)])
        .envs([("RUSTC", compiler.join("rustc")), ("RUSTC_WORKSPACE_WRAPPER", compiler.join("clippy-driver"))])
        // Building the standard library is an unstable flag, which this lets a stable compiler take.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["check", "--workspace", "--target", TARGET, "-Zbuild-std=std,panic_unwind"])
        .args(["-Zwarnings", "--config", "build.warnings='deny'"]);
    run(&mut check)
}

/// On Windows the desk has OpenSSL inside, and to compile that takes longer than all the rest. Nothing is linked here:
/// Debian's headers do, beside libraries with nothing in them.
fn stand_in_for_openssl(folder: &Path) -> Result<()> {
    let (headers, libraries) = (folder.join("include"), folder.join("lib"));
    if libraries.exists() {
        return Ok(());
    }
    fs::create_dir_all(&headers).context("Making a place for OpenSSL's headers")?;
    for from in ["/usr/include/openssl", "/usr/include/x86_64-linux-gnu/openssl"] {
        run(Command::new("cp").arg("-rL").arg(from).arg(&headers))?;
    }
    let empty = folder.join("empty");
    fs::create_dir_all(&empty)?;
    for name in ["libssl.a", "libcrypto.a"] {
        fs::write(empty.join(name), "!<arch>\n")?;
    }
    fs::rename(empty, libraries).context("Making libraries with nothing in them")
}

/// Unpacks the compiler, if another release of it is there or none, and makes programs that run it from where it lies.
fn unpack(folder: &Path) -> Result<()> {
    let stamp = folder.join("release");
    let release = answer(Command::new("apt-cache").args(["show", "--no-all-versions", COMPILER[0]]))
        .and_then(|shown| Some(shown.lines().find_map(|line| line.strip_prefix("Version: "))?.to_owned()))
        .context("Finding the compiler among Debian's packages")?;
    if fs::read_to_string(&stamp).is_ok_and(|here| here == release) {
        return Ok(());
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
    for name in ["rustc", "clippy-driver"] {
        let program = folder.join("usr/bin").join(name);
        let script =
            format!("#!/bin/sh\nexport LD_LIBRARY_PATH='{}'\nexec '{}' \"$@\"\n", path.display(), program.display());
        let wrapper = folder.join(name);
        fs::write(&wrapper, script)?;
        #[cfg(unix)]
        fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    }
    fs::write(stamp, release).context("Remembering which compiler was unpacked")
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
