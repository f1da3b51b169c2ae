//! Linux: the freedesktop notification server, and signals.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use desk::{
    api::{Notices, Sound},
    notify,
};
use notify_rust::{Hint, Notification, NotificationHandle, Urgency};
use tauri::{RunEvent, WebviewWindow, async_runtime};
use tokio::signal::unix::{SignalKind, signal};
use zbus::{Connection, Proxy, connection::Builder};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// A server that does not answer within this shows nothing either.
const PATIENCE: Duration = Duration::from_secs(3);

/// What stands on the screen and waits for a click, by the server's numbers.
static SHOWN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// The icon comes by name from the installed desktop file.
pub(super) fn dress(shown: &mut Notification, open: &str, told: &notify::Notification) {
    shown
        .icon("shubbak")
        .hint(Hint::DesktopEntry("Shubbak".into()))
        .hint(Hint::Category("im.received".into()))
        .urgency(if told.quiet { Urgency::Low } else { Urgency::Normal })
        .action("default", open);
    // Source: freedesktop's sound naming specification.
    shown.hint(match told.sound {
        Sound::System => Hint::SoundName("message-new-instant".into()),
        _ => Hint::SuppressSound(true),
    });
}

/// It waits for a click from now on, as long as the program runs.
pub(super) fn waits(handle: &NotificationHandle) -> u32 {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(handle.id());
    handle.id()
}

/// It waits no longer.
pub(super) fn is_gone(id: u32) {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
}

/// Takes from the screen what nobody would hear a click on any more.
pub(super) fn take_away() {
    let shown = std::mem::take(&mut *SHOWN.lock().unwrap_or_else(PoisonError::into_inner));
    if shown.is_empty() {
        return;
    }
    let done = async {
        let bus = session().await?;
        let server = Proxy::new(&bus, NAME, PATH, NAME).await?;
        for id in shown {
            let () = server.call("CloseNotification", &(id,)).await?;
        }
        zbus::Result::Ok(())
    };
    if let Err(error) = async_runtime::block_on(done) {
        tracing::warn!("Taking notifications from the screen: {error}");
    }
}

/// Whether there is a server, and whether it says that it shows nothing at the moment.
pub(super) fn notices() -> Notices {
    async_runtime::block_on(ask()).unwrap_or_else(|error| {
        tracing::info!("No notification server answers: {error}");
        Notices::Missing
    })
}

async fn ask() -> zbus::Result<Notices> {
    let bus = session().await?;
    let server = Proxy::new(&bus, NAME, PATH, NAME).await?;
    let _: (String, String, String, String) = server.call("GetServerInformation", &()).await?;
    // Source: dunst's documentation of its D-Bus interface; the interface of Plasma's server, which others took up.
    for (interface, property) in [("org.dunstproject.cmd0", "paused"), (NAME, "Inhibited")] {
        let server = Proxy::new(&bus, NAME, PATH, interface).await?;
        if server.get_property::<bool>(property).await.unwrap_or(false) {
            return Ok(Notices::Paused);
        }
    }
    Ok(Notices::Shown)
}

async fn session() -> zbus::Result<Connection> {
    Builder::session().method_timeout(PATIENCE).build().await
}

/// The count on the launcher, where it has one.
pub(super) fn badge(window: &WebviewWindow, waiting: u32) -> tauri::Result<()> {
    window.set_badge_count(Some(waiting.into()).filter(|count| *count > 0))
}

/// A launcher starts the program anew, which finds the one that runs.
pub(super) fn asks_for_the_window(_event: &RunEvent) -> bool {
    false
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
