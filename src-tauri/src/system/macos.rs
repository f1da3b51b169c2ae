//! macOS: the notification centre, and signals.

use notify_rust::Notification;
use tokio::signal::unix::{SignalKind, signal};

/// A quiet notification makes no sound; a click anywhere on it is the default action.
pub(super) fn dress(notification: &mut Notification, _open: &str, quiet: bool) {
    if !quiet {
        notification.sound_name("Ping");
    }
}

/// Comes back when the program is told to end.
pub(super) async fn end_of_session() -> std::io::Result<()> {
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}
