//! `rebuild`: the read models, from nothing, out of the journals. It appends no entry.

use std::{io::ErrorKind, sync::Arc};

use anyhow::{Context, Result};
use domain::ids::{Clock, Ids, Seq};

use crate::{
    agency::{Files, chosen},
    config::Config,
    gateway,
    init::decider,
    journal::Journal,
    keys::ServerKey,
};

/// Builds the read models anew; where each stands then. Refuses while a gateway serves. Broken off, it is gone on with
/// by the next `rebuild` or `serve`.
pub fn rebuild(
    config: &Config,
    agency: Option<&str>,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
) -> Result<Vec<(String, Seq)>> {
    let _lock = gateway::lock(config, false)?;
    let key = Arc::new(ServerKey::read(&config.key_file)?);
    let mut rebuilt = Vec::new();
    for settings in chosen(config, agency)? {
        let files = Files::of(&settings.id, &config.storage, &config.records);
        let journal = Journal::open(&files.journal)?;
        // The files, not only their rows: they may be damaged.
        for end in ["", "-wal", "-shm"] {
            let mut path = files.records.clone().into_os_string();
            path.push(end);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("Deleting {}", path.display()));
                }
                _ => {}
            }
        }
        let mut decider = decider(settings, &files, &key, clock, ids, journal)?;
        decider.bring_up().with_context(|| format!("Building the records of {} anew", settings.id))?;
        rebuilt.push((settings.id.clone(), decider.records().stand()?.seq));
    }
    Ok(rebuilt)
}
