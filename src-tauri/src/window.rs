//! The one window. Closing hides it: citizens go on writing, and the tray goes on counting.

use anyhow::Context as _;
use tauri::{
    AppHandle, LogicalSize, Manager, Monitor, PhysicalPosition, PhysicalSize, Runtime, Url, WebviewWindow,
    WebviewWindowBuilder, Window, WindowEvent, plugin::TauriPlugin,
};
use tauri_plugin_window_state::StateFlags;

const LABEL: &str = "main";

/// Makes the window as `tauri.conf.json` says.
pub(crate) fn open(app: &AppHandle, visible: bool) -> anyhow::Result<WebviewWindow> {
    let config = app.config().app.windows.iter().find(|window| window.label == LABEL).context("Finding the window")?;
    let window = WebviewWindowBuilder::from_config(app, config)
        .and_then(|builder| builder.visible(visible).on_navigation(is_ours).build())
        .context("Opening the window")?;
    if !is_in_reach(&window, config.width).context("Finding where the window stands")? {
        window.center().context("Bringing the window onto the screen")?;
    }
    Ok(window)
}

/// Whether a person can take hold of the window: the screen on which it stood may be gone, or smaller.
fn is_in_reach(window: &WebviewWindow, designed: f64) -> tauri::Result<bool> {
    let (place, scale) = (window.outer_position()?, window.scale_factor()?);
    // Until GTK shows it, a window has no size yet.
    let width = window.outer_size()?.width.max(LogicalSize::new(designed, 0.0).to_physical(scale).width);
    let screens = window.available_monitors()?;
    let on = |screen: &Monitor| holds((*screen.position(), *screen.size()), place, width);
    // Where no screen is known, nothing is known to be off it.
    Ok(screens.is_empty() || screens.iter().any(on))
}

/// Whether enough of the title bar of a window that begins at `place` lies on a screen.
fn holds((screen, area): (PhysicalPosition<i32>, PhysicalSize<u32>), place: PhysicalPosition<i32>, width: u32) -> bool {
    const ENOUGH: i64 = 120;
    let (left, top) = (i64::from(screen.x), i64::from(screen.y));
    let (right, bottom) = (left + i64::from(area.width), top + i64::from(area.height));
    let (x, y) = (i64::from(place.x), i64::from(place.y));
    let seen = (x + i64::from(width)).min(right) - x.max(left);
    seen >= ENOUGH && (top..bottom - ENOUGH / 2).contains(&y)
}

/// Nothing but the embedded interface is ever loaded into the window.
fn is_ours(url: &Url) -> bool {
    url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost")
}

/// The window, once it is made.
pub(crate) fn main(app: &AppHandle) -> Option<WebviewWindow> {
    app.get_webview_window(LABEL)
}

/// Remembers where the window stood and how large it was.
/// Whether it is shown is not remembered: that is for whoever starts the program to say.
pub(crate) fn place<R: Runtime>() -> TauriPlugin<R> {
    let flags = StateFlags::POSITION | StateFlags::SIZE | StateFlags::MAXIMIZED;
    tauri_plugin_window_state::Builder::new().with_state_flags(flags).build()
}

/// Brings the window before the person's eyes, from the tray or from behind other windows.
pub(crate) fn show(app: &AppHandle) {
    let Some(window) = main(app) else { return };
    if let Err(error) = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus()) {
        tracing::error!("Showing the window: {error}");
    }
}

/// Hides the window instead of closing it.
pub(crate) fn on_event(window: &Window, event: &WindowEvent) {
    if let WindowEvent::CloseRequested { api, .. } = event {
        api.prevent_close();
        if let Err(error) = window.hide() {
            tracing::error!("Hiding the window: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_interface_is_loaded() {
        for ours in ["tauri://localhost", "tauri://localhost/index.html", "http://tauri.localhost/"] {
            assert!(is_ours(&ours.parse().unwrap()), "{ours}");
        }
        for foreign in
            ["https://example.com/", "file:///etc/passwd", "data:text/html,x", "http://tauri.localhost.example/"]
        {
            assert!(!is_ours(&foreign.parse().unwrap()), "{foreign}");
        }
    }

    #[test]
    fn a_window_is_in_reach_where_its_title_bar_can_be_grasped() {
        let screen = (PhysicalPosition::new(1920, 0), PhysicalSize::new(1366, 768));
        let held = |x, y| holds(screen, PhysicalPosition::new(x, y), 1280);
        assert!(held(1920, 0) && held(800, 20) && held(3100, 600));
        for (x, y) in [(0, 0), (500, 0), (3280, 0), (1920, -40), (1920, 760), (1920, 2000), (-32000, -32000)] {
            assert!(!held(x, y), "{x}, {y}");
        }
    }
}
