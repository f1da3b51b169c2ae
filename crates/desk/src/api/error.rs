//! What went wrong with a call.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What went wrong with a call. Only codes that the window acts on exist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{code:?}: {message}")]
pub struct CallError {
    /// For the window, which says it in words.
    pub code: ErrorCode,
    /// For the log and for developers; never shown as it is.
    pub message: String,
}

words! {
    /// What went wrong with a call.
    ErrorCode {
        /// The request does not fit the command: a defect.
        BadRequest,
        /// No file is open.
        NotSignedIn,
        /// The password, or the one-time code, is wrong.
        WrongPassword,
        /// The one-time code has run out.
        CodeExpired,
        /// The new password is too short or too common.
        WeakPassword,
        /// Too many tries; wait.
        SlowDown,
        /// The gateway cannot be reached.
        Unreachable,
        /// The gateway's address is not an address, or not a safe one.
        BadAddress,
        /// What is there is not a gateway that this program can speak to.
        NotAGateway,
        /// The gateway asks for a newer program.
        TooOld,
        /// The lease has run out: this file opens only once the gateway has answered.
        LeaseExpired,
        /// The system's keychain does not answer.
        NoKeychain,
        /// The file cannot be read: damaged, or written by a newer version.
        BadFile,
        /// What was named is not here.
        NotFound,
        /// The text is empty or too long.
        BadText,
        /// The link is no address of a site, or does not lead where the person was told.
        BadLink,
        /// Anything else: a defect, or a disk that is full.
        Failed,
    }
}
