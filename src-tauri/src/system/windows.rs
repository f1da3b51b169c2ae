//! Windows: toasts, and the end of the console's session.

use notify_rust::Notification;

/// Toasts belong to the identity under which the installer put the program into the start menu.
pub(super) fn dress(notification: &mut Notification, _open: &str, quiet: bool) {
    notification.app_id("org.shubbak.desk");
    if !quiet {
        notification.sound_name("IM");
    }
}

/// Comes back when the program is told to end.
pub(super) async fn end_of_session() -> std::io::Result<()> {
    tokio::signal::windows::ctrl_shutdown()?.recv().await;
    Ok(())
}
