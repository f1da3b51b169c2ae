//! The client engine: session, sync, outbox, drafts, notes, what to notify. No window, no Tauri.

pub mod api;
