//! What the window is told when a call fails.

use crate::{
    api::{CallError, ErrorCode},
    client::{BadAddress, Failure},
    keychain::NoKeychain,
};

/// An error with this code; the message is for the log.
pub(crate) fn call_error(code: ErrorCode, message: impl std::fmt::Display) -> CallError {
    CallError { code, message: message.to_string() }
}

/// What was named is not here.
pub(crate) fn not_found(what: &str) -> CallError {
    call_error(ErrorCode::NotFound, format_args!("There is no such {what}"))
}

impl From<anyhow::Error> for CallError {
    fn from(error: anyhow::Error) -> Self {
        tracing::error!(error = format!("{error:#}"), "A call failed");
        call_error(ErrorCode::Failed, format_args!("{error:#}"))
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        let code = match &failure {
            Failure::NoConnection(_) | Failure::Unreachable(_) => ErrorCode::Unreachable,
            Failure::SlowDown(_) => ErrorCode::SlowDown,
            Failure::NotLetIn | Failure::Revoked => ErrorCode::WrongPassword,
            Failure::TooOld => ErrorCode::TooOld,
            Failure::OtherJournal | Failure::NotAGateway(_) => ErrorCode::NotAGateway,
            Failure::Refused { code, .. } if code == "weak_password" => ErrorCode::WeakPassword,
            Failure::Refused { code, .. } if code == "code_expired" => ErrorCode::CodeExpired,
            Failure::Refused { status: 404 | 405, .. } => ErrorCode::NotAGateway,
            Failure::Refused { .. } => ErrorCode::Failed,
        };
        call_error(code, failure)
    }
}

impl From<BadAddress> for CallError {
    fn from(error: BadAddress) -> Self {
        call_error(ErrorCode::BadAddress, error)
    }
}

impl From<NoKeychain> for CallError {
    fn from(error: NoKeychain) -> Self {
        call_error(ErrorCode::NoKeychain, error)
    }
}
