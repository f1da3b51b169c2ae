//! The one window. Closing hides it: citizens go on writing, and the tray goes on counting.

use anyhow::Context as _;
use tauri::{AppHandle, Manager, Url, WebviewWindow, WebviewWindowBuilder, Window, WindowEvent};

const LABEL: &str = "main";

/// Makes the window as `tauri.conf.json` says.
pub(crate) fn open(app: &AppHandle, visible: bool) -> anyhow::Result<WebviewWindow> {
    let window = app.config().app.windows.iter().find(|window| window.label == LABEL).context("Finding the window")?;
    WebviewWindowBuilder::from_config(app, window)
        .and_then(|builder| builder.visible(visible).on_navigation(is_ours).build())
        .context("Opening the window")
}

/// Nothing but the embedded interface is ever loaded into the window.
fn is_ours(url: &Url) -> bool {
    url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost")
}

/// Brings the window before the person's eyes, from the tray or from behind other windows.
pub(crate) fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
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
}
