//! `restore`: a backup becomes the storage again.
//!
//! What was sent and received after the backup is not in it. So each journal gets a new id (every desk starts afresh);
//! what WhatsApp had not accepted yet may have gone out since and becomes *uncertain*; and sending is held until a person
//! has looked and releases it.
//!
//! Everything is done in files beside the storage's own places, in a folder that no agency can be called. Files are then
//! moved, the server's key last, without which no gateway serves; into PostgreSQL they are copied in one transaction. So
//! a restore that breaks off leaves nothing half usable.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use data_encoding::HEXLOWER;
use domain::{
    command::SystemAsk,
    ids::{Clock, Ids, MediaId, Seq},
};
use serde::Serialize;
use tokio::sync::oneshot;

use crate::{
    agency::{Files, chosen},
    backup::{self, DELIVERIES, FORM, Head, JOURNAL, LEDGER, MANIFEST, Manifest},
    config::{self, Config},
    decider::Job,
    deliveries, erasure, gateway,
    home::{self, Place, Server, Storage},
    init::{decider, make_private},
    journal::{self, Journal},
    keys::{self, ServerKey},
    ledger::{Erased, Ledger},
    media, verify,
};

const STAGING: &str = ".restoring";
const JOURNALS: &str = "journals";
const LOCK: &str = "serving.lock";
/// Messages made uncertain in one transaction.
const AT_ONCE: usize = 256;

/// An agency that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Its short name.
    pub agency: String,
    /// The journal's new id.
    pub journal: String,
    /// The backup's last entry.
    pub seq: Seq,
    /// How many messages became uncertain.
    pub uncertain: usize,
    /// How many of the files that its cases have are not in the media store; absent if that could not be asked.
    pub missing_media: Option<usize>,
}

/// Where journals are restored before they are moved into their places.
fn staging(config: &Config) -> PathBuf {
    match &config.storage {
        Storage::Sqlite(folder) => folder.join(STAGING),
        Storage::Postgres(_) => config.records.join(STAGING),
    }
}

/// Whether a restore broke off that has left something where a gateway would look for it.
pub fn broke_off(config: &Config) -> bool {
    matches!(config.storage, Storage::Sqlite(_)) && staging(config).exists()
}

/// Takes a backup into the storage of a configuration, which must be empty.
pub fn restore(config: &Config, from: &Path, clock: &Arc<dyn Clock>, ids: &Arc<dyn Ids>) -> Result<Vec<Restored>> {
    let manifest = read(config, from)?;
    let (staging, folder) = match &config.storage {
        Storage::Sqlite(folder) => (staging(config), folder),
        Storage::Postgres(_) => (staging(config), &config.records),
    };
    make_private(folder)?;
    let _lock = gateway::lock(config, true)?;
    if matches!(config.storage, Storage::Postgres(_)) && staging.exists() {
        // Of one that broke off: nothing of it is in the database.
        fs::remove_dir_all(&staging).with_context(|| format!("Removing {}", staging.display()))?;
    }
    must_be_empty(config, &manifest)?;
    let journals = staging.join(JOURNALS);
    let erased = erased(config, from, &manifest)?;
    let restored = restore_beside(config, from, &manifest, &staging, clock, ids, &erased).and_then(|restored| {
        if let Storage::Postgres(server) = &config.storage {
            // The key first: with it alone nothing can go wrong, and everything else comes at once.
            bring_key(&journals, config)?;
            copy_in(&manifest, &journals, config, server)?;
        }
        Ok(restored)
    });
    if restored.is_err() {
        // Nothing was moved yet: the storage is left as empty as it was.
        let _ = fs::remove_dir_all(&staging);
    }
    let restored = restored?;
    if let Storage::Sqlite(folder) = &config.storage {
        let into_place = |name: &str| {
            let to = folder.join(name);
            fs::rename(journals.join(name), &to).with_context(|| format!("Moving to {}", to.display()))
        };
        manifest.heads.iter().try_for_each(|head| into_place(&head.agency))?;
        into_place(DELIVERIES)?;
        backup::sync_folder(folder)?;
        bring_key(&journals, config)?;
    }
    fs::remove_dir_all(&staging).with_context(|| format!("Removing {}", staging.display()))?;
    backup::sync_folder(folder)?;
    Ok(restored)
}

/// Whoever stands in the ledger: in the one that this installation has, in the backup's own (it may come from another
/// installation), and in the configured file (another home's). From now on all of them stand in the first.
fn erased(config: &Config, from: &Path, manifest: &Manifest) -> Result<Vec<Erased>> {
    let mut more = Ledger::File(config.erasure_ledger.clone()).read()?;
    if manifest.files.iter().any(|kept| kept.name == LEDGER) {
        more.extend(Ledger::File(from.join(LEDGER)).read()?);
    }
    Ledger::open(config)?.with(more)
}

