//! The paths of the contract.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    routing::{delete, get, post},
};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::{commands, failure::Failure, gateway::Gateway, live, session, sync, webhook};

/// How long requests that are under way have to end when the gateway stops.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Every path.
pub fn router(gateway: &Arc<Gateway>) -> Router {
    let mut router = Router::new()
        .route("/api/v1/session", post(session::sign_in).merge(delete(session::sign_out)))
        .route("/api/v1/sync", get(sync::sync))
        .route("/api/v1/live", get(live::live))
        .route("/api/v1/cases/{id}/entries", get(sync::case_entries))
        .route("/api/v1/commands", post(commands::commands))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .method_not_allowed_fallback(async || Failure::method_not_allowed("This path does not know this method"))
        .with_state(Arc::clone(gateway));
    for (path, endpoint) in &gateway.endpoints {
        let webhook = Router::new()
            .route(path, get(webhook::handshake).post(webhook::receive))
            .method_not_allowed_fallback(async || Failure::method_not_allowed("A webhook knows GET and POST"))
            .with_state((Arc::clone(gateway), Arc::clone(endpoint)));
        router = router.merge(webhook);
    }
    // What is answered belongs to one person and one moment.
    let no_store = SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let no_sniff =
        SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    router.fallback(async || Failure::not_found("There is nothing here")).layer(no_store).layer(no_sniff)
}

/// 200 once every agency's records stand at its head, and where sending is held after a restore.
async fn ready(State(gateway): State<Arc<Gateway>>) -> Result<(StatusCode, String), Failure> {
    let mut text = "ready\n".to_owned();
    for agency in gateway.agencies.values() {
        if !agency.is_ready() {
            return Err(Failure::not_ready(format!("The agency {} is not ready", agency.id)));
        }
        if agency.sending_held().await?.is_some() {
            text += &format!("sending is held: {}\n", agency.id);
        }
    }
    Ok((StatusCode::OK, text))
}
