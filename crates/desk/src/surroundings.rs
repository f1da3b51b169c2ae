//! What the system around the window does for it. The shell lends it; without one, as in a browser, nothing is known and
//! nothing is offered.

use std::sync::Arc;

use anyhow::Context as _;
use reqwest::Url;

use crate::{
    Desk,
    api::{Notices, SystemState},
};

/// What the system does. Its answers may take a moment, so they are asked for on a thread where one may wait.
pub trait Surroundings: Send + Sync {
    /// Whether it shows notifications, as far as it says.
    fn notices(&self) -> Notices;
    /// Whether it starts this program with itself; `None` where it cannot.
    fn starts(&self) -> Option<bool>;
    /// Has it start this program with itself, or not any more.
    fn start(&self, on: bool) -> anyhow::Result<()>;
    /// Has its browser open an address, which begins with `https://` or `http://` and was checked.
    fn open(&self, address: &str) -> anyhow::Result<()>;
}

impl Desk {
    /// Asks the system; with `start`, asks it first to start this program with itself or not.
    pub(crate) async fn system_state(&self, start: Option<bool>) -> anyhow::Result<SystemState> {
        let nothing = SystemState { notifications: Notices::Unknown, starts: None };
        let Some(surroundings) = self.0.surroundings.get().map(Arc::clone) else { return Ok(nothing) };
        let asking = move || {
            if let Some(on) = start {
                surroundings.start(on).context("Telling the system whether to start this program")?;
            }
            Ok(SystemState { notifications: surroundings.notices(), starts: surroundings.starts() })
        };
        tokio::task::spawn_blocking(asking).await.context("Asking the system")?
    }

    /// Has the system's browser open an address.
    pub(crate) async fn open_outside(&self, address: Url) -> anyhow::Result<()> {
        let surroundings = self.0.surroundings.get().map(Arc::clone).context("Nothing here opens links")?;
        let opening = move || surroundings.open(address.as_str());
        tokio::task::spawn_blocking(opening).await.context("Asking the system")?.context("Opening a link")
    }
}