fn must_be_empty(config: &Config, manifest: &Manifest) -> Result<()> {
    let taken = match &config.storage {
        Storage::Sqlite(folder) => holds_but_the_lock(folder)?,
        Storage::Postgres(_) => {
            let journals = manifest.heads.iter().map(|head| config.storage.journal(&head.agency));
            let places: Vec<_> = journals.chain([config.storage.deliveries()]).collect();
            home::is_there(&places)?
        }
    };
    ensure!(!taken, "{} is not empty: a restore replaces nothing", config.storage);
    Ok(())
}

/// Brings the server's key to its place, unless it is there already.
fn bring_key(journals: &Path, config: &Config) -> Result<()> {
    let (from, to) = (journals.join(keys::FILE), &config.key_file);
    let doing = || format!("Bringing the server's key to {}", to.display());
    if to.exists() {
        ensure!(ServerKey::read(to)?.mark() == ServerKey::read(&from)?.mark(), "{}: another one is there", doing());
        return Ok(());
    }
    let folder = to.parent().context("It has no folder").with_context(doing)?;
    make_private(folder)?;
    let part = to.with_extension("part");
    backup::copy(&from, &part)?;
    fs::rename(&part, to).with_context(doing)?;
    backup::sync_folder(folder)
}

/// Copies what was restored in files into PostgreSQL, all of it or nothing.
fn copy_in(manifest: &Manifest, journals: &Path, config: &Config, server: &Arc<Server>) -> Result<()> {
    let files = manifest.heads.iter().map(|head| {
        let file = journals.join(&head.agency).join(JOURNAL);
        (file, config.storage.journal(&head.agency), journal::SCHEMA)
    });
    let deliveries = journals.join(DELIVERIES);
    // As this version has it.
    deliveries::make(&Place::from(&deliveries))?;
    let files: Vec<_> = files.chain([(deliveries, config.storage.deliveries(), deliveries::SCHEMA)]).collect();
    home::copy_in(&files, server)
}

/// Restores every journal in a folder beside the storage's own places.
fn restore_beside(
    config: &Config,
    from: &Path,
    manifest: &Manifest,
    staging: &Path,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
    ledger: &[Erased],
) -> Result<Vec<Restored>> {
    let (journals, records) = (staging.join(JOURNALS), staging.join("records"));
    make_private(&journals)?;
    backup::copy(&from.join(DELIVERIES), &journals.join(DELIVERIES))?;
    backup::copy(&from.join(keys::FILE), &journals.join(keys::FILE))?;
    let key = Arc::new(ServerKey::read(&journals.join(keys::FILE))?);
    let storage = Storage::Sqlite(journals.clone());
    let mut restored = Vec::new();
    for head in &manifest.heads {
        let settings = chosen(config, Some(&head.agency))?.pop().context("The agency is gone")?;
        let folder = journals.join(&head.agency);
        make_private(&folder)?;
        backup::copy(&from.join(&head.agency).join(JOURNAL), &folder.join(JOURNAL))?;
        let doing = || format!("Restoring the journal of {}", head.agency);
        let files = Files::of(&head.agency, &storage, &records);
        let erased = ledger.iter().filter(|erased| erased.agency == head.agency).collect::<Vec<_>>();
        let (renewed, used) = renew(settings, head, &files, &key, clock, ids, &erased).with_context(doing)?;
        erase_again(&head.agency, &files, &storage.deliveries(), &key, &erased).with_context(doing)?;
        let gone: Vec<MediaId> = erased.iter().flat_map(|erased| erased.traces.media.iter().copied()).collect();
        let missing = media::settle(config.media.as_ref(), &head.agency, &used, &gone);
        let missing = missing
            .inspect_err(|error| tracing::error!(error = format!("{error:#}"), "Files could not be held against it"));
        restored.push(Restored { missing_media: missing.ok(), ..renewed });
    }
    Ok(restored)
}

/// Lets sending go on; for which agencies it was held. A gateway that serves takes notice within seconds.
pub fn release_sending(config: &Config, agency: Option<&str>) -> Result<Vec<String>> {
    let mut released = Vec::new();
    for settings in chosen(config, agency)? {
        let mut journal = Journal::open(&config.storage.journal(&settings.id))?;
        let mut batch = journal.begin()?;
        if batch.release_sending()? {
            released.push(settings.id.clone());
        }
        batch.commit()?;
    }
    ensure!(!released.is_empty(), "Sending is not held");
    Ok(released)
}

