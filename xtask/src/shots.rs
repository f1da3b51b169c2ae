//! `cargo xtask shots`: pictures of every screen and state of the interface, searched by axe; or those of the documents,
//! from the real window.

use std::process::Command;

use anyhow::Result;

use crate::{
    build::{self, program, root},
    display::Display,
    prerequisites, process, say,
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Take only the states with this in their name, as listed in ui/fixtures/states.mjs
    part: Option<String>,
    /// Take only these looks and sizes, such as `en-dark`, `1093` or `ar-light.1280`
    #[arg(long = "as", value_name = "LOOK.SIZE", default_value = "")]
    look: String,
    /// Take the pictures of docs/pictures/ from the real window instead
    #[arg(long, conflicts_with_all = ["part", "look"])]
    documents: bool,
}

/// Takes the pictures.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.documents { documents() } else { states(options) }
}

/// Every state, in Arabic and English, light and dark, large and small windows, with contact sheets.
fn states(options: &Options) -> Result<()> {
    prerequisites::for_pictures()?;
    prerequisites::npm_packages("ui")?;
    process::run(
        Command::new("node")
            .arg("fixtures/pictures.mjs")
            .arg("--to")
            .arg(root().join("target/shots"))
            .args(["--as", &options.look])
            .args(&options.part)
            .current_dir(root().join("ui")),
    )
}

/// Plays `tests/shots.mjs` on a virtual screen.
fn documents() -> Result<()> {
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
