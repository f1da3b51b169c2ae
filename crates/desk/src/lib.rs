//! The client engine: session, sync, outbox, drafts, notes, what to notify. No window, no Tauri.
//!
//! A [`Desk`] is one installation on one workstation. Whoever signs in or unlocks takes a `seat`: their two encrypted
//! files are open, and tasks keep them in step with the gateway. `precious.db` holds what exists nowhere else (outbox,
//! drafts), `records.db` what can be had again. No step needs both to commit together: what is shown is the records and
//! those outbox rows whose id is no entry's cause; the records commit first, then the outbox row is marked as done.
//!
//! The window asks through [`api`], and is told by [`Desk::signals`] what changed: ids only, after the commit.

mod acts;
pub mod api;
mod behind;
mod client;
mod contact;
mod database;
mod erasure;
mod failure;
mod first;
mod handler;
mod hub;
mod key;
pub mod keychain;
mod link;
mod list;
mod me;
mod mend;
mod names;
pub mod notify;
mod outbox;
mod precious;
mod presence;
mod progress;
mod restored;
mod search;
mod seat;
mod sender;
mod session;
mod steps;
mod storage;
pub mod surroundings;
mod sync;
mod texts;
mod thread;
mod unsent;
mod wal;
mod workstation;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context;
use domain::ids::{Clock, ConversationId, Ids};
use tokio::sync::{broadcast, watch};

use crate::{
    api::{CallError, ErrorCode, SignIn, Signal},
    behind::Behind,
    failure::call_error,
    hub::Hub,
    keychain::Keychain,
    notify::Notification,
    seat::Seat,
    surroundings::Surroundings,
    workstation::Workstation,
};

/// What a desk needs from whoever runs it.
pub struct Config {
    /// The folder of this installation.
    pub data: PathBuf,
    /// Where the wrapped file keys lie.
    pub keychain: Arc<dyn Keychain>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// The program's version, for the window.
    pub version: String,
}

/// The desk. Cheap to clone; all clones are one. It answers the commands of [`api::Handler`].
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    workstation: Workstation,
    keychain: Arc<dyn Keychain>,
    hub: Arc<Hub>,
    device: String,
    version: String,
    /// Held while files are opened or closed.
    turn: tokio::sync::Mutex<()>,
    seat: Mutex<Option<Arc<Seat>>>,
    /// Those who are not here any more, and whose outbox still goes out.
    behind: Mutex<Vec<Behind>>,
    /// How often an account's files were put in order since the program started.
    repairs: Mutex<BTreeMap<String, u32>>,
    /// Whether the window has asked `start` and was told that it is ready.
    started: AtomicBool,
    /// The conversation whose notification was clicked before that, and whose it was, where somebody sat here.
    clicked: Mutex<Option<(ConversationId, Option<String>)>>,
    /// What the system around it does for it.
    surroundings: OnceLock<Arc<dyn Surroundings>>,
}

impl Desk {
    /// Opens an installation. Nobody is signed in yet, and nothing is asked of the network.
    pub async fn open(config: Config) -> anyhow::Result<Desk> {
        let Config { data, keychain, clock, ids, version } = config;
        let opening = move || {
            let workstation = Workstation::open(&data)?;
            let device = workstation.device(clock.as_ref(), ids.as_ref())?;
            let hub = Arc::new(Hub::new(clock, ids, workstation.settings()?));
            Ok::<_, anyhow::Error>((workstation, device, hub))
        };
        let (workstation, device, hub) = tokio::task::spawn_blocking(opening).await.context("Opening the desk")??;
        let desk = Desk(Arc::new(Inner {
            workstation,
            keychain,
            hub,
            device,
            version,
            turn: tokio::sync::Mutex::new(()),
            seat: Mutex::new(None),
            behind: Mutex::default(),
            repairs: Mutex::default(),
            started: AtomicBool::new(false),
            clicked: Mutex::new(None),
            surroundings: OnceLock::new(),
        }));
        // A crash may have come between the parts of it.
        desk.finish_wiping().await.context("Removing what an earlier run began to remove")?;
        Ok(desk)
    }