/// Reads a backup's manifest, and holds its files against it.
fn read(config: &Config, from: &Path) -> Result<Manifest> {
    let path = from.join(MANIFEST);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("Reading {}: without it, this is no finished backup", path.display()))?;
    let manifest: Manifest = serde_json::from_str(&text).with_context(|| format!("Reading {}", path.display()))?;
    ensure!(manifest.form == FORM, "The backup has the form {}, and this version knows {FORM}", manifest.form);
    // Names come from the configuration: what a manifest says never becomes a path.
    for head in &manifest.heads {
        chosen(config, Some(&head.agency)).context("The backup has an agency that the configuration does not have")?;
    }
    let ledger = manifest.files.iter().find(|kept| kept.name == LEDGER).map(|kept| kept.name.clone());
    let names = backup::names(manifest.heads.iter().map(|head| head.agency.as_str()));
    for name in names.into_iter().chain(ledger) {
        let kept = manifest.files.iter().find(|kept| kept.name == name);
        let kept = kept.with_context(|| format!("The manifest does not name {name}"))?;
        ensure!(backup::sha256(&from.join(&name))? == kept.sha256, "{name} is not the file that was backed up");
    }
    Ok(manifest)
}

/// A new id, held sending, and doubt about what waited. The files that its cases have are returned too.
fn renew(
    settings: &config::Agency,
    head: &Head,
    files: &Files,
    key: &Arc<ServerKey>,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
    erased: &[&Erased],
) -> Result<(Restored, Vec<MediaId>)> {
    match verify::journal(files.journal.clone(), &[])? {
        Err(flaw) => return Err(flaw).context("The backup's journal is not as it was written"),
        Ok(found) if found.seq != head.seq || HEXLOWER.encode(&found.chain) != head.chain => {
            bail!("The journal's head is not the one in the manifest");
        }
        Ok(_) => {}
    }
    let mut journal = Journal::open(&files.journal)?;
    let mut batch = journal.begin()?;
    batch.rename(ids.next(clock.now()));
    batch.hold_sending(clock.now())?;
    batch.commit()?;
    let mut decider = decider(settings, files, key, clock, ids, journal)?;
    decider.bring_up()?;
    for Erased { contacts, reason, .. } in erased {
        for contact in contacts {
            let ask = SystemAsk::EraseAgain { contact: *contact, reason: reason.clone() };
            gateway::decide_now(&mut decider, ask)?.context("A person could not be erased again")?;
        }
    }
    let messages = decider.records().not_accepted()?;
    for some in messages.chunks(AT_ONCE) {
        let doubt =
            |message: &_| Job::System { ask: SystemAsk::Doubt { message: *message }, done: oneshot::channel().0 };
        decider.batch(some.iter().map(doubt).collect())?;
    }
    ensure!(decider.records().not_accepted()?.is_empty(), "Not every message could be made uncertain");
    let journal = decider.records().stand()?.journal;
    let (agency, uncertain) = (head.agency.clone(), messages.len());
    let used = decider.records().media_used()?;
    Ok((Restored { agency, journal, seq: head.seq, uncertain, missing_media: None }, used))
}

/// Takes whoever was erased since the backup out of it everywhere else.
fn erase_again(agency: &str, files: &Files, deliveries: &Place, key: &ServerKey, erased: &[&Erased]) -> Result<()> {
    let erasing = journal::Reader::open(files.journal.clone())?.erasing()?;
    for traces in erased.iter().map(|erased| &erased.traces).chain(erasing.iter().map(|(_, traces)| traces)) {
        erasure::in_deliveries(deliveries, key, agency, traces)?;
    }
    if erasing.is_empty() {
        return Ok(());
    }
    let mut journal = Journal::open(&files.journal)?;
    let batch = journal.begin()?;
    // Their files are the gateway's affair, once it serves.
    let mut ended = erasing.iter().filter(|(_, traces)| traces.media.is_empty());
    ended.try_for_each(|(seq, _)| batch.erased(*seq))?;
    batch.commit()?;
    let home = journal::home(&files.journal)?;
    erasure::gone(home.scrub(journal::TOUCHED))
}

/// Whether there is something in a folder beside the lock.
fn holds_but_the_lock(folder: &Path) -> Result<bool> {
    let doing = || format!("Reading the folder {}", folder.display());
    for entry in fs::read_dir(folder).with_context(doing)? {
        let name = entry.with_context(doing)?.file_name();
        if name != LOCK {
            return Ok(true);
        }
    }
    Ok(false)
}
