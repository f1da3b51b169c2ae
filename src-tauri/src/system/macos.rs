//! macOS: the notification centre, and signals.

use std::sync::Once;

use desk::{
    api::{Notices, Sound},
    notify,
};
use notify_rust::{Notification, set_application};
use tauri::{RunEvent, WebviewWindow};
use tokio::signal::unix::{SignalKind, signal};

pub(super) use super::kept::{is_gone, take_away, waits};

/// By this name the notification centre knows the program's bundle. Unless told, the library says it were the Finder.
/// Source: `mac-notification-sys`, `ensure_application_set`.
const IDENTITY: &str = "org.shubbak.desk";
static TOLD: Once = Once::new();

/// A click anywhere on it is the default action.
pub(super) fn dress(shown: &mut Notification, _open: &str, told: &notify::Notification) {
    TOLD.call_once(|| {
        if let Err(error) = set_application(IDENTITY) {
            tracing::warn!("Telling the notification centre whose notifications these are: {error}");
        }
    });
    if told.sound == Sound::System {
        shown.sound_name("Ping");
    }
}

/// Only a program with a bundle may ask, and through an interface that needs unsafe code.
pub(super) fn notices() -> Notices {
    Notices::Unknown
}

/// The count on the dock's icon.
pub(super) fn badge(window: &WebviewWindow, waiting: u32) -> tauri::Result<()> {
    window.set_badge_count(Some(waiting.into()).filter(|count| *count > 0))
}

/// A click on the icon in the dock starts nothing where the program runs.
pub(super) fn asks_for_the_window(event: &RunEvent) -> bool {
    matches!(event, RunEvent::Reopen { .. })
}

/// Comes back when the program is told to end.
pub(super) async fn end_of_session() -> std::io::Result<()> {
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}
