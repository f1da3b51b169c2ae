//! The real window, opened as somebody.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Result;

use crate::{
    build::program,
    display::Surroundings,
    process::Service,
    stage::{Person, log},
};

/// Opens somebody's window, with a data folder of its own, beside whatever other windows there are.
pub(crate) fn open(folder: &Path, person: &Person, surroundings: &Surroundings) -> Result<Service> {
    let data = folder.join("desks").join(&person.username);
    Service::start(
        &format!("{}'s window", person.username),
        Command::new(program("shubbak")?)
            .arg("--data")
            .arg(data)
            .arg("--sign-in-from")
            .arg(&person.sign_in)
            .envs(surroundings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log(folder, &format!("window-{}", person.username))?),
    )
}
