//! What goes wrong on purpose.

use serde::{Deserialize, Serialize};

/// Everything that can be switched on, by `PUT /faults`. What is not named is off.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// What happens to a send instead of an acceptance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<SendFault>,
    /// Every answer of the Graph API takes so long.
    pub slow_ms: u64,
    /// Each webhook comes twice.
    pub duplicate_webhooks: bool,
    /// Webhooks overtake each other: of three in a row, the last comes first.
    pub shuffle_webhooks: bool,
    /// No status is ever sent.
    pub lose_statuses: bool,
}

/// What happens to a send: `{"accept": true, "hang": true}`, `{"http": 500, "code": 131000}`, `{"code": 131056, "times": 2}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SendFault {
    /// The message reaches the citizen all the same.
    pub accept: bool,
    /// No answer ever comes. Otherwise:
    pub hang: bool,
    /// The answer's HTTP status…
    pub http: u16,
    /// …and Meta's code in it.
    pub code: i64,
    /// How many sends it befalls; all of them if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

impl Default for SendFault {
    fn default() -> Self {
        Self { accept: false, hang: false, http: 400, code: 131_000, times: None }
    }
}

impl Faults {
    /// What befalls the next send.
    pub(crate) fn take_send(&mut self) -> Option<SendFault> {
        let fault = self.send.clone()?;
        if let Some(times) = fault.times {
            self.send = (times > 1).then(|| SendFault { times: Some(times - 1), ..fault.clone() });
        }
        (fault.times != Some(0)).then_some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lasts_as_often_as_it_says() {
        let mut faults: Faults = serde_json::from_str(r#"{"send": {"code": 131056, "times": 2}}"#).unwrap();
        assert_eq!(faults.take_send().unwrap().code, 131_056);
        assert!(faults.take_send().is_some());
        assert!(faults.take_send().is_none());
        faults.send = Some(SendFault::default());
        assert!((0..10).all(|_| faults.take_send().is_some()));
    }

    #[test]
    fn a_misspelt_fault_is_refused() {
        assert!(serde_json::from_str::<Faults>(r#"{"slow": 5}"#).is_err());
    }
}
