//! Meta's error object, which comes as an answer, in a status and in a webhook's value alike.

use domain::entry::SendError;
use serde_json::Value;

use crate::webhook::lenient::{integer, text};

/// An error in Meta's words, or in ours where Meta said nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{title} (code {code:?}, subcode {subcode:?}, trace {trace:?})")]
pub struct MetaError {
    /// Meta's code; absent where Meta gave none. Meta's own code 0 is a bad token, so absence is not 0 here.
    pub code: Option<i64>,
    /// Meta's subcode.
    pub subcode: Option<i64>,
    /// Title or message.
    pub title: String,
    /// What exactly is wrong.
    pub details: Option<String>,
    /// `fbtrace_id`: what Meta's support asks for.
    pub trace: Option<String>,
}

impl MetaError {
    /// Reads an error object; unknown and missing fields are no obstacle.
    pub fn read(raw: &Value) -> Self {
        Self {
            code: integer(raw.get("code")),
            subcode: integer(raw.get("error_subcode")),
            title: text(raw.get("title")).or_else(|| text(raw.get("message"))).unwrap_or_default(),
            details: text(raw.pointer("/error_data/details")).or_else(|| text(raw.get("details"))),
            trace: text(raw.get("fbtrace_id")),
        }
    }

    /// An error that is not Meta's.
    pub(crate) fn ours(title: impl Into<String>) -> Self {
        Self { code: None, subcode: None, title: title.into(), details: None, trace: None }
    }
}

impl From<MetaError> for SendError {
    fn from(error: MetaError) -> Self {
        Self { code: error.code.unwrap_or(0), title: error.title, details: error.details }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_shapes_are_read() {
        let answer = json!({"message": "(#131056) Pair rate limit hit", "type": "OAuthException", "code": 131056,
            "error_data": {"messaging_product": "whatsapp", "details": "Too many"}, "fbtrace_id": "Az8"});
        let error = MetaError::read(&answer);
        assert_eq!(
            (error.code, error.details.as_deref(), error.trace.as_deref()),
            (Some(131_056), Some("Too many"), Some("Az8"))
        );

        let status = json!({"code": "131026", "title": "Message undeliverable", "message": "Message undeliverable"});
        assert_eq!(SendError::from(MetaError::read(&status)).code, 131_026);
        assert_eq!(MetaError::read(&json!("nonsense")).code, None);
    }
}
