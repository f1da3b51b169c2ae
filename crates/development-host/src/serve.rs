//! The routes: calls, signals, notifications, and the interface's files.

use std::{convert::Infallible, net::SocketAddr, path::Path};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    middleware,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use desk::{
    Desk,
    api::{CallError, ErrorCode, dispatch},
    next_signal,
};
use domain::ids::ConversationId;
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::broadcast::{self, error::RecvError};
use tower_http::services::ServeDir;

/// The service, for a listener at `address`.
pub(crate) fn router(desk: Desk, opened: broadcast::Sender<String>, ui: &Path, address: SocketAddr) -> Router {
    Router::new()
        .route("/call/{name}", post(call))
        .route("/signals", get(signals))
        .route("/notifications", get(notifications))
        .route("/notifications/{conversation}/click", post(click))
        .route("/opened", get(async move || would_open(opened.subscribe())))
        .with_state(desk)
        .fallback_service(ServeDir::new(ui))
        .layer(DefaultBodyLimit::max(1 << 20))
        .layer(middleware::from_fn_with_state(address, crate::doors::guard))
}

async fn call(
    State(desk): State<Desk>,
    axum::extract::Path(name): axum::extract::Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let request = serde_json::from_slice(&body)
        .map_err(|error| CallError { code: ErrorCode::BadRequest, message: error.to_string() })?;
    Ok(Json(dispatch(&desk, &name, request).await?))
}

/// A call's error over HTTP: the status is for people who read logs, the body for the interface.
struct Refused(CallError);

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
            ErrorCode::NotSignedIn | ErrorCode::WrongPassword => StatusCode::UNAUTHORIZED,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::SlowDown => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::Unreachable | ErrorCode::NotAGateway => StatusCode::BAD_GATEWAY,
            ErrorCode::Failed | ErrorCode::NoKeychain | ErrorCode::BadFile => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        (status, Json(self.0)).into_response()
    }
}

async fn signals(State(desk): State<Desk>) -> impl IntoResponse {
    let told = stream::unfold(desk.signals(), |mut signals| async move {
        let signal = next_signal(&mut signals).await?;
        Some((Ok(Event::default().data(json!(signal).to_string())), signals))
    });
    events(told)
}

async fn notifications(State(desk): State<Desk>) -> impl IntoResponse {
    let told = stream::unfold(desk.notifications(), |mut notifications| async move {
        let notification = loop {
            match notifications.recv().await {
                Ok(notification) => break notification,
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "A listener fell behind the notifications"),
                Err(RecvError::Closed) => return None,
            }
        };
        let desk::notify::Notification { key, title, body, conversation, quiet, sound } = notification;
        let data = json!({ "key": key, "title": title, "body": body, "conversation": conversation, "quiet": quiet, "sound": sound });
        Some((Ok(Event::default().data(data.to_string())), notifications))
    });
    events(told)
}

/// As the system tells a desktop shell that a notification was clicked.
async fn click(
    State(desk): State<Desk>,
    axum::extract::Path(conversation): axum::extract::Path<ConversationId>,
) -> StatusCode {
    desk.notification_clicked(conversation);
    StatusCode::NO_CONTENT
}

fn would_open(opened: broadcast::Receiver<String>) -> impl IntoResponse {
    let told = stream::unfold(opened, |mut opened| async move {
        let address = opened.recv().await.ok()?;
        Some((Ok(Event::default().data(json!(address).to_string())), opened))
    });
    events(told)
}

/// The stream begins with a comment, so that a browser knows at once that it is open.
fn events(told: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> impl IntoResponse {
    let open = stream::iter([Ok(Event::default().comment("open"))]);
    Sse::new(open.chain(told)).keep_alive(KeepAlive::default())
}
