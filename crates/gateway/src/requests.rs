//! Reading a request: its type, its length, its body, who asks.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use domain::{
    chain::Hash,
    ids::StaffId,
    permission::{Act, may},
    wire::{CONTRACT, VERSION_HEADER},
};
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{agency::Agency, failure::Failure, gateway::Gateway, keys};

/// The oldest contract that this gateway still understands.
pub const OLDEST_DESK: u32 = 1;

/// Refuses an encoded body.
pub fn must_not_be_encoded(headers: &HeaderMap) -> Result<(), Failure> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding.to_str().ok().map(str::trim) != Some("identity") => {
            Err(Failure::unsupported("The body must not be encoded"))
        }
        _ => Ok(()),
    }
}

/// Refuses an encoded body, or one that is not said to be JSON.
pub fn must_be_plain_json(headers: &HeaderMap) -> Result<(), Failure> {
    must_not_be_encoded(headers)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        Ok(())
    } else {
        Err(Failure::unsupported("The body must be application/json"))
    }
}

/// What is read of a body that is too long, or for which there is no room, before that is said: whoever is still writing
/// when the connection closes would see it break, and not the answer.
const PATIENCE: usize = 16 << 20;

/// Bytes of bodies that are in memory at once. Whoever comes beyond them is told to come again: anybody can send a body,
/// and whether it is genuine is known only once it is whole.
pub const ROOM: usize = 12 << 20;

/// A body, and the room that it takes.
pub struct Whole {
    /// The body.
    pub bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// Reads a body of at most so many bytes, which has to come in time.
pub async fn read(gateway: &Gateway, headers: &HeaderMap, body: Body, largest: usize) -> Result<Whole, Failure> {
    let within = gateway.limits.body();
    match tokio::time::timeout(within, read_whole(&gateway.room, headers, body, largest)).await {
        Ok(read) => read,
        Err(_) => Err(Failure::too_slow(format!("The body did not come within {} seconds", within.as_secs()))),
    }
}

/// The length that is said of a body.
pub fn said_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

async fn read_whole(room: &Arc<Semaphore>, headers: &HeaderMap, body: Body, largest: usize) -> Result<Whole, Failure> {
    let said = said_length(headers).and_then(|length| usize::try_from(length).ok());
    let too_large = || Failure::too_large(format!("The body has more than {largest} bytes"));
    if said.is_some_and(|length| length > PATIENCE) {
        return Err(too_large());
    }
    let mut chunks = body.into_data_stream();
    let mut whole = Vec::with_capacity(said.unwrap_or(0).min(largest));
    let (mut length, mut crowded) = (0, false);
    let mut taken: Option<OwnedSemaphorePermit> = None;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Failure::bad_request("The body broke off"))?;
        length += chunk.len();
        // Taken as it comes: a slow body holds what it has sent, and not what it promises.
        let acquire = || Arc::clone(room).try_acquire_many_owned(u32::try_from(chunk.len()).ok()?).ok();
        let more = if length <= largest && !crowded { acquire() } else { None };
        let Some(more) = more else {
            // The rest is read and forgotten.
            crowded |= length <= largest;
            (whole, taken) = (Vec::new(), None);
            if length > PATIENCE {
                break;
            }
            continue;
        };
        match &mut taken {
            Some(taken) => taken.merge(more),
            None => taken = Some(more),
        }
        whole.extend_from_slice(&chunk);
    }
    if length > largest {
        return Err(too_large());
    }
    if crowded {
        return Err(Failure::not_ready("Too many bodies come at once").retry_after(1));
    }
    Ok(Whole { bytes: whole.into(), _room: taken })
}

/// Who asks: a device that is signed in, and the person whose it is.
pub struct Signed {
    /// Where.
    pub agency: Arc<Agency>,
    /// Who.
    pub staff: StaffId,
    /// The hash of the device's token.
    pub token: Hash,
}

impl FromRequestParts<Arc<Gateway>> for Signed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Failure> {
        must_be_new_enough(&parts.headers)?;
        let nobody = || Failure::signed_out("Sign in: the token is missing or holds no longer");
        let given = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = given.and_then(|given| given.strip_prefix("Bearer ")).ok_or_else(nobody)?;
        let (agency, _) = token.split_once('.').ok_or_else(nobody)?;
        let agency = Arc::clone(gateway.agencies.get(agency).ok_or_else(nobody)?);
        let token = keys::sha256(token.as_bytes());
        let (staff, revoked) = agency
            .read(move |reader| {
                let staff = reader.signed_in(&token)?;
                Ok((staff, staff.is_none() && reader.journal.is_revoked(&token)?))
            })
            .await?;
        if revoked {
            return Err(Failure::revoked("This device was shut out: remove what it keeps for this account"));
        }
        let staff = staff.ok_or_else(nobody)?;
        Ok(Self { agency, staff, token })
    }
}

impl Signed {
    /// Refuses whoever's roles do not allow an act.
    pub async fn must(&self, act: Act) -> Result<(), Failure> {
        let whose = self.staff;
        let staff = self.agency.read(move |reader| Ok(reader.records.staff(whose)?)).await?;
        let allowed = staff.is_some_and(|staff| may(&staff.viewer.roles, act));
        if allowed { Ok(()) } else { Err(Failure::forbidden("Your roles do not allow this")) }
    }
}

/// A desk that speaks a contract from before `OLDEST_DESK` is told to be brought up to date.
pub fn must_be_new_enough(headers: &HeaderMap) -> Result<(), Failure> {
    let Some(given) = headers.get(VERSION_HEADER) else { return Ok(()) };
    match given.to_str().ok().and_then(|given| given.parse::<u32>().ok()) {
        Some(version) if version >= OLDEST_DESK => Ok(()),
        Some(_) => Err(Failure::upgrade_required(format!(
            "This desk is too old: the gateway speaks contract {CONTRACT} and understands {OLDEST_DESK} and later"
        ))),
        None => Err(Failure::bad_request(format!("{VERSION_HEADER} is not a number"))),
    }
}
