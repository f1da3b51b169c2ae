//! Ids and time, both handed in, so that every run can be repeated.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// A place in an agency's journal: dense, from 1, in commit order. 0 stands before the first entry.
pub type Seq = i64;

/// Where time comes from. Only a program's `main` and its tests implement it.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Millis;
}

/// Where new ids come from: UUIDv7, so that ids sort by the time they were made.
pub trait Ids: Send + Sync + 'static {
    /// A fresh UUIDv7 that bears `now`.
    fn next(&self, now: Millis) -> Uuid;
}

/// The computer's own clock and random ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "the one place where the computer's clock is read")]
    fn now(&self) -> Millis {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Ids for System {
    fn next(&self, now: Millis) -> Uuid {
        let millis = u64::try_from(now).unwrap_or(0);
        let at = uuid::Timestamp::from_unix(
            uuid::timestamp::context::NoContext,
            millis / 1000,
            u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000,
        );
        Uuid::new_v7(at)
    }
}

/// The time that a UUIDv7 bears, or `None` for another version.
pub fn made_at(id: Uuid) -> Option<Millis> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    (id.get_version_num() == 7).then_some(i64::try_from(seconds).ok()? * 1000 + i64::from(nanos) / 1_000_000)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS, ToSchema)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map($name)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                $name(id)
            }
        }
    )*};
}

ids! {
    /// A member of staff.
    StaffId,
    /// A person who writes to the agency.
    ContactId,
    /// The endless stream of messages between one contact and one line.
    ConversationId,
    /// One unit of work in a conversation.
    CaseId,
    /// One thing sent or received.
    MessageId,
    /// What staff write for each other on a case.
    NoteId,
    /// What a person asks for. A message, note or member of staff that it creates bears the same id.
    CommandId,
    /// One fact in the journal.
    EntryId,
    /// One webhook POST as received.
    DeliveryId,
}

impl ContactId {
    /// Four letters and digits that can be said aloud: none that sounds or looks like another.
    pub fn short_code(self) -> String {
        const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        let (_, low) = self.0.as_u64_pair();
        let letter = |place: u32| {
            let index = usize::try_from((low >> (place * 5)) & 31).unwrap_or(0);
            LETTERS.get(index).copied().map_or('A', char::from)
        };
        (0..4).map(letter).collect()
    }
}

/// A file that staff or citizens sent, named by its content: the SHA-256, in hex where it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaId(pub [u8; 32]);

impl fmt::Display for MediaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl std::str::FromStr for MediaId {
    type Err = NotAMediaId;
    fn from_str(text: &str) -> Result<Self, NotAMediaId> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| NotAMediaId)?;
        bytes.try_into().map(MediaId).map_err(|_| NotAMediaId)
    }
}

impl Serialize for MediaId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MediaId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A text that should have been a [`MediaId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Not a SHA-256 in small hex digits")]
pub struct NotAMediaId;

/// An agency's short name, as in `gateway.toml` (`mew`).
pub type AgencyId = String;
/// A team's slug, as in the pack (`emergency`).
pub type Team = String;
/// A WhatsApp number's `phone_number_id`, opaque.
pub type LineId = String;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_bears_its_time() {
        let id = System.next(1_795_358_400_123);
        assert_eq!(made_at(id), Some(1_795_358_400_123));
        assert_eq!(made_at(Uuid::nil()), None);
    }

    #[test]
    fn a_short_code_is_always_the_same() {
        let contact = ContactId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_1234_5678));
        assert_eq!(contact.short_code(), contact.short_code());
        assert_eq!(contact.short_code().len(), 4);
        assert_ne!(contact.short_code(), ContactId(Uuid::from_u128(1)).short_code());
    }

    #[test]
    fn media_are_named_in_one_way_alone() {
        let name = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(name.parse::<MediaId>().unwrap().to_string(), name);
        for other in
            [&name.to_uppercase(), name.get(1..).unwrap_or_default(), &format!("{name}00"), "../../../etc/passwd", ""]
        {
            assert_eq!(other.parse::<MediaId>(), Err(NotAMediaId), "{other}");
        }
    }
}
