//! The desktop shell `shubbak`: window, tray and notifications. It hands each call of the interface to the desk, and
//! holds nothing of its own: the desk could be put behind another shell without a line changed in it.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod arguments;
mod notifications;
mod sign_in_from;
mod system;
mod tray;
mod window;
mod words;

use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use desk::{
    Desk,
    api::{self, CallError},
};
use serde_json::Value;
use tauri::{AppHandle, Emitter, Manager, RunEvent, State, async_runtime};
use tauri_plugin_autostart::MacosLauncher;
use tokio::sync::broadcast;

use crate::{arguments::Arguments, tray::Tray};

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .with_writer(std::io::stderr)
        .init();

    let mut context = tauri::generate_context!();
    context.config_mut().identifier = arguments.identity(&context.config().identifier)?;
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _, _| window::show(app)))
        .plugin(window::place())
        .plugin(tauri_plugin_autostart::init(MacosLauncher::LaunchAgent, Some(vec!["--hidden"])))
        .invoke_handler(tauri::generate_handler![call])
        .on_window_event(window::on_event)
        .setup(move |app| Ok(set_up(app.handle(), &arguments)?))
        .build(context)
        .context("Starting the window system")?;
    app.run(|app, event| match event {
        RunEvent::Exit => {
            system::take_notifications_away();
            if let Some(desk) = app.try_state::<Desk>() {
                async_runtime::block_on(desk.close());
            }
        }
        event if system::asks_for_the_window(&event) => window::show(app),
        _ => {}
    });
    Ok(())
}

/// The one command of the interface.
#[tauri::command]
async fn call(app: AppHandle, desk: State<'_, Desk>, name: String, request: Value) -> Result<Value, CallError> {
    let answer = api::dispatch(&*desk, &name, request).await?;
    if name == "set_settings" {
        tray::relabel(&app, &desk).await;
    }
    Ok(answer)
}

/// Opens the desk, and then the window on it.
fn set_up(app: &AppHandle, arguments: &Arguments) -> anyhow::Result<()> {
    let data = match &arguments.data {
        Some(data) => data.clone(),
        None => app.path().app_local_data_dir().context("Finding the folder for data")?,
    };
    let config = desk::Config {
        data,
        keychain: Arc::new(desk::keychain::SystemKeychain),
        clock: Arc::new(domain::ids::System),
        ids: Arc::new(domain::ids::System),
        version: app.package_info().version.to_string(),
    };
    let desk = async_runtime::block_on(Desk::open(config)).context("Opening the desk")?;
    app.manage(desk.clone());
    desk.lend(Arc::new(system::Around { app: app.clone(), own: arguments.data.is_none() }));

    async_runtime::spawn(pass_on(app.clone(), desk.signals()));
    async_runtime::spawn(notifications::follow(app.clone(), desk.clone()));
    async_runtime::spawn(system::told_to_end(app.clone()));

    if let Some(file) = arguments.sign_in_from.clone() {
        let desk = desk.clone();
        async_runtime::spawn(async move {
            if let Err(error) = sign_in_from::sign_in_from(&desk, &file).await {
                tracing::error!("Signing in from {}: {error:#}", file.display());
            }
        });
    }
    // The files are being opened while the window is, and the tray is made while the page is loaded.
    window::open(app, !arguments.hidden)?;
    app.manage(Tray::new(app, async_runtime::block_on(words::language(&desk)))?);
    async_runtime::spawn(tray::follow(app.clone(), desk.unread()));
    Ok(())
}

/// Passes on to the window what the desk says.
async fn pass_on(app: AppHandle, mut signals: broadcast::Receiver<api::Signal>) {
    while let Some(signal) = desk::next_signal(&mut signals).await {
        if let api::Signal::Open { .. } = signal {
            window::show(&app);
        }
        if let Err(error) = app.emit("signal", signal) {
            tracing::error!("Passing a signal to the window: {error}");
        }
    }
}
