//! What differs by operating system: one file for each, with the same functions.

#[cfg(not(target_os = "linux"))]
mod kept;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod this;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod this;
#[cfg(windows)]
#[path = "windows.rs"]
mod this;

use anyhow::Context as _;
use desk::{api::Notices, notify::Notification, surroundings::Surroundings};
use notify_rust::NotificationResponse;
use tauri::{AppHandle, RunEvent, WebviewWindow};
use tauri_plugin_autostart::ManagerExt as _;

/// What the system does for the desk.
pub(crate) struct Around {
    pub(crate) app: AppHandle,
    /// Whether this is the person's own installation. The system starts no other: it would not know its data folder.
    pub(crate) own: bool,
}

impl Surroundings for Around {
    fn notices(&self) -> Notices {
        notices()
    }

    fn starts(&self) -> Option<bool> {
        self.app.autolaunch().is_enabled().ok().filter(|_| self.own)
    }

    fn start(&self, on: bool) -> anyhow::Result<()> {
        anyhow::ensure!(self.own, "Only the installation in the usual folder is started with the system");
        let launch = self.app.autolaunch();
        if on { launch.enable() } else { launch.disable() }.context("Changing what starts with the system")
    }

    fn open(&self, address: &str) -> anyhow::Result<()> {
        open::that_detached(address).context("Starting the browser")
    }
}

/// Whether the system shows notifications, as far as it says.
pub(crate) fn notices() -> Notices {
    this::notices()
}

/// How many wait, on the window's place in the task bar, launcher or dock.
pub(crate) fn badge(window: &WebviewWindow, waiting: u32) -> tauri::Result<()> {
    this::badge(window, waiting)
}

/// Whether somebody clicked where the system shows a program whose window may be hidden.
pub(crate) fn asks_for_the_window(event: &RunEvent) -> bool {
    this::asks_for_the_window(event)
}

/// Takes notifications from the screen whose click nobody would hear once the program has ended.
pub(crate) fn take_notifications_away() {
    this::take_away();
}

/// Ends the program in order when the system asks it to: at the end of a session, or by a signal.
pub(crate) async fn told_to_end(app: AppHandle) {
    match this::end_of_session().await {
        Ok(()) => app.exit(0),
        Err(error) => tracing::error!("Listening for the end of the session: {error}"),
    }
}

/// Shows a notification whose click is called `open`, and says so; if `wait`, blocks until it is gone and says whether
/// it was clicked.
pub(crate) fn notify(
    notification: &Notification,
    open: &str,
    wait: bool,
    appeared: impl FnOnce(),
) -> Result<bool, notify_rust::error::Error> {
    let mut shown = notify_rust::Notification::new();
    shown.appname("Shubbak").summary(&notification.title).body(&notification.body);
    this::dress(&mut shown, open, notification);
    let handle = shown.show()?;
    appeared();
    let mut clicked = false;
    if wait {
        let shown = this::waits(&handle);
        handle.wait_for_response(|response: &NotificationResponse| clicked = response.is_default_action())?;
        this::is_gone(shown);
    }
    Ok(clicked)
}
