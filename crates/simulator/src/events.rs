//! What changed, told to whoever has the telephone page open: names only, the page asks for the rest.

use std::{convert::Infallible, sync::Arc};

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{Simulator, statuses};

/// The name for a change of the state.
pub(crate) const STATE: &str = "state";

/// A bounded channel of names; who falls behind is told that everything changed.
pub(crate) struct Events(broadcast::Sender<Arc<str>>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(256))
    }
}

impl Events {
    /// Tells that `what` changed; nobody need be listening.
    pub(crate) fn tell(&self, what: &str) {
        let _ = self.0.send(what.into());
    }
}

/// The chat that one page has open; it closes when the page's stream ends.
struct Open {
    simulator: Arc<Simulator>,
    telephone: Option<String>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(id) = &self.telephone else { return };
        if let Ok(telephone) = self.simulator.world().telephone_mut(id) {
            telephone.opened = telephone.opened.saturating_sub(1);
        }
    }
}

/// The stream of one page.
pub(crate) fn stream(
    simulator: Arc<Simulator>,
    telephone: Option<String>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = simulator.events.0.subscribe();
    let telephone = telephone.filter(|id| match simulator.world().telephone_mut(id) {
        Ok(telephone) => {
            telephone.opened += 1;
            true
        }
        Err(_) => false,
    });
    let open = Open { simulator: simulator.clone(), telephone };
    if let Some(id) = &open.telephone {
        statuses::read(&simulator, id);
    }
    // The first event says that the stream is there, and that anything may have changed before.
    let stream = stream::unfold((changes, open, true), |(mut changes, open, first)| async move {
        let what: Arc<str> = if first {
            "*".into()
        } else {
            tokio::select! {
                () = open.simulator.stopped() => return None,
                change = changes.recv() => match change {
                    Ok(what) => what,
                    Err(RecvError::Lagged(_)) => "*".into(),
                    Err(RecvError::Closed) => return None,
                },
            }
        };
        Some((Ok(Event::default().data(what)), (changes, open, false)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
