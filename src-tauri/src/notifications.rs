//! What the desk finds worth a notification, shown by the system, and the way back from a click.
//!
//! Each notification that can be clicked has a thread that waits for it: the system's answer is blocking on every
//! platform. Servers that keep notifications for hours would gather threads, so beyond [`MOST_WAITING`] nobody waits
//! for the click any more; the notification is shown all the same.
//!
//! Anybody on the session bus can claim that a notification was clicked. So its answer carries nothing: which
//! conversation it was about is remembered here, and opening one is all that a click can do.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use desk::{Desk, api::Notices, notify::Notification};
use tauri::{AppHandle, async_runtime};
use tokio::sync::broadcast::error::RecvError;

use crate::{system, window, words};

const MOST_WAITING: usize = 64;
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Shows what the desk finds worth it, until the desk is gone.
pub(crate) async fn follow(app: AppHandle, desk: Desk) {
    let mut coming = desk.notifications();
    loop {
        match coming.recv().await {
            Ok(notification) => show(&app, &desk, notification),
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "Notifications came faster than they were shown");
                desk.notifications_missed();
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Shows one, and opens its conversation when it is clicked.
fn show(app: &AppHandle, desk: &Desk, notification: Notification) {
    let (app, desk) = (app.clone(), desk.clone());
    let shown = thread::Builder::new().name("notification".into()).spawn(move || {
        let open = words::say(async_runtime::block_on(words::language(&desk)), "notification-open", None);
        let wait = WAITING.fetch_add(1, Ordering::Relaxed) < MOST_WAITING;
        let appeared = || {
            // Whoever asked the system not to be disturbed hears nothing from us either.
            if system::notices() != Notices::Paused {
                desk.notification_shown(&notification);
            }
        };
        match system::notify(&notification, &open, wait, appeared) {
            Ok(true) => clicked(&app, &desk, &notification),
            Ok(false) => {}
            Err(error) => tracing::warn!("Showing a notification: {error}"),
        }
        WAITING.fetch_sub(1, Ordering::Relaxed);
    });
    if let Err(error) = shown {
        tracing::error!("Starting a notification's thread: {error}");
    }
}

fn clicked(app: &AppHandle, desk: &Desk, notification: &Notification) {
    if let Some(conversation) = notification.conversation {
        desk.notification_clicked(conversation);
    }
    window::show(app);
}
