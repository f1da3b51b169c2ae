//! `backup`: copies of the deliveries, then of the journals, each as of one moment, while the gateway serves.
//!
//! The form is the same whatever the home: files of SQLite and a manifest. So a backup also goes from one home into the
//! other.
//!
//! In that order: a delivery that arrives in between is missing among the deliveries and may stand in the journal, which
//! loses nothing; the other way round it could be settled in the one and missing in the other. Read models are not
//! copied. The server's key is, since `seen` and the one-time codes hang on it; the key that signs heads is not. The
//! manifest is written last: a folder without it is no backup.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use data_encoding::HEXLOWER;
use domain::ids::{Clock, Millis, Seq};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    config::Config,
    deliveries, home,
    init::make_private,
    journal::{self, Reader},
    keys,
    ledger::Ledger,
};

/// The manifest's file.
pub const MANIFEST: &str = "manifest.json";
/// The form of a backup that this version writes and reads.
pub const FORM: u32 = 1;

/// What a backup consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its form.
    pub form: u32,
    /// When it was begun.
    pub at: Millis,
    /// Each agency's head.
    pub heads: Vec<Head>,
    /// Its files.
    pub files: Vec<Kept>,
}

/// Where an agency's journal stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Whose.
    pub agency: String,
    /// The journal's id.
    pub journal: String,
    /// The last entry's place.
    pub seq: Seq,
    /// The chain after it, in hex.
    pub chain: String,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name within the backup, with `/`.
    pub name: String,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

/// The file of a journal in a backup, in a folder for each agency.
pub const JOURNAL: &str = "journal.db";
/// The file of the deliveries in a backup.
pub const DELIVERIES: &str = "deliveries.db";

/// The ledger of erasures in a backup; absent where nobody was erased.
pub const LEDGER: &str = "erasures.jsonl";

/// The files that every backup has, by the agencies in it.
pub fn names<'a>(agencies: impl Iterator<Item = &'a str>) -> Vec<String> {
    let journals = agencies.map(|agency| format!("{agency}/{JOURNAL}"));
    [DELIVERIES.to_owned(), keys::FILE.to_owned()].into_iter().chain(journals).collect()
}

/// Copies everything into an empty folder.
pub fn backup(config: &Config, to: &Path, clock: &Arc<dyn Clock>) -> Result<Manifest> {
    make_private(to)?;
    ensure!(is_empty(to)?, "{} is not empty: a backup goes into a folder of its own", to.display());
    let at = clock.now();
    home::copy_out(&config.storage.deliveries(), deliveries::SCHEMA, &to.join(DELIVERIES))?;
    copy(&config.key_file, &to.join(keys::FILE))?;
    let mut heads = Vec::new();
    for settings in &config.agencies {
        let from = config.storage.journal(&settings.id);
        let folder = to.join(&settings.id);
        make_private(&folder)?;
        let copied = folder.join(JOURNAL);
        home::copy_out(&from, journal::SCHEMA, &copied)
            .with_context(|| format!("Copying the journal of {}", settings.id))?;
        let head = Reader::open(&copied)?.head()?;
        let chain = HEXLOWER.encode(&head.chain);
        heads.push(Head { agency: settings.id.clone(), journal: head.journal, seq: head.seq, chain });
        sync_folder(&folder)?;
    }
    // Last: whoever is erased meanwhile is in the copies, or in this, or in both.
    let erased = Ledger::open(config)?.read()?;
    let ledger = (!erased.is_empty()).then(|| LEDGER.to_owned());
    Ledger::File(to.join(LEDGER)).with(erased)?;
    let mut files = Vec::new();
    for name in names(config.agencies.iter().map(|settings| settings.id.as_str())).into_iter().chain(ledger) {
        files.push(Kept { sha256: sha256(&to.join(&name))?, name });
    }
    let manifest = Manifest { form: FORM, at, heads, files };
    let part = to.join("manifest.part");
    let text = serde_json::to_vec_pretty(&manifest).context("Writing the manifest")?;
    let write = || {
        let mut file = File::create(&part)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&part, to.join(MANIFEST))
    };
    write().with_context(|| format!("Writing the manifest in {}", to.display()))?;
    sync_folder(to)?;
    Ok(manifest)
}

/// Whether nothing stands in a folder.
pub fn is_empty(folder: &Path) -> Result<bool> {
    let mut entries = std::fs::read_dir(folder).with_context(|| format!("Reading the folder {}", folder.display()))?;
    Ok(entries.next().is_none())
}

/// Copies a file that nobody writes to, down to the disk.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let doing = || format!("Copying {} to {}", from.display(), to.display());
    std::fs::copy(from, to).with_context(doing)?;
    File::open(to).and_then(|file| file.sync_all()).with_context(doing)
}

/// The SHA-256 of a file, in hex.
pub fn sha256(path: &Path) -> Result<String> {
    let doing = || format!("Reading {}", path.display());
    let mut file = File::open(path).with_context(doing)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer).with_context(doing)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hash.update(bytes);
    }
    Ok(HEXLOWER.encode(&hash.finalize()))
}

/// Brings a folder's list of files to the disk, where the system knows how.
pub fn sync_folder(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("Bringing {} to the disk", folder.display()))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
