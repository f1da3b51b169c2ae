//! What travels between the gateway and the desks (`docs/protocol.md`).

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{
    command::Refusal,
    entry::Entry,
    ids::{AgencyId, CaseId, CommandId, MediaId, Millis, Seq, StaffId, Team},
    words::Role,
};

/// `POST /api/v1/session`: signs a device in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SessionRequest {
    /// Which agency.
    pub agency: AgencyId,
    /// What the person signs in with.
    pub username: String,
    /// Their password; with a code: the new one.
    pub password: String,
    /// What names this workstation, always the same; at most 128 bytes.
    pub device: String,
    /// The one-time code that allows to set the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// The answer to it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SessionAnswer {
    /// Goes into `Authorization: Bearer …`.
    pub token: String,
    /// With it the desk wraps its file key, so that a reset password loses nothing. 32 bytes, base64; the same for a
    /// person and device whenever they sign in.
    pub device_secret: String,
    /// Who signed in.
    pub staff: StaffView,
    /// Where.
    pub agency: AgencyView,
    /// The journal's id.
    pub journal: String,
    /// The gateway's clock.
    pub now: Millis,
    /// Until when the desk opens without the gateway.
    pub lease_until: Millis,
    /// What this gateway speaks.
    pub versions: Versions,
}

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffView {
    /// Their id.
    pub id: StaffId,
    /// Their name.
    pub name: String,
    /// What they may be.
    pub roles: Vec<Role>,
    /// Where they belong.
    pub teams: Vec<Team>,
}

/// An agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgencyView {
    /// Its id.
    pub id: AgencyId,
    /// What it is called in Arabic.
    pub name: String,
}

/// The versions of the contract. A desk sends its own in the header [`VERSION_HEADER`] and gets 426 when it is older
/// than `oldest_desk`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Versions {
    /// The contract that this gateway speaks.
    pub gateway: u32,
    /// The oldest contract that it still understands.
    pub oldest_desk: u32,
}

/// The contract's version.
pub const CONTRACT: u32 = 1;

/// The header in which a desk names the contract that it speaks.
pub const VERSION_HEADER: &str = "x-shubbak-contract";

/// The header in which the answer of `sync` says up to which seq it goes, so that a client can tell how far it has come.
pub const THROUGH_HEADER: &str = "x-shubbak-through";

/// One line of `sync`, one text frame of `live`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A fact.
    Entry(Box<Linked>),
    /// What follows up to `case_end` is a case whole, gained just now: replace what is there.
    Case(Gained),
    /// The end of it.
    CaseEnd(CaseRef),
    /// Sight of something was lost.
    Forget(Forget),
    /// The client stands here now.
    Cursor(Cursor),
    /// Something changed that the stream cannot say: fetch `sync`.
    CatchUp(bool),
    /// What a colleague reads or writes in, now.
    Presence(Presence),
    /// Up to where this person has seen a case, on whichever desk.
    Position(Position),
}

/// That a colleague reads a case, or writes in it. It takes the place of what was said of this person and case before, and
/// fades by itself, so it may be said twice and need not be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Presence {
    /// Who.
    pub staff: StaffId,
    /// Where.
    pub case: CaseId,
    /// For so many milliseconds more they read it, unless it is said again; 0: they do not.
    pub viewing: Millis,
    /// The same for writing.
    pub typing: Millis,
}

/// Up to where a person has seen a case; the greater wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Position {
    /// Which.
    pub case: CaseId,
    /// Up to where.
    pub seq: Seq,
}

/// What a desk says up the socket of `live`, again and again while it is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Up {
    /// The person has this case before their eyes, or none.
    Viewing(Option<CaseId>),
    /// The person is writing in this case, or no longer.
    Typing(Option<CaseId>),
}

/// An entry, and the last one that this client was meant to see before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Linked {
    /// The seq of the one before it, for this client; 0 before the first.
    pub prev: Seq,
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
}

/// A case that came into sight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Gained {
    /// Which.
    pub id: CaseId,
    /// Up to which seq its entries follow.
    pub through: Seq,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseRef {
    /// Which.
    pub id: CaseId,
}

