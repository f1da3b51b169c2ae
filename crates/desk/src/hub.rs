//! What everything in the desk shares: clock, ids, and the ways out to the window, the tray and the notifications.

use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::{Clock, ConversationId, Ids};
use tokio::sync::{broadcast, watch};

use crate::{
    api::{Language, Showing, Signal},
    notify::Notification,
};

/// So many signals wait for a slow listener; one who falls behind is told that everything changed.
const BOUND: usize = 256;

/// The ways out.
pub(crate) struct Hub {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) signals: broadcast::Sender<Signal>,
    pub(crate) notifications: broadcast::Sender<Notification>,
    pub(crate) unread: watch::Sender<u32>,
    before_eyes: Mutex<BeforeEyes>,
}

#[derive(Debug, Clone, Copy)]
struct BeforeEyes {
    conversation: Option<ConversationId>,
    focused: bool,
    language: Language,
}

impl Hub {
    pub(crate) fn new(clock: Arc<dyn Clock>, ids: Arc<dyn Ids>, language: Language) -> Self {
        Self {
            clock,
            ids,
            signals: broadcast::Sender::new(BOUND),
            notifications: broadcast::Sender::new(BOUND),
            unread: watch::Sender::new(0),
            before_eyes: Mutex::new(BeforeEyes { conversation: None, focused: false, language }),
        }
    }

    /// Tells the window something. Nobody listening is no error.
    pub(crate) fn tell(&self, signal: Signal) {
        drop(self.signals.send(signal));
    }

    /// Tells the window that one conversation changed.
    pub(crate) fn changed(&self, conversation: ConversationId) {
        self.tell(Signal::Changed { conversations: vec![conversation], all: false });
    }

    pub(crate) fn set_showing(&self, showing: &Showing) {
        let mut eyes = self.before_eyes.lock().unwrap_or_else(PoisonError::into_inner);
        eyes.conversation = showing.conversation;
        eyes.focused = showing.focused;
    }

    /// Whether the person is looking at this conversation.
    pub(crate) fn is_before_eyes(&self, conversation: ConversationId) -> bool {
        let eyes = *self.before_eyes.lock().unwrap_or_else(PoisonError::into_inner);
        eyes.focused && eyes.conversation == Some(conversation)
    }

    pub(crate) fn language(&self) -> Language {
        self.before_eyes.lock().unwrap_or_else(PoisonError::into_inner).language
    }

    pub(crate) fn set_language(&self, language: Language) {
        self.before_eyes.lock().unwrap_or_else(PoisonError::into_inner).language = language;
    }
}
