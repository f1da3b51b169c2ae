//! What a caller is told when a request comes to nothing: a status, a code for programs, a message for developers.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::wire::Problem;

/// A request that came to nothing.
#[derive(Debug, Clone)]
pub struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<u64>,
}

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident = $status:ident $code:literal),* $(,)?) => {
        impl Failure {
            /// Every code, as it travels.
            pub const CODES: &'static [&'static str] = &[$($code),*];
            /// Every code with its status.
            pub const STATUSES: &'static [(&'static str, StatusCode)] = &[$(($code, StatusCode::$status)),*];

            $($(#[$doc])* pub fn $name(message: impl Into<String>) -> Self {
                Self { status: StatusCode::$status, code: $code, message: message.into(), retry_after: None }
            })*
        }
    };
}

failures! {
    /// The request cannot be understood.
    bad_request = BAD_REQUEST "bad_request",
    /// No token, or one that holds no longer.
    signed_out = UNAUTHORIZED "signed_out",
    /// The administration has shut this device out: what it keeps must go.
    revoked = UNAUTHORIZED "revoked",
    /// Agency, username, password or code do not fit; which of them is not said.
    wrong_credentials = UNAUTHORIZED "wrong_credentials",
    /// The one-time code is the right one, and has run out. Nobody else is told so.
    code_expired = GONE "code_expired",
    /// A webhook whose signature does not fit.
    bad_signature = UNAUTHORIZED "bad_signature",
    /// The person's roles do not allow it.
    forbidden = FORBIDDEN "forbidden",
    /// A webhook's handshake with another token.
    bad_verify_token = FORBIDDEN "bad_verify_token",
    /// Nothing here, or nothing that this person may know of.
    not_found = NOT_FOUND "not_found",
    /// The path is right and the method is not.
    method_not_allowed = METHOD_NOT_ALLOWED "method_not_allowed",
    /// The body did not come in time.
    too_slow = REQUEST_TIMEOUT "too_slow",
    /// The cursor belongs to another journal: start afresh.
    cursor_gone = GONE "cursor_gone",
    /// The body is too long.
    too_large = PAYLOAD_TOO_LARGE "too_large",
    /// The body is encoded, or not of the type expected.
    unsupported = UNSUPPORTED_MEDIA_TYPE "unsupported",
    /// The password is too easy to guess.
    weak_password = UNPROCESSABLE_ENTITY "weak_password",
    /// The desk speaks a contract that is too old.
    upgrade_required = UPGRADE_REQUIRED "upgrade_required",
    /// Too many attempts: wait.
    too_many = TOO_MANY_REQUESTS "too_many",
    /// The gateway is starting, stopping, or cannot decide for this agency now.
    not_ready = SERVICE_UNAVAILABLE "not_ready",
    /// The delivery or command could not be stored: send it again.
    not_stored = SERVICE_UNAVAILABLE "not_stored",
}

impl Failure {
    /// Says when to come again.
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Something went wrong in here: logged once, told without particulars.
    pub fn inside(error: &anyhow::Error) -> Self {
        tracing::error!(error = format!("{error:#}"), "A request failed");
        Self::not_ready("Something went wrong inside the gateway; it is logged there").retry_after(1)
    }

    /// The path leads nowhere, for whoever asks.
    pub fn nothing_here() -> Self {
        Self::not_found("There is nothing here")
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::inside(&error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let problem = Problem { code: self.code.to_owned(), message: self.message };
        let mut response = (self.status, Json(problem)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
