//! What everything in the desk shares: clock, ids, and the ways out to the window, the tray and the notifications.

use std::sync::Arc;

use domain::ids::{Clock, ConversationId, Ids};
use tokio::{
    sync::{broadcast, watch},
    time::Instant,
};

use crate::{
    api::{Settings, Showing, Signal},
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
    before_eyes: watch::Sender<BeforeEyes>,
    settings: watch::Sender<Settings>,
}

/// What the window shows, and what the person does there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BeforeEyes {
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) focused: bool,
    /// Where they wrote last, and when; nowhere once it is sent.
    pub(crate) wrote: Option<(ConversationId, Instant)>,
    /// Whether nothing may be shown until the password is given.
    pub(crate) locked: bool,
}

impl Hub {
    pub(crate) fn new(clock: Arc<dyn Clock>, ids: Arc<dyn Ids>, settings: Settings) -> Self {
        Self {
            clock,
            ids,
            signals: broadcast::Sender::new(BOUND),
            notifications: broadcast::Sender::new(BOUND),
            unread: watch::Sender::new(0),
            before_eyes: watch::Sender::new(BeforeEyes {
                conversation: None,
                focused: false,
                wrote: None,
                locked: false,
            }),
            settings: watch::Sender::new(settings),
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
        self.before_eyes.send_modify(|eyes| {
            eyes.conversation = showing.conversation;
            eyes.focused = showing.focused;
        });
    }

    /// From now on nothing is shown until the password is given, or all is again. Nobody looks at a locked screen.
    pub(crate) fn set_locked(&self, locked: bool) {
        self.before_eyes.send_modify(|eyes| {
            *eyes = BeforeEyes { conversation: None, focused: false, wrote: None, locked };
        });
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.before_eyes.borrow().locked
    }

    /// The person wrote here just now, or what they wrote is sent or dropped.
    pub(crate) fn set_writing(&self, conversation: ConversationId, writing: bool) {
        self.before_eyes.send_if_modified(|eyes| {
            let ends = eyes.wrote.is_some_and(|(of, _)| of == conversation);
            if writing {
                eyes.wrote = Some((conversation, Instant::now()));
            } else if ends {
                eyes.wrote = None;
            }
            writing || ends
        });
    }

    /// What is before the person's eyes, from now on.
    pub(crate) fn eyes(&self) -> watch::Receiver<BeforeEyes> {
        self.before_eyes.subscribe()
    }

    /// Whether the person is looking at this conversation.
    pub(crate) fn is_before_eyes(&self, conversation: ConversationId) -> bool {
        let eyes = *self.before_eyes.borrow();
        eyes.focused && eyes.conversation == Some(conversation)
    }

    /// Shows something outside of the window. Nobody listening is no error.
    pub(crate) fn notify(&self, notification: Notification) {
        drop(self.notifications.send(notification));
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings.borrow().clone()
    }

    pub(crate) fn set_settings(&self, settings: Settings) {
        self.settings.send_replace(settings);
    }
}
