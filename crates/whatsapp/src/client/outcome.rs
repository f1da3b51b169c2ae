//! What is certain after a send that was not accepted.
//!
//! Codes decide, not the HTTP status: Meta answers 400 to nearly everything. Source: Meta's page support/error-codes.

use std::error::Error;

use serde_json::Value;

use crate::MetaError;

/// Why a message was not accepted, by what may be done now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendFailure {
    /// It is certain that nothing was sent, and the message itself is not at fault: it may be tried again.
    #[error("Sending: not sent, may be tried again: {1}")]
    NotSent(Again, MetaError),
    /// Meta says no to this message; trying again would not help.
    #[error("Sending: refused: {0}")]
    Refused(MetaError),
    /// Meta says no to everything from this number: a bad token, a blocked account, a payment. Nothing was sent; stop
    /// sending and raise the alarm.
    #[error("Sending: the number or its account may not send: {0}")]
    Stop(MetaError),
    /// It may have been sent. Only a status with the same callback data, or a person, can settle it.
    #[error("Sending: the outcome is not known: {0}")]
    Ambiguous(MetaError),
}

/// How to try again what was certainly not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// No connection: after a growing pause.
    Connection,
    /// The number, account or app sends too fast: all of it more slowly, after a growing pause.
    Rate,
    /// Too fast to this one person: after 4^X s for the X-th time; others go on.
    PairRate,
    /// The number is being worked on: after 20–60 s.
    Maintenance,
}

impl SendFailure {
    /// A failure before an answer came.
    pub(super) fn from_transport(error: reqwest::Error) -> Self {
        let reason = MetaError { details: Some(chain(&error)), ..MetaError::ours(said(&error)) };
        // A connection that was never made carried no request, nor did a request that could not be built.
        if error.is_connect() {
            Self::NotSent(Again::Connection, reason)
        } else if error.is_builder() {
            Self::Refused(reason)
        } else {
            Self::Ambiguous(reason)
        }
    }

    /// The head of an answer came, its body did not.
    pub(super) fn without_answer(status: u16, error: &reqwest::Error) -> Self {
        let reason = format!("The answer (HTTP {status}) broke off");
        Self::Ambiguous(MetaError { details: Some(chain(error)), ..MetaError::ours(reason) })
    }

    /// `None` if the answer is an acceptance.
    pub(super) fn from_answer(status: u16, answer: Option<&Value>) -> Option<Self> {
        let error = answer.and_then(|answer| answer.get("error")).filter(|error| error.is_object());
        match (error.map(MetaError::read), status) {
            (Some(error), _) => Some(Self::from_code(status, error)),
            (None, 200..=299) => None,
            (None, _) => Some(Self::from_status(status)),
        }
    }

    fn from_code(status: u16, error: MetaError) -> Self {
        match error.code {
            Some(4 | 80_007 | 130_429) => Self::NotSent(Again::Rate, error),
            Some(131_056) => Self::NotSent(Again::PairRate, error),
            Some(131_057 | 2_494_100) => Self::NotSent(Again::Maintenance, error),
            Some(1 | 2 | 131_000 | 131_016 | 133_004) => Self::Ambiguous(error),
            // Token and permission; account and country; payment; registration of the number.
            Some(0 | 3 | 10 | 190 | 200..=299 | 131_005)
            | Some(368 | 131_031 | 130_497)
            | Some(131_042 | 134_011)
            | Some(131_045 | 133_000 | 133_005 | 133_006 | 133_008..=133_010 | 133_015 | 133_016) => Self::Stop(error),
            _ if status >= 500 => Self::Ambiguous(error),
            Some(_) => Self::Refused(error),
            None => match Self::from_status(status) {
                Self::Refused(_) => Self::Refused(error),
                other => other,
            },
        }
    }

    /// An answer without an error object is not Meta's own word: a proxy's, or an outage's.
    fn from_status(status: u16) -> Self {
        let reason = MetaError::ours(format!("HTTP {status} without an error object"));
        match status {
            401 => Self::Stop(reason),
            429 => Self::NotSent(Again::Rate, reason),
            400..=499 if status != 408 => Self::Refused(reason),
            _ => Self::Ambiguous(reason),
        }
    }

    /// The error behind it.
    pub fn error(&self) -> &MetaError {
        match self {
            Self::NotSent(_, error) | Self::Refused(error) | Self::Stop(error) | Self::Ambiguous(error) => error,
        }
    }
}

fn said(error: &reqwest::Error) -> &'static str {
    match (error.is_connect(), error.is_timeout()) {
        (true, _) => "No connection to WhatsApp",
        (false, true) => "No answer from WhatsApp in time",
        (false, false) => "The connection to WhatsApp broke",
    }
}

/// The causes, without the address, which names the number.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next = error.source();
    while let Some(cause) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn class(status: u16, code: i64) -> &'static str {
        match SendFailure::from_answer(status, Some(&json!({"error": {"code": code}}))) {
            None => "accepted",
            Some(SendFailure::NotSent(Again::PairRate, _)) => "pair",
            Some(SendFailure::NotSent(..)) => "again",
            Some(SendFailure::Refused(_)) => "refused",
            Some(SendFailure::Stop(_)) => "stop",
            Some(SendFailure::Ambiguous(_)) => "ambiguous",
        }
    }

    #[test]
    fn each_code_has_its_class() {
        let classes: [(&str, &[i64]); 5] = [
            ("again", &[4, 80_007, 130_429, 131_057, 2_494_100]),
            ("pair", &[131_056]),
            ("ambiguous", &[1, 2, 131_000, 131_016, 133_004]),
            (
                "stop",
                &[0, 3, 10, 190, 200, 250, 299, 131_005, 368, 131_031, 130_497, 131_042, 134_011, 131_045, 133_000],
            ),
            (
                "refused",
                &[
                    33, 100, 131_008, 131_009, 131_021, 131_026, 131_047, 131_048, 131_049, 131_062, 130_472, 137_000,
                    300, 987_654,
                ],
            ),
        ];
        for (expected, codes) in classes {
            for code in codes {
                assert_eq!(class(400, *code), expected, "{code}");
            }
        }
    }

    #[test]
    fn a_broken_server_proves_nothing_unless_its_code_does() {
        assert_eq!(class(500, 987_654), "ambiguous");
        assert_eq!(class(503, 130_429), "again");
        assert_eq!(class(500, 190), "stop");
        assert_eq!(class(200, 131_047), "refused", "an error object is an error whatever the status");
    }

    #[test]
    fn answers_without_an_error_object() {
        let class = |status| SendFailure::from_answer(status, None);
        assert_eq!(class(200), None);
        assert!(matches!(class(401), Some(SendFailure::Stop(_))));
        assert!(matches!(class(429), Some(SendFailure::NotSent(Again::Rate, _))));
        assert!(matches!(class(403), Some(SendFailure::Refused(_))));
        for status in [302, 307, 408, 500, 502, 503, 504] {
            assert!(matches!(class(status), Some(SendFailure::Ambiguous(_))), "{status}");
        }
    }
}
