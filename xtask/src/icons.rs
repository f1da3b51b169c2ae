//! Renders `icons/*.svg`. The results are committed: this runs when a drawing changes.
//!
//! The packaging tool's own renderer makes `.ico` and `.icns` as Windows and macOS want them, from npm and without
//! anything of the system.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use crate::{build::root, prerequisites::npm, process, say};

/// The sizes that Linux looks for.
const SIZES: &str = "16,32,64,128,256,512";

/// Renders everything into `icons/rendered`.
pub(crate) fn run() -> Result<()> {
    let scratch = root().join("target/icons");
    let (all, sizes, tray) = (scratch.join("all"), scratch.join("sizes"), scratch.join("tray"));
    render("shubbak.svg", &all, &[])?;
    render("shubbak.svg", &sizes, &["--png", SIZES])?;
    render("tray-waiting.svg", &tray, &["--png", "64"])?;

    let rendered = root().join("icons/rendered");
    fs::create_dir_all(&rendered)?;
    for size in SIZES.split(',') {
        let name = format!("{size}x{size}.png");
        copy(&sizes.join(&name), &rendered.join(&name))?;
    }
    for name in ["icon.ico", "icon.icns"] {
        copy(&all.join(name), &rendered.join(name))?;
    }
    copy(&tray.join("64x64.png"), &rendered.join("tray-waiting.png"))?;
    say!("Written to {}", rendered.display());
    Ok(())
}

fn render(drawing: &str, into: &Path, more: &[&str]) -> Result<()> {
    let mut command = npm();
    command.args(["exec", "--yes", "--package=@tauri-apps/cli@2", "--", "tauri", "icon"]);
    process::run(command.arg(root().join("icons").join(drawing)).arg("--output").arg(into).args(more))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).with_context(|| format!("Copying {} to {}", from.display(), to.display()))
}
