//! Files: received whole before anything is kept of them, named by their content, handed out to whoever may see them.
//!
//! A file on its way in lies in an unlinked file of this machine's own (the spool), however it ends: nobody sees half of
//! it, a broken one leaves nothing, and memory holds only what moves just now. Then it is noted among the `uploads`, goes
//! into the store, and only then counts as there. In this order, whatever is in the store is known to somebody who will
//! sweep it.

pub mod download;
pub mod kind;
pub mod store;
pub mod sweep;
pub mod upload;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result, anyhow};
use domain::ids::MediaId;
use tokio::sync::Semaphore;

use self::store::Store;
use crate::config::{self, Config};

/// Files received at once.
const AT_ONCE: usize = 32;

/// Where files are kept, and how many may come.
pub struct Media {
    /// Where they are kept.
    pub store: Store,
    /// The folder in which a file lies while it comes.
    spool: PathBuf,
    seats: Arc<Semaphore>,
}

impl Media {
    /// What the configuration says; nothing if it says nothing.
    pub fn open(config: &Config) -> Result<Option<Arc<Self>>> {
        let Some(media) = &config.media else { return Ok(None) };
        let store = Store::open(media)?;
        // Beside the read models: on a disk, where a system's own folder for passing things may be memory.
        Ok(Some(Arc::new(Self { store, spool: config.records.clone(), seats: Arc::new(Semaphore::new(AT_ONCE)) })))
    }
}

/// After a restore: deletes the files of people who were erased, unless others have them too, and counts those that an
/// agency uses and that are not where they should be kept.
pub fn settle(media: Option<&config::Media>, agency: &str, used: &[MediaId], erased: &[MediaId]) -> Result<usize> {
    let Some(media) = media else { return Ok(used.len()) };
    let settle = async {
        let store = Store::open(media)?;
        for file in erased.iter().filter(|file| !used.contains(file)) {
            store.delete(agency, *file).await?;
        }
        let kept = store.all(agency).await?;
        Ok(used.iter().filter(|file| !kept.contains(file)).count())
    };
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(settle);
    // On a thread of its own: whoever asks may be within a runtime already.
    let settled: Result<Result<usize>, _> = std::thread::scope(|scope| scope.spawn(run).join());
    settled.map_err(|_| anyhow!("The thread ended early"))?.context("Looking into the media store")
}
