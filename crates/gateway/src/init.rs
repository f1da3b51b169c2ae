//! `init` and `staff code`: what has to be there before the first person can sign in.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use domain::{
    command::{Code, SystemAsk},
    ids::{Clock, CommandId, Ids, StaffId},
    pack::Pack,
};
use serde::Serialize;

use crate::{
    agency::Files,
    config::{Agency, Config},
    decider::{CODE_LIFE, Decider, Job},
    deliveries, gateway,
    heads::SigningKey,
    home::{Place, Storage},
    journal::Journal,
    keys::ServerKey,
    restore,
};

/// What the first account signs in with.
const ADMIN: &str = "admin";
const ADMIN_NAME: &str = "مسؤول النظام";

/// A new account and its one-time code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Admin {
    /// Where.
    pub agency: String,
    /// What it signs in with.
    pub username: String,
    /// Lives 72 hours, and for one use.
    pub code: String,
}

/// What `init` made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// An account for each agency that had none.
    pub admins: Vec<Admin>,
}

/// Reads a pack, with what is wrong in words.
pub fn read_pack(path: &Path) -> Result<Pack> {
    let content = std::fs::read_to_string(path).with_context(|| format!("Reading the pack {}", path.display()))?;
    Pack::read(&content).with_context(|| format!("Reading the pack {}", path.display()))
}

/// Creates the storage, and each agency's journal and first account, where they are absent.
pub fn init(config: &Config, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Result<Made> {
    if let Storage::Sqlite(folder) = &config.storage {
        make_private(folder)?;
    }
    make_private(&config.records)?;
    ensure!(!restore::broke_off(config), "A restore broke off here: empty the storage folder and restore again");
    let place = config.storage.deliveries();
    // Another process of this installation may have made everything: then there is a key, and no other will do.
    let key = Arc::new(match deliveries::make(&place)? {
        true => ServerKey::read(&config.key_file).context("This storage is in use with a key: bring it here")?,
        false => {
            config.key_file.parent().map_or(Ok(()), make_private)?;
            ServerKey::read_or_make(&config.key_file)?
        }
    });
    drop(deliveries::open(&place, &key)?);
    let key_made = config.server.signing_key_file.as_deref().map(SigningKey::make).transpose()?.unwrap_or(false);
    let mut admins = Vec::new();
    for settings in &config.agencies {
        let doing = || format!("Setting up the agency {}", settings.id);
        admins.extend(agency(config, settings, &key, &clock, &ids).with_context(doing)?);
    }
    if admins.is_empty() && !key_made {
        bail!("Nothing is missing: every agency has its first account. For a new one-time code: staff code {ADMIN}");
    }
    Ok(Made { admins })
}

/// A new one-time code for an account.
pub fn staff_code(
    config: &Config,
    agency: Option<&str>,
    username: &str,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
) -> Result<Admin> {
    let settings = match (agency, config.agencies.as_slice()) {
        (None, [only]) => only,
        (None, _) => bail!("There are several agencies: name one with --agency"),
        (Some(id), agencies) => {
            agencies.iter().find(|agency| agency.id == id).with_context(|| format!("There is no agency {id}"))?
        }
    };
    let files = Files::of(&settings.id, &config.storage, &config.records);
    let key = Arc::new(ServerKey::read(&config.key_file)?);
    // The gateway may be running: its records are read, and the code is given under the head lock.
    let mut decider = decider(settings, &files, &key, clock, ids, Journal::open(&files.journal)?)?;
    decider.bring_up()?;
    let found = decider.records().staff_by_username(username)?;
    let staff = found.with_context(|| format!("{} has no account {username}", settings.id))?.viewer.staff;
    give_code(&mut decider, settings, username, staff, &key, clock, ids)
}

fn agency(
    config: &Config,
    settings: &Agency,
    key: &Arc<ServerKey>,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
) -> Result<Option<Admin>> {
    let files = Files::of(&settings.id, &config.storage, &config.records);
    if let Place::Sqlite(file) = &files.journal {
        file.parent().map_or(Ok(()), make_private)?;
    }
    let journal = Journal::make(&files.journal, ids.next(clock.now()))?;
    let mut decider = decider(settings, &files, key, clock, ids, journal)?;
    gateway::configure(&mut decider, settings)?;
    let staff = StaffId(ids.next(clock.now()));
    let ask = SystemAsk::AddFirstStaff { staff, username: ADMIN.to_owned(), name: ADMIN_NAME.to_owned() };
    match gateway::decide_now(&mut decider, ask)? {
        Ok(_) => {}
        Err(refusal) if refusal.code == Code::Taken => return Ok(None),
        Err(refusal) => return Err(refusal).context("Adding the first account"),
    }
    give_code(&mut decider, settings, ADMIN, staff, key, clock, ids).map(Some)
}

pub(crate) fn decider(
    settings: &Agency,
    files: &Files,
    key: &Arc<ServerKey>,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
    journal: Journal,
) -> Result<Decider> {
    let records = files.open_records()?;
    Ok(Decider::new(&settings.id, journal, records, Arc::clone(key), Arc::clone(clock), Arc::clone(ids)))
}

fn give_code(
    decider: &mut Decider,
    settings: &Agency,
    username: &str,
    staff: StaffId,
    key: &ServerKey,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
) -> Result<Admin> {
    let now = clock.now();
    let command = CommandId(ids.next(now));
    let aside = Job::Aside(Box::new(move |batch, _| {
        batch.give_code(staff, command, now + CODE_LIFE)?;
        Ok(Box::new(|| None))
    }));
    decider.batch(vec![aside]).context("Giving a one-time code")?;
    Ok(Admin { agency: settings.id.clone(), username: username.to_owned(), code: key.code(&settings.id, command) })
}

/// Makes a folder that its owner alone may open.
pub(crate) fn make_private(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| format!("Making {}", folder.display()))
}
