//! Windows: toasts, and the end of the console's session.

use desk::{
    api::{Notices, Sound},
    notify,
};
use notify_rust::Notification;
use tauri::{RunEvent, WebviewWindow, image::Image};
use windows::{
    UI::Notifications::{NotificationSetting, ToastNotificationManager},
    core::HSTRING,
};

pub(super) use super::kept::{is_gone, take_away, waits};

/// Toasts belong to the identity under which the installer put the program into the start menu.
const IDENTITY: &str = "org.shubbak.desk";
/// How wide the dot on the task bar is drawn, and its colour: the one that means 'waits'.
const DOT: u16 = 32;
const AMBER: [u8; 4] = [0xf2, 0xa9, 0x00, 0xff];

/// A toast without a sound of its own is silent.
pub(super) fn dress(shown: &mut Notification, _open: &str, told: &notify::Notification) {
    shown.app_id(IDENTITY);
    if told.sound == Sound::System {
        shown.sound_name("IM");
    }
}

/// What the settings of Windows say of this program. Whether its person is not to be disturbed, they do not say.
pub(super) fn notices() -> Notices {
    let setting = ToastNotificationManager::CreateToastNotifierWithId(&HSTRING::from(IDENTITY))
        .and_then(|notifier| notifier.Setting());
    match setting {
        Ok(NotificationSetting::Enabled) => Notices::Shown,
        Ok(_) => Notices::Forbidden,
        Err(error) => {
            tracing::info!("Windows does not say whether it shows notifications: {error}");
            Notices::Unknown
        }
    }
}

/// A dot on the task bar: Windows has no counts there.
pub(super) fn badge(window: &WebviewWindow, waiting: u32) -> tauri::Result<()> {
    window.set_overlay_icon((waiting > 0).then(dot))
}

fn dot() -> Image<'static> {
    let middle = f32::from(DOT - 1) / 2.0;
    let from_middle = |at: u16| (f32::from(at) - middle).powi(2);
    let pixels = (0..DOT).flat_map(|y| (0..DOT).map(move |x| from_middle(x) + from_middle(y) <= middle.powi(2)));
    let rgba = pixels.flat_map(|inside| if inside { AMBER } else { [0; 4] }).collect();
    Image::new_owned(rgba, DOT.into(), DOT.into())
}

/// The start menu starts the program anew, which finds the one that runs.
pub(super) fn asks_for_the_window(_event: &RunEvent) -> bool {
    false
}

/// Comes back when the program is told to end.
pub(super) async fn end_of_session() -> std::io::Result<()> {
    tokio::signal::windows::ctrl_shutdown()?.recv().await;
    Ok(())
}