/// What to forget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forget {
    /// A case, with all that belongs to it.
    Case(CaseId),
}

/// Where a client stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cursor {
    /// Opaque: for `after=`.
    pub token: String,
    /// The last seq, whether seen or not.
    pub seq: Seq,
    /// The journal's id.
    pub journal: String,
    /// The gateway's clock.
    pub now: Millis,
    /// The last head that the gateway has signed, to be kept: at the end of a catch-up, where it signs heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Box<Witness>>,
}

/// A head of the journal, signed (Ed25519) by a key that lies apart from the journal. Whoever keeps it can show later
/// that the journal was rewritten or cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Witness {
    /// Whose journal.
    pub agency: AgencyId,
    /// The journal's id.
    pub journal: String,
    /// The last entry's place.
    pub seq: Seq,
    /// The chain after it, in hex.
    pub chain: String,
    /// When it was signed.
    pub at: Millis,
    /// The public key, in hex.
    pub key: String,
    /// The signature of [`Witness::signed`], in hex.
    pub signature: String,
}

impl Witness {
    /// What is signed: one line for each field.
    pub fn signed(&self) -> String {
        let Self { agency, journal, seq, chain, at, .. } = self;
        format!("shubbak head 1\n{agency}\n{journal}\n{seq}\n{chain}\n{at}\n")
    }
}

/// The answer to one command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// The command's id.
    pub id: CommandId,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The one-time code of a new account, for `add_staff`. It is computed anew for each answer and never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The entries that came of it.
    Accepted(Vec<Seq>),
    /// Why nothing came of it.
    Refused(Refusal),
}

/// The answer to a file that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Uploaded {
    /// The name under which it is asked for and named in commands: its content's.
    pub sha256: MediaId,
    /// How many bytes it has.
    pub size: u64,
    /// What it is, by its content.
    pub r#type: String,
}

/// The body of every HTTP error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// For programs.
    pub code: String,
    /// For developers, in English.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_travel_as_the_contract_says() {
        let case = "01900000-0000-7000-8000-000000000002";
        for line in [
            json!({"case": {"id": case, "through": 9}}),
            json!({"case_end": {"id": case}}),
            json!({"forget": {"case": case}}),
            json!({"cursor": {"token": "t", "seq": 3, "journal": "j", "now": 5}}),
            json!({"cursor": {"token": "t", "seq": 3, "journal": "j", "now": 5, "witness": {"agency": "mew",
                "journal": "j", "seq": 2, "chain": "00", "at": 4, "key": "01", "signature": "02"}}}),
            json!({"catch_up": true}),
            json!({"presence": {"staff": case, "case": case, "viewing": 20_000, "typing": 0}}),
            json!({"position": {"case": case, "seq": 7}}),
            json!({"entry": {"seq": 4, "prev": 2, "id": case, "at": 1, "scope": "agency", "subject": "pack",
                "actor": "system", "cause": null, "kind": "later", "version": 1, "body": {}}}),
        ] {
            let read: Line = serde_json::from_value(line.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), line);
        }
    }

    #[test]
    fn what_a_desk_says_travels_as_the_contract_says() {
        let case = "01900000-0000-7000-8000-000000000002";
        for said in
            [json!({"viewing": case}), json!({"viewing": null}), json!({"typing": case}), json!({"typing": null})]
        {
            let read: Up = serde_json::from_value(said.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), said);
        }
        for nonsense in ["7", "\"viewing\"", "{}", "{\"viewing\": 7}", "{\"typing\": null, \"viewing\": null}"] {
            assert!(serde_json::from_str::<Up>(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn answers_travel_as_the_contract_says() {
        let id = "01900000-0000-7000-8000-000000000002";
        for answer in [
            json!({"id": id, "accepted": [4, 5]}),
            json!({"id": id, "refused": {"code": "newer_reply", "message": "…", "details": {"seq": 4}}}),
        ] {
            let read: Answer = serde_json::from_value(answer.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), answer);
        }
    }
}
