//! The paths of the contract.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::map_response_with_state,
    routing::{MethodRouter, delete, get, post},
};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::{
    commands,
    failure::Failure,
    gateway::Gateway,
    listening,
    media::{download, upload},
    openapi, session,
    signs::{self, Operator},
    sync, webhook,
};

/// How long requests that are under way have to end when the gateway stops.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Whom a way in lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever comes: nothing in the answer belongs to anybody.
    Anybody,
    /// Whoever bears the token of a device that is signed in.
    SignedIn,
    /// Whoever runs the gateway: see [`Operator`].
    Operator,
}

/// A way in: a method on a path.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, as the router writes it.
    pub path: &'static str,
    /// Whom it lets through.
    pub who: Who,
    handler: fn() -> MethodRouter<Arc<Gateway>>,
}

/// Every way in but the webhooks, whose paths the configuration gives. The router is built from it, and whatever must
/// name them all (who may use which, how they are described) is held to it.
pub const ROUTES: &[Route] = &[
    Route { method: Method::POST, path: "/api/v1/session", who: Who::Anybody, handler: || post(session::sign_in) },
    Route {
        method: Method::DELETE,
        path: "/api/v1/session",
        who: Who::SignedIn,
        handler: || delete(session::sign_out),
    },
    Route { method: Method::GET, path: "/api/v1/sync", who: Who::SignedIn, handler: || get(sync::sync) },
    Route { method: Method::GET, path: "/api/v1/live", who: Who::SignedIn, handler: || get(listening::live) },
    Route {
        method: Method::GET,
        path: "/api/v1/cases/{id}/entries",
        who: Who::SignedIn,
        handler: || get(sync::case_entries),
    },
    Route { method: Method::POST, path: "/api/v1/commands", who: Who::SignedIn, handler: || post(commands::commands) },
    Route { method: Method::POST, path: "/api/v1/media", who: Who::SignedIn, handler: || post(upload::upload) },
    Route {
        method: Method::GET,
        path: "/api/v1/media/{sha256}",
        who: Who::SignedIn,
        handler: || get(download::download),
    },
    Route { method: Method::GET, path: "/api/v1/openapi.json", who: Who::Anybody, handler: || get(openapi::openapi) },
    Route { method: Method::GET, path: "/healthz", who: Who::Anybody, handler: || get(async || "ok\n") },
    Route { method: Method::GET, path: "/readyz", who: Who::Anybody, handler: || get(ready) },
    Route { method: Method::GET, path: "/metrics", who: Who::Operator, handler: || get(signs::metrics) },
];

/// Every path.
pub fn router(gateway: &Arc<Gateway>) -> Router {
    let mut router = ROUTES
        .iter()
        .fold(Router::new(), |router, route| router.route(route.path, (route.handler)()))
        .method_not_allowed_fallback(async || Failure::method_not_allowed("This path does not know this method"))
        .with_state(Arc::clone(gateway));
    for (path, endpoint) in &gateway.endpoints {
        let webhook = Router::new()
            .route(path, get(webhook::handshake).post(webhook::receive))
            .method_not_allowed_fallback(async || Failure::method_not_allowed("A webhook knows GET and POST"))
            .layer(map_response_with_state(Arc::from(path.as_str()), signs::webhook_answered))
            .with_state((Arc::clone(gateway), Arc::clone(endpoint)));
        router = router.merge(webhook);
    }
    // What is answered belongs to one person and one moment.
    let no_store = SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let no_sniff =
        SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    router.fallback(async || Failure::nothing_here()).layer(no_store).layer(no_sniff)
}

/// 200 once every agency's records stand at its head, and where sending is held after a restore. Whoever may read the
/// metrics is told the alarms too.
async fn ready(
    operator: Result<Operator, Failure>,
    State(gateway): State<Arc<Gateway>>,
) -> Result<(StatusCode, String), Failure> {
    let mut text = "ready\n".to_owned();
    for agency in gateway.agencies.values() {
        if !agency.is_ready() {
            return Err(Failure::not_ready(format!("The agency {} is not ready", agency.id)));
        }
        if agency.sending_held().await?.is_some() {
            text += &format!("sending is held: {}\n", agency.id);
        }
    }
    if operator.is_ok() {
        for (alarm, agency, since) in gateway.signs.alarms() {
            text += &format!("alarm: {} {agency} since {since}: {}\n", alarm.name(), alarm.words());
        }
    }
    Ok((StatusCode::OK, text))
}
