//! What a desktop shell would have the system do. Nothing outside of the browser is touched here: what would be opened is
//! told to whoever listens at `/opened`.

use anyhow::bail;
use desk::{api::Notices, surroundings::Surroundings};
use tokio::sync::broadcast;

/// The addresses that would be opened.
pub(crate) struct Outside(pub(crate) broadcast::Sender<String>);

impl Surroundings for Outside {
    fn notices(&self) -> Notices {
        Notices::Unknown
    }

    fn starts(&self) -> Option<bool> {
        None
    }

    fn start(&self, _: bool) -> anyhow::Result<()> {
        bail!("The development host is not started with the system")
    }

    fn open(&self, address: &str) -> anyhow::Result<()> {
        // Nobody listening is no error.
        drop(self.0.send(address.to_owned()));
        Ok(())
    }
}
