//! `POST` and `DELETE /api/v1/session`: signing a device in and out.
//!
//! Whether agency, username, password or code was wrong is not said, and takes as long as if it were right. Failures make
//! the next attempt with that username from that network wait, known or not, so a guesser learns nothing from the waiting
//! either. An agency that there is not goes the same way, to the same waiting: its failures are counted beside those of one
//! that there is, under a name that no account can have. Who has many networks is held by a second count, for a username from everywhere; it does not touch a network or
//! a workstation from which that account was signed in with before, nor a one-time code, so nobody outside can keep a
//! clerk at their own desk from signing in, nor for good from a new one.

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
    password,
    wire::{AgencyView, CONTRACT, SessionAnswer, SessionRequest, StaffView, Versions},
};
use zeroize::Zeroizing;

use crate::{
    agency::Agency,
    connections,
    failure::Failure,
    gateway::Gateway,
    journal::{Attempts, Batch, Credential},
    keys,
    live::Event,
    passwords,
    requests::{self, OLDEST_DESK, Signed},
    signs,
};

const LARGEST: usize = 16 << 10;
/// So many failures cost nothing: people mistype.
const FREE_FAILURES: u32 = 5;
/// So many from everywhere that is not familiar, together.
const FREE_EVERYWHERE: u32 = 30;
/// A network or a workstation is familiar for so long after somebody signed in from it.
const FAMILIAR: Millis = 180 * 24 * 3_600_000;
/// Bytes; an account's has no more.
const LONGEST_USERNAME: usize = 64;
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
    // Nobody types them, and not every storage has a place for each of them.
    if [&request.username, &request.device].iter().any(|name| name.contains(char::is_control)) {
        return Err(Failure::bad_request("username and device have no control characters"));
    }
    let now = gateway.clock.now();
    let password = Zeroizing::new(password::normal(&request.password));
    let given = request.username.to_lowercase();
    let (agency, username) = match gateway.agencies.get(&request.agency) {
        Some(agency) => (agency, given),
        None => (gateway.agencies.values().next().ok_or_else(wrong)?, nobodys(&request.agency, &given)),
    };
    let agency = Arc::clone(agency);
    let code = request.code.as_deref().map(str::trim).filter(|code| !code.is_empty());
    let network = connections::origin(peer.ip(), &headers, gateway.behind_proxy).to_string();
    let place = |what: &str, place: &str| gateway.key.place(&agency.id, &username, &format!("{what} {place}"));
    let places = [place("network", &network), place("device", &request.device)];
    let (here, everywhere) = (format!("{username} {network}"), Some(format!("{username} *")));
    let mut guesser = Guesser { here, everywhere, places, counts: is_worth_counting(&username) };
    let account = find(&agency, &username, &mut guesser).await?;
    must_not_wait(&account.attempts, FREE_FAILURES, now)?;
    if code.is_none() {
        must_not_wait(&account.everywhere, FREE_EVERYWHERE, now)?;
    }

    let setting = match code {
        Some(code) => {
            let command = account.credential.code_command;
            let command = command.filter(|command| gateway.key.is_code(&agency.id, *command, code));
            let in_use = account.staff.as_ref().is_some_and(|staff| staff.viewer.active);
            if command.is_some() && in_use && now >= account.credential.code_until {
                return Err(Failure::code_expired("The one-time code has run out: ask for a new one"));
            }
            // The password's weakness is told only to whoever has the code.
            if let Some(command) = command {
                let names = names(&agency, account.staff.as_ref()).await?;
                let names: Vec<&str> = names.iter().map(String::as_str).chain([&*agency.id, &*username]).collect();
                if let Some(why) = passwords::weakness(&password, &names) {
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
            batch.clear_failures(&guesser.here)?;
            batch.note_familiar(&guesser.places, now, now - FAMILIAR)?;
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

/// Under which name guesses with an agency that there is not are counted: no account's has such a letter.
fn nobodys(agency: &str, username: &str) -> String {
    let mark = keys::sha256(format!("{agency}\0{username}").as_bytes());
    if is_worth_counting(username) { format!("?{}", BASE64URL_NOPAD.encode(&mark)) } else { username.to_owned() }
}

/// A name longer than any username is not worth a row.
fn is_worth_counting(username: &str) -> bool {
    username.len() <= LONGEST_USERNAME
}

/// Who tries, as failures are counted.
struct Guesser {
    /// The username from this network.
    here: String,
    /// The username from everywhere; `None` where it was signed in with before.
    everywhere: Option<String>,
    /// The network and the workstation.
    places: [Hash; 2],
    /// Whether failures with this username are counted.
    counts: bool,
}

struct Account {
    staff: Option<StaffFacts>,
    credential: Credential,
    /// From this network.
    attempts: Attempts,
    /// From everywhere, if that counts here.
    everywhere: Attempts,
}

async fn find(agency: &Arc<Agency>, username: &str, guesser: &mut Guesser) -> Result<Account, Failure> {
    let (username, places) = (username.to_owned(), guesser.places);
    let (here, everywhere) = (guesser.here.clone(), guesser.everywhere.clone().unwrap_or_default());
    let (account, familiar) = agency
        .read(move |reader| {
            let staff = reader.records.staff_by_username(&username)?;
            let id: Option<StaffId> = staff.as_ref().map(|staff| staff.viewer.staff);
            let credential = id.map(|id| reader.journal.credential(id)).transpose()?.unwrap_or_default();
            let (attempts, everywhere) = (reader.journal.attempts(&here)?, reader.journal.attempts(&everywhere)?);
            Ok((Account { staff, credential, attempts, everywhere }, reader.journal.familiar(&places)?))
        })
        .await?;
    if familiar {
        guesser.everywhere = None;
        return Ok(Account { everywhere: Attempts::default(), ..account });
    }
    Ok(account)
}

/// What a person and their agency are called.
async fn names(agency: &Arc<Agency>, staff: Option<&StaffFacts>) -> Result<Vec<String>, Failure> {
    let pack = agency.read(|reader| Ok(reader.records.pack()?)).await?;
    let agency = pack.map(|pack| [pack.name.ar.clone(), pack.name.en.clone()]);
    Ok(agency.into_iter().flatten().chain(staff.map(|staff| staff.name.clone())).collect())
}

/// After some failures each further one doubles the wait; it ends by itself, so nobody is locked out for good.
fn must_not_wait(attempts: &Attempts, free: u32, now: Millis) -> Result<(), Failure> {
    let Some(counted) = attempts.failures.checked_sub(free) else { return Ok(()) };
    let wait = 1000_i64.checked_shl(counted.min(20)).map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT));
    let left = attempts.at + wait - now;
    // A failure that is still to come was counted before the clock was set back.
    if !(1..=wait).contains(&left) {
        return Ok(());
    }
    let seconds = u64::try_from(left / 1000 + 1).unwrap_or(1);
    signs::sign_in_failed("too_many");
    Err(Failure::too_many("Too many attempts with this username").retry_after(seconds))
}

async fn fail<T>(agency: &Arc<Agency>, guesser: Guesser, now: Millis) -> Result<T, Failure> {
    if guesser.counts {
        let counted = move |batch: &Batch<'_>| {
            for name in std::iter::once(&guesser.here).chain(&guesser.everywhere) {
                batch.count_failure(name, now, now - FORGET_AFTER)?;
            }
            Ok(((), None))
        };
        agency.change(counted).await?;
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
        let wait = |failures, later| {
            must_not_wait(&Attempts { failures, at: 1_000_000 }, FREE_FAILURES, 1_000_000 + later).is_err()
        };
        assert!(!wait(4, 0));
        assert!(wait(5, 0) && !wait(5, 1000));
        assert!(wait(8, 7000) && !wait(8, 8000));
        assert!(wait(u32::MAX, LONGEST_WAIT - 1) && !wait(u32::MAX, LONGEST_WAIT));
    }
}
