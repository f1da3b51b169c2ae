//! The small words: roles, states, statuses.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// What a member of staff may be. A person has one or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers citizens (موظف الرد).
    Agent,
    /// Shares the chats out, and answers (رئيس الفريق).
    Lead,
    /// Keeps accounts, sees no content (مسؤول النظام).
    Admin,
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Somebody owes an answer or an end.
    Open,
    /// Ended with an outcome.
    Closed,
}

/// How far a message that we send has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted by the gateway, waiting its turn.
    Queued,
    /// The gateway may be POSTing it; with a wamid: WhatsApp has accepted it.
    Sending,
    /// The POST may or may not have reached WhatsApp; a status webhook or a person settles it.
    Uncertain,
    /// WhatsApp has sent it on.
    Sent,
    /// It is on the citizen's telephone.
    Delivered,
    /// The citizen has opened it.
    Read,
    /// The citizen has played it (voice messages).
    Played,
    /// It will not arrive; `error` says why.
    Failed,
    /// Its writer, or a lead, took it back before it went.
    Recalled,
}

impl Status {
    fn rung(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Sending => 1,
            Self::Uncertain => 2,
            // Whatever reports about it knows better.
            Self::Recalled => 3,
            Self::Sent => 4,
            Self::Failed => 5,
            Self::Delivered => 6,
            Self::Read => 7,
            Self::Played => 8,
        }
    }

    /// Whether a report of `next` moves a message that stands at `self` onward. Statuses come late, twice and out of
    /// order, and never go back. `failed` ends the ladder unless a later `delivered` or `read` proves otherwise: a
    /// person with two devices gives both (Meta, webhooks/reference/messages/status).
    pub fn moves_to(self, next: Status) -> bool {
        next.rung() > self.rung()
    }
}

#[cfg(test)]
mod tests {
    use super::Status::*;

    #[test]
    fn ticks_never_go_back() {
        let ladder = [Queued, Sending, Uncertain, Recalled, Sent, Failed, Delivered, Read, Played];
        for (i, from) in ladder.iter().enumerate() {
            for (j, to) in ladder.iter().enumerate() {
                assert_eq!(from.moves_to(*to), j > i, "{from:?} → {to:?}");
            }
        }
    }
}
