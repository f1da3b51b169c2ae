//! `POST` and `DELETE /api/v1/session`: signing a device in and out.
//!
//! Whether agency, username, password or code was wrong is not said, and takes as long as if it were right. Failures make
//! the next attempt with that username from that network wait, known or not, so a guesser learns nothing from the waiting
//! either, and nobody outside can keep a clerk at their own desk from signing in. Rejected: one count for a username from
//! wherever it comes, with which anybody can.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
};
use data_encoding::BASE64URL_NOPAD;
use domain::{
    chain::Hash,
    facts::StaffFacts,
    ids::{Millis, StaffId},
    wire::{AgencyView, CONTRACT, SessionAnswer, SessionRequest, StaffView, Versions},
};
use zeroize::Zeroizing;

use crate::{
    agency::Agency,
    connections,
    failure::Failure,
    gateway::Gateway,
    journal::{Attempts, Credential},
    keys,
    live::Event,
    passwords,
    requests::{self, OLDEST_DESK, Signed},
    signs,
};

const LARGEST: usize = 16 << 10;
/// So many failures cost nothing: people mistype.
const FREE_FAILURES: u32 = 5;
/// A space and an IPv6 network as text.
const LONGEST_NETWORK: usize = 40;
const LONGEST_WAIT: Millis = 5 * 60_000;
const FORGET_AFTER: Millis = 24 * 3_600_000;
const DAY: Millis = 24 * 3_600_000;

/// Signs a device in; with a one-time code it also sets the password.
pub async fn sign_in(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<SessionAnswer>), Failure> {
    requests::must_be_new_enough(&headers)?;
    requests::must_be_plain_json(&headers)?;
    let body = requests::read(&gateway, &headers, body, LARGEST).await?;
    let request: SessionRequest = serde_json::from_slice(&body.bytes)
        .map_err(|error| Failure::bad_request(format!("The request cannot be read: {}", plain(&error))))?;
    if request.device.is_empty() || request.device.len() > 128 {
        return Err(Failure::bad_request("device has 1 to 128 bytes"));
    }
    let now = gateway.clock.now();
    let password = Zeroizing::new(request.password.clone());
    let Some(agency) = gateway.agencies.get(&request.agency).map(Arc::clone) else {
        gateway.passwords.fits(password, None).await?;
        return Err(wrong());
    };
    let username = request.username.to_lowercase();
    let guesser = format!("{username} {}", connections::origin(peer.ip(), &headers, gateway.behind_proxy));
    let account = find(&agency, &username, &guesser).await?;
    must_not_wait(&account.attempts, now)?;

    let setting = match request.code.as_deref().map(str::trim).filter(|code| !code.is_empty()) {
        Some(code) => {
            let command = account.credential.code_command.filter(|command| {
                now < account.credential.code_until && gateway.key.is_code(&agency.id, *command, code)
            });
            // The password's weakness is told only to whoever has the code.
            if let Some(command) = command {
                if let Some(why) = passwords::weakness(&password, &agency.id, &username) {
                    return Err(Failure::weak_password(why));
                }
                Some((command, gateway.passwords.hash(password).await?))
            } else {
                gateway.passwords.fits(password, None).await?;
                return fail(&agency, guesser, now).await;
            }
        }
        None => {
            if !gateway.passwords.fits(password, account.credential.password.clone()).await? {
                return fail(&agency, guesser, now).await;
            }
            None
        }
    };
    let Some(staff) = account.staff.filter(|staff| staff.viewer.active) else {
        return fail(&agency, guesser, now).await;
    };
    let token = format!("{}.{}", agency.id, BASE64URL_NOPAD.encode(&keys::random::<32>()?));
    let hash = keys::sha256(token.as_bytes());
    let whose = staff.viewer.staff;
    let device = request.device.clone();
    let checked = account.credential;
    let done = agency
        .change(move |batch| {
            // Somebody may have used the code, or set another password, while this one was being hashed.
            if batch.credential(whose)? != checked {
                return Ok((false, None));
            }
            let mut gone = Vec::new();
            if let Some((_, password)) = &setting {
                gone = batch.set_password(whose, password)?;
            }
            gone.extend(batch.add_device(&hash, whose, &device, now)?);
            batch.clear_failures(&guesser)?;
            Ok((true, signed_out(gone)))
        })
        .await?;
    if !done {
        return Err(wrong());
    }
    let answer = answer(&gateway, &agency, staff, &request.device, token).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Signs this device out.
pub async fn sign_out(signed: Signed) -> Result<StatusCode, Failure> {
    let token = signed.token;
    signed.agency.change(move |batch| Ok(((), signed_out(batch.remove_device(&token)?)))).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn signed_out(tokens: Vec<Hash>) -> Option<Event> {
    (!tokens.is_empty()).then(|| Event::SignedOut(tokens.into()))
}

fn wrong() -> Failure {
    signs::sign_in_failed("wrong");
    Failure::wrong_credentials("Agency, username, password or code do not fit")
}

struct Account {
    staff: Option<StaffFacts>,
    credential: Credential,
    attempts: Attempts,
}

async fn find(agency: &Arc<Agency>, username: &str, guesser: &str) -> Result<Account, Failure> {
    let (username, guesser) = (username.to_owned(), guesser.to_owned());
    agency
        .read(move |reader| {
            let staff = reader.records.staff_by_username(&username)?;
            let id: Option<StaffId> = staff.as_ref().map(|staff| staff.viewer.staff);
            let credential = id.map(|id| reader.journal.credential(id)).transpose()?.unwrap_or_default();
            Ok(Account { staff, credential, attempts: reader.journal.attempts(&guesser)? })
        })
        .await
}

/// After some failures each further one doubles the wait; it ends by itself, so nobody is locked out for good.
fn must_not_wait(attempts: &Attempts, now: Millis) -> Result<(), Failure> {
    let Some(counted) = attempts.failures.checked_sub(FREE_FAILURES) else { return Ok(()) };
    let wait = 1000_i64.checked_shl(counted.min(20)).map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT));
    let left = attempts.at + wait - now;
    if left <= 0 {
        return Ok(());
    }
    let seconds = u64::try_from(left / 1000 + 1).unwrap_or(1);
    signs::sign_in_failed("too_many");
    Err(Failure::too_many("Too many attempts with this username from here").retry_after(seconds))
}

