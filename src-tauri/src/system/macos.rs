//! macOS: the notification centre, and signals.

use desk::{
    api::{Notices, Sound},
    notify,
};
use notify_rust::{Notification, NotificationHandle};
use tauri::WebviewWindow;
use tokio::signal::unix::{SignalKind, signal};

/// A click anywhere on it is the default action.
pub(super) fn dress(shown: &mut Notification, _open: &str, told: &notify::Notification) {
    if told.sound == Sound::System {
        shown.sound_name("Ping");
    }
}

/// The notification centre keeps them by itself.
pub(super) fn waits(_handle: &NotificationHandle) {}

/// The same.
pub(super) fn is_gone(_shown: ()) {}

/// The same.
pub(super) fn take_away() {}

/// Only a program with a bundle may ask, and through an interface that needs unsafe code.
pub(super) fn notices() -> Notices {
    Notices::Unknown
}

/// The count on the dock's icon.
pub(super) fn badge(window: &WebviewWindow, waiting: u32) -> tauri::Result<()> {
    window.set_badge_count(Some(waiting.into()).filter(|count| *count > 0))
}

/// Comes back when the program is told to end.
pub(super) async fn end_of_session() -> std::io::Result<()> {
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}
