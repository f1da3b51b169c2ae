//! What differs by operating system: one file for each, with the same functions.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod this;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod this;
#[cfg(windows)]
#[path = "windows.rs"]
mod this;

use desk::notify::Notification;
use notify_rust::NotificationResponse;
use tauri::AppHandle;

/// Ends the program in order when the system asks it to: at the end of a session, or by a signal.
pub(crate) async fn told_to_end(app: AppHandle) {
    match this::end_of_session().await {
        Ok(()) => app.exit(0),
        Err(error) => tracing::error!("Listening for the end of the session: {error}"),
    }
}

/// Shows a notification whose click is called `open`; if `wait`, blocks until it is gone and says whether it was clicked.
pub(crate) fn notify(notification: &Notification, open: &str, wait: bool) -> Result<bool, notify_rust::error::Error> {
    let mut shown = notify_rust::Notification::new();
    shown.appname("Shubbak").summary(&notification.title).body(&notification.body);
    this::dress(&mut shown, open, notification.quiet);
    let handle = shown.show()?;
    let mut clicked = false;
    if wait {
        handle.wait_for_response(|response: &NotificationResponse| clicked = response.is_default_action())?;
    }
    Ok(clicked)
}