async fn fail<T>(agency: &Arc<Agency>, guesser: String, now: Millis) -> Result<T, Failure> {
    // A name longer than any username is not worth a row.
    if guesser.len() <= 64 + LONGEST_NETWORK {
        agency.change(move |batch| Ok((batch.count_failure(&guesser, now, now - FORGET_AFTER)?, None))).await?;
    }
    Err(wrong())
}

async fn answer(
    gateway: &Gateway,
    agency: &Arc<Agency>,
    staff: StaffFacts,
    device: &str,
    token: String,
) -> Result<SessionAnswer, Failure> {
    let (pack, head) = agency.read(|reader| Ok((reader.records.pack()?, reader.journal.head()?))).await?;
    let now = gateway.clock.now();
    let lease = pack.as_ref().map_or(14, |pack| pack.lease_days);
    let name = pack.map_or_else(|| agency.id.clone(), |pack| pack.name.ar.clone());
    let viewer = staff.viewer;
    Ok(SessionAnswer {
        token,
        device_secret: gateway.key.device_secret(&agency.id, viewer.staff, device),
        staff: StaffView { id: viewer.staff, name: staff.name, roles: viewer.roles, teams: viewer.teams },
        agency: AgencyView { id: agency.id.clone(), name },
        journal: head.journal,
        now,
        lease_until: now + Millis::from(lease) * DAY,
        versions: Versions { gateway: CONTRACT, oldest_desk: OLDEST_DESK },
    })
}

/// What is wrong with JSON, without a word of its content.
fn plain(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_grows_and_ends() {
        let wait = |failures, later| must_not_wait(&Attempts { failures, at: 1_000_000 }, 1_000_000 + later).is_err();
        assert!(!wait(4, 0));
        assert!(wait(5, 0) && !wait(5, 1000));
        assert!(wait(8, 7000) && !wait(8, 8000));
        assert!(wait(u32::MAX, LONGEST_WAIT - 1) && !wait(u32::MAX, LONGEST_WAIT));
    }
}
