//! The tray: how many conversations wait for a reply, and the way back to the window and out of the program.

use anyhow::Context as _;
use desk::{Desk, api::Language};
use tauri::{
    AppHandle, Manager,
    image::Image,
    include_image,
    menu::{Menu, MenuItem},
    tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent},
};
use tokio::sync::watch;

use crate::{system, window, words};

const CALM: Image<'_> = include_image!("../icons/rendered/64x64.png");
const WAITING: Image<'_> = include_image!("../icons/rendered/tray-waiting.png");

/// The icon in the tray and its menu.
pub(crate) struct Tray {
    icon: TrayIcon,
    open: MenuItem<tauri::Wry>,
    quit: MenuItem<tauri::Wry>,
}

impl Tray {
    pub(crate) fn new(app: &AppHandle, language: Language) -> anyhow::Result<Self> {
        let open = MenuItem::with_id(app, "open", words::say(language, "tray-open", None), true, None::<&str>)?;
        let quit = MenuItem::with_id(app, "quit", words::say(language, "tray-quit", None), true, None::<&str>)?;
        let icon = TrayIconBuilder::with_id("tray")
            .icon(CALM)
            .tooltip(words::say(language, "tray-waiting", Some(0)))
            .menu(&Menu::with_items(app, &[&open, &quit])?)
            .show_menu_on_left_click(false)
            .on_menu_event(|app, event| match event.id().as_ref() {
                "open" => window::show(app),
                "quit" => app.exit(0),
                _ => {}
            })
            .on_tray_icon_event(|tray, event| {
                if let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } =
                    event
                {
                    window::show(tray.app_handle());
                }
            })
            .build(app)
            .context("Making the tray icon")?;
        Ok(Self { icon, open, quit })
    }

    fn show(&self, waiting: u32, language: Language) -> tauri::Result<()> {
        self.icon.set_icon(Some(if waiting == 0 { CALM } else { WAITING }))?;
        // A tooltip is not shown on Linux, where the title stands beside the icon instead.
        self.icon.set_title(if waiting == 0 { None } else { Some(waiting.to_string()) })?;
        self.icon.set_tooltip(Some(words::say(language, "tray-waiting", Some(waiting))))?;
        self.open.set_text(words::say(language, "tray-open", None))?;
        self.quit.set_text(words::say(language, "tray-quit", None))
    }
}

/// Keeps the tray at the count of those who wait.
pub(crate) async fn follow(app: AppHandle, mut unread: watch::Receiver<u32>) {
    loop {
        let waiting = *unread.borrow_and_update();
        refresh(&app, &app.state::<Desk>(), waiting).await;
        if unread.changed().await.is_err() {
            return;
        }
    }
}

/// Says everything anew, in the language that is chosen now.
pub(crate) async fn relabel(app: &AppHandle, desk: &Desk) {
    let waiting = *desk.unread().borrow();
    refresh(app, desk, waiting).await;
}

async fn refresh(app: &AppHandle, desk: &Desk, waiting: u32) {
    if let Err(error) = app.state::<Tray>().show(waiting, words::language(desk).await) {
        tracing::error!("Changing the tray: {error}");
    }
    if let Some(Err(error)) = window::main(app).map(|window| system::badge(&window, waiting)) {
        tracing::warn!("Changing the count on the task bar: {error}");
    }
}