    /// What changed, for the window. Bounded: read it with [`next_signal`].
    pub fn signals(&self) -> broadcast::Receiver<Signal> {
        self.0.hub.signals.subscribe()
    }

    /// What to show outside of the window.
    pub fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.0.hub.notifications.subscribe()
    }

    /// Notifications came faster than they could be shown: that much is said.
    pub fn notifications_missed(&self) {
        self.0.hub.notify(notify::missed(&self.0.hub.settings()));
    }

    /// A notification appeared: the window lets its sound be heard, if it is one of ours.
    pub fn notification_shown(&self, notification: &Notification) {
        if matches!(notification.sound, api::Sound::Bell | api::Sound::Drop) {
            self.0.hub.tell(Signal::Sound { sound: notification.sound });
        }
    }

    /// Lends the desk what the system around it does. Only the first counts.
    pub fn lend(&self, surroundings: Arc<dyn Surroundings>) {
        drop(self.0.surroundings.set(surroundings));
    }

    /// A notification was clicked: the window is told to open its conversation, once it is up and signed in.
    pub fn notification_clicked(&self, conversation: ConversationId) {
        if self.0.started.load(Ordering::Acquire) && self.front().is_some() {
            self.0.hub.tell(Signal::Open { conversation });
        } else {
            let account = self.seat_if_taken().map(|seat| seat.account.id.clone());
            *lock(&self.0.clicked) = Some((conversation, account));
        }
    }

    /// In how many conversations a citizen waits, for the tray.
    pub fn unread(&self) -> watch::Receiver<u32> {
        self.0.hub.unread.subscribe()
    }

    /// Ends the work and closes the files.
    pub async fn close(&self) {
        let _turn = self.0.turn.lock().await;
        self.call_off(None).await;
        self.leave_seat().await;
    }

    /// Whoever sits here and has given their password.
    fn front(&self) -> Option<Arc<Seat>> {
        self.seat_if_taken().filter(|_| !self.0.hub.is_locked())
    }

    fn seat(&self) -> Result<Arc<Seat>, CallError> {
        self.front().ok_or_else(|| call_error(ErrorCode::NotSignedIn, "Nobody is signed in"))
    }

    fn seat_if_taken(&self) -> Option<Arc<Seat>> {
        lock(&self.0.seat).clone()
    }

    fn sit_down(&self, seat: Arc<Seat>) {
        self.watch(&seat);
        *lock(&self.0.seat) = Some(seat);
    }

    /// Leaves the seat, if somebody sits there: tasks are ended and files closed.
    async fn leave_seat(&self) -> Option<Arc<Seat>> {
        let seat = lock(&self.0.seat).take()?;
        seat.leave().await;
        self.0.hub.unread.send_replace(0);
        Some(seat)
    }

    fn take_clicked(&self) -> Option<ConversationId> {
        let (conversation, account) = lock(&self.0.clicked).take()?;
        let here = self.seat_if_taken().map(|seat| seat.account.id.clone());
        (account.is_none() || account == here).then_some(conversation)
    }
}

/// A desk that nobody closed still ends in order. A thread that is still encrypting while the program ends would find
/// OpenSSL gone, and crash.
impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(seat) = lock(&self.seat).take() {
            seat.leave_now();
        }
        for behind in lock(&self.behind).drain(..) {
            behind.seat.leave_now();
        }
    }
}

/// The next signal; a listener who fell behind is told that everything changed. `None` once the desk is gone.
pub async fn next_signal(signals: &mut broadcast::Receiver<Signal>) -> Option<Signal> {
    match signals.recv().await {
        Ok(signal) => Some(signal),
        Err(broadcast::error::RecvError::Lagged(_)) => Some(Signal::Changed { conversations: vec![], all: true }),
        Err(broadcast::error::RecvError::Closed) => None,
    }
}

/// Reads a sign-in from a TOML file: `gateway`, `agency`, `username`, `password`, and `code` where there is one. For
/// demonstrations and tests that open a window already signed in.
pub fn sign_in_from(path: &Path) -> anyhow::Result<SignIn> {
    let context = || format!("Reading {}", path.display());
    let text = std::fs::read_to_string(path).with_context(context)?;
    toml::from_str(&text).with_context(context)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
