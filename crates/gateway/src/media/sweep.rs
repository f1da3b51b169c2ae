//! Files that somebody uploaded and nobody used go after thirty days.
//!
//! Whether a file is used is asked, and the file deleted, under the head lock: no command can name it in between, since
//! whoever may name it has an upload that is not over yet, and whoever uploads it anew notes that first, under the same
//! lock, and puts the file into the store after that. Rejected: deleting it after the transaction, which could take away
//! what had just been uploaded anew; the price is that an agency's decisions wait for the store, for a moment and for
//! each such file.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use domain::ids::{MediaId, Millis};
use tokio::{runtime::Handle, time::timeout};

use super::Media;
use crate::{
    agency::Agency,
    gateway::{Gateway, stopped},
    uploads,
};

const EVERY: Duration = Duration::from_secs(3600);
/// Files looked at in one round of an agency.
const AT_ONCE: u32 = 1000;
/// For so long decisions wait for the store to delete a file; then it is tried again in the next round.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sweeps until the gateway stops.
pub async fn run(gateway: Arc<Gateway>, media: Arc<Media>) {
    let mut stopping = gateway.stopping.subscribe();
    loop {
        for agency in gateway.agencies.values() {
            if let Err(error) = sweep(&gateway, &media, agency).await {
                tracing::warn!(error = format!("{error:#}"), agency = agency.id, "Sweeping files was broken off");
            }
        }
        tokio::select! {
            () = stopped(&mut stopping) => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn sweep(gateway: &Gateway, media: &Arc<Media>, agency: &Arc<Agency>) -> Result<()> {
    let now = gateway.clock.now();
    let over = agency.read(move |reader| uploads::over(&reader.journal, now, AT_ONCE)).await;
    for one in over.map_err(|_| anyhow::anyhow!("The uploads could not be read"))? {
        let done = let_go(gateway, media, agency, one, Uploads::Over).await;
        done.with_context(|| format!("The file {one} could not be swept"))?;
    }
    Ok(())
}

/// Which uploads of a file do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploads {
    /// Those that are over.
    Over,
    /// None of them counts: it belonged to somebody who was erased.
    Any,
}

/// Deletes a file, unless a case has it, or an upload that counts.
pub async fn let_go(
    gateway: &Gateway,
    media: &Arc<Media>,
    agency: &Arc<Agency>,
    file: MediaId,
    which: Uploads,
) -> Result<()> {
    let (media, id, runtime) = (Arc::clone(media), agency.id.clone(), Handle::current());
    let clock = Arc::clone(&gateway.clock);
    let done = agency
        .change_knowing(move |batch, records| {
            let used = records.is_media_used(file)?;
            let until = match which {
                Uploads::Any if !used => Millis::MAX,
                Uploads::Any | Uploads::Over => clock.now() - uploads::LIFE,
            };
            if !uploads::forget(batch, file, until)? && !used {
                let deleted = runtime.block_on(async { timeout(PATIENCE, media.store.delete(&id, file)).await });
                deleted.context("The store is slow")??;
            }
            Ok(((), None))
        })
        .await;
    done.map_err(|_| anyhow::anyhow!("It was not committed"))
}
