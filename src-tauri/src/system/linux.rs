//! Linux: the freedesktop notification server, and signals.

use notify_rust::{Hint, Notification, Urgency};
use tokio::signal::unix::{SignalKind, signal};

/// The icon comes by name from the installed desktop file.
pub(super) fn dress(notification: &mut Notification, open: &str, quiet: bool) {
    notification
        .icon("shubbak")
        .hint(Hint::DesktopEntry("Shubbak".into()))
        .hint(Hint::Category("im.received".into()))
        .urgency(if quiet { Urgency::Low } else { Urgency::Normal })
        .action("default", open);
    if quiet {
        notification.hint(Hint::SuppressSound(true));
    }
}

/// Comes back when the program is told to end.
pub(super) async fn end_of_session() -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
