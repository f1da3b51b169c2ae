//! Building the product. Every call of cargo names the whole workspace, with one profile: the same features for
//! everybody, so that nothing is built twice in different ways.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::SystemTime,
};

use anyhow::{Context as _, Result};

use crate::{
    prerequisites::{npm, npm_packages},
    process::{answer, run},
};

/// The workspace's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// cargo, in the workspace.
///
/// `cargo run` says in variables which package it runs, and some build scripts (ring's) are run anew when those change:
/// with them, everything would be built once for this program and once for a person at the terminal.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root());
    for (name, _) in env::vars_os() {
        let of_a_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "CARGO_PRIMARY_"];
        if name.to_str().is_some_and(|name| of_a_package.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    command
}

/// A program of the workspace as it was built.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    static TARGET: OnceLock<Option<PathBuf>> = OnceLock::new();
    let target = TARGET.get_or_init(|| {
        let metadata = answer(cargo().args(["metadata", "--no-deps", "--offline", "--format-version", "1"]))?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata).ok()?;
        Some(metadata.get("target_directory")?.as_str()?.into())
    });
    let target = target.as_ref().context("Asking cargo where it builds")?;
    Ok(target.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// Builds the interface, which the window has inside it: only if something is newer than what was built last, because
/// the window is compiled anew with it.
pub(crate) fn interface() -> Result<()> {
    npm_packages("ui")?;
    let sources =
        ["icons", "locales", "ui/index.html", "ui/package-lock.json", "ui/public", "ui/src", "ui/vite.config.ts"];
    let newest = sources.iter().filter_map(|path| newest(&root().join(path))).max();
    let built = fs::metadata(root().join("ui/dist/index.html")).and_then(|built| built.modified()).ok();
    if built >= newest {
        return Ok(());
    }
    run(npm().args(["run", "--silent", "build"]).current_dir(root().join("ui")))
}

/// When a file, or the newest one in a folder, was last written.
fn newest(path: &Path) -> Option<SystemTime> {
    let own = fs::metadata(path).and_then(|own| own.modified()).ok()?;
    let inner = fs::read_dir(path).into_iter().flatten().filter_map(|entry| newest(&entry.ok()?.path()));
    inner.chain([own]).max()
}

/// Builds every program.
pub(crate) fn programs() -> Result<()> {
    // Windows locks a program that runs, and this one does.
    let but: &[&str] = if cfg!(windows) { &["--exclude", "xtask"] } else { &[] };
    run(cargo().args(["build", "--workspace"]).args(but))
}

/// Writes TypeScript's side of the desk's commands.
pub(crate) fn generate() -> Result<()> {
    run(cargo().args(["test", "--workspace", "--lib", "typescript_agrees", "-q"]).env("SHUBBAK_GENERATE", "1"))
}
