//! `cargo xtask shots`: the pictures of the documents, from the real window.

use std::process::Command;

use anyhow::Result;

use crate::{
    build::{self, program, root},
    display::Display,
    prerequisites, process, say,
};

/// Plays `tests/shots.mjs` on a virtual screen.
pub(crate) fn run() -> Result<()> {
    prerequisites::for_tests()?;
    build::interface()?;
    build::programs()?;
    prerequisites::npm_packages("tests")?;
    let display = Display::virtual_one(&root().join("tests/output"))?;
    let pictures = root().join("docs/pictures");
    process::run(
        Command::new("node")
            .arg("shots.mjs")
            .arg(&pictures)
            .current_dir(root().join("tests"))
            .envs(&display.surroundings)
            .env("SHUBBAK_XTASK", program("xtask")?)
            .env("SHUBBAK_PROGRAMS", program("shubbak")?.with_file_name("")),
    )?;
    say!("Written to {}", pictures.display());
    Ok(())
}
