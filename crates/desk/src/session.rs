//! Signing in and out, locking and unlocking.
//!
//! One at a time: whoever holds the turn opens or closes files. The order of writes is chosen so that a crash between
//! two of them leaves a workstation that opens: the key is in the keychain before there is a file that needs it, and
//! files that no key opens any more are set aside, never deleted.

use std::{fs, sync::Arc};

use anyhow::Context;
use data_encoding::BASE64;
use domain::wire::{SessionAnswer, SessionRequest};

use crate::{
    Desk,
    api::{Account as KnownAccount, CallError, ErrorCode, Parting, Phase, SignIn, SignOut, Signal, Start, Unlock},
    client::{Failure, Gateway},
    failure::{call_error, not_found},
    key::{Closed, FileKey, Item, Session},
    lock, me,
    seat::{Opening, Seat, Who},
    unsent,
    workstation::Account,
};

impl Desk {
    /// Lets somebody in without a screen: by unlocking where they signed in here before, which works off line too, else
    /// by signing in. For demonstrations and tests, with what [`crate::sign_in_from`] read.
    pub async fn enter(&self, request: SignIn) -> Result<Start, CallError> {
        let address = Gateway::at(&request.gateway)?.address().to_owned();
        let known = self.0.workstation.accounts()?.into_iter().find(|account| {
            account.gateway == address && account.agency == request.agency && account.username == request.username
        });
        match known {
            Some(account) => self.session_unlock(Unlock { account: account.id, password: request.password }).await,
            None => self.session_sign_in(request).await,
        }
    }

    pub(crate) async fn session_start(&self) -> Result<Start, CallError> {
        let seat = self.front();
        let known = self.0.workstation.accounts()?;
        let phase = match (&seat, known.first()) {
            (Some(_), _) => Phase::Ready,
            (None, Some(last)) if !last.signed_out => Phase::Locked,
            (None, _) => Phase::SignIn,
        };
        let me = match &seat {
            Some(seat) => Some(me::of(seat).await?),
            None => None,
        };
        let accounts = known.into_iter().map(|account| {
            let Account { id, gateway, agency, username, signed_out: _ } = account;
            KnownAccount { id, gateway, agency, username }
        });
        Ok(Start {
            phase,
            accounts: accounts.collect(),
            settings: self.0.workstation.settings()?,
            me,
            version: self.0.version.clone(),
            going_out: self.going_out().await,
            wiped: self.0.workstation.wiping()?.map(|wiping| wiping.wiped),
        })
    }

    pub(crate) async fn session_sign_in(&self, request: SignIn) -> Result<Start, CallError> {
        let _turn = self.0.turn.lock().await;
        let gateway = Gateway::at(&request.gateway)?;
        let known = self.0.workstation.accounts()?.into_iter().find(|account| {
            account.gateway == gateway.address()
                && account.agency == request.agency
                && account.username == request.username
        });
        let account = known.unwrap_or_else(|| Account {
            id: self.0.hub.ids.next(self.0.hub.clock.now()).to_string(),
            gateway: gateway.address().to_owned(),
            agency: request.agency,
            username: request.username,
            signed_out: false,
        });
        self.sign_in_as(account, gateway, &request.password, request.code).await
    }

    pub(crate) async fn session_unlock(&self, request: Unlock) -> Result<Start, CallError> {
        let _turn = self.0.turn.lock().await;
        let known = self.0.workstation.accounts()?.into_iter().find(|account| account.id == request.account);
        let account = known.ok_or_else(|| not_found("account"))?;
        let gateway = Gateway::at(&account.gateway)?;
        let online = |account| self.sign_in_as(account, gateway.clone(), &request.password, None);

        let item = match self.item(&account).await? {
            Some(Ok(item)) => item,
            Some(Err(newer @ Closed::Newer(_))) => return Err(call_error(ErrorCode::BadFile, newer)),
            // Without a key the gateway has to let this person in first.
            Some(Err(_)) | None => return online(account).await,
        };
        let opened = {
            let (id, password) = (account.id.clone(), request.password.clone());
            tokio::task::spawn_blocking(move || {
                let key = item.open_with_password(&id, &password)?;
                let session = item.session(&id, &key);
                Ok::<_, Closed>((key, session))
            })
            .await
            .context("Opening the file key")?
        };
        let (key, session) = match opened {
            Ok((key, Ok(session))) => (key, session),
            // The token cannot be read: a sign-in brings a new one.
            Ok((_, Err(_))) => return online(account).await,
            // The password may have been set anew since this workstation last saw the gateway.
            Err(_) => {
                return online(account).await.map_err(|error| match error.code {
                    ErrorCode::Unreachable | ErrorCode::NotAGateway => {
                        call_error(ErrorCode::WrongPassword, "The password does not open the file")
                    }
                    _ => error,
                });
            }
        };
        let now = self.0.hub.clock.now().saturating_add(session.clock_offset);
        let expired = now.max(session.signed_in_at) > session.lease_until;
        if account.signed_out || session.token.is_empty() {
            return online(account).await;
        }
        if expired {
            return online(account).await.map_err(|error| match error.code {
                ErrorCode::Unreachable => call_error(ErrorCode::LeaseExpired, error.message),
                _ => error,
            });
        }
        // Nobody else sat down meanwhile: the files are open, and have been kept in step.
        if let Some(seat) = self.seat_if_taken().filter(|seat| seat.account.id == account.id) {
            if seat.is_signed_out() {
                match online(account.clone()).await {
                    Err(CallError { code: ErrorCode::Unreachable, .. }) => {}
                    answered => return answered,
                }
            }
            self.0.hub.set_locked(false);
            self.0.workstation.remember(&account)?;
            self.0.hub.tell(Signal::Session {});
            return self.session_start().await;
        }
        match self.take_seat(account.clone(), key, session, None, gateway.clone()).await {
            // A file that was put in order may not say any more whose it is: the gateway does.
            Err(error) if error.code == ErrorCode::BadFile => {
                online(account).await.map_err(|second| match second.code {
                    ErrorCode::Unreachable => error,
                    _ => second,
                })
            }
            taken => taken,
        }
    }

    pub(crate) async fn session_lock(&self) -> Result<Start, CallError> {
        let _turn = self.0.turn.lock().await;
        if self.seat_if_taken().is_some() {
            self.0.hub.set_locked(true);
        }
        self.0.hub.tell(Signal::Session {});
        self.session_start().await
    }

    pub(crate) async fn session_sign_out(&self, request: SignOut) -> Result<Start, CallError> {
        let _turn = self.0.turn.lock().await;
        let seat = match self.front() {
            Some(seat) => seat,
            None => return self.session_start().await,
        };
        if request.parting == Parting::HandOver {
            unsent::hand_over(&seat).await?;
        }
        // Here first: whatever becomes of the network, this workstation asks the gateway before it opens again.
        let account = Account { signed_out: true, ..seat.account.clone() };
        self.0.workstation.remember(&account)?;
        if let Some(Ok(item)) = self.item(&account).await?
            && let Ok(session) = item.session(&account.id, &seat.key)
        {
            let session = Session { token: String::new(), ..session };
            let item = item.with_session(&account.id, &seat.key, &session)?;
            self.keep_item(&account, &item).await?;
        }
        self.leave_behind(true).await;
        let goes_on = lock(&self.0.behind).iter().any(|behind| behind.seat.account.id == account.id);
        if !goes_on && let Err(failure) = seat.gateway.sign_out(&seat.token).await {
            tracing::warn!(%failure, "The gateway was not told of the sign-out; the token is forgotten here");
        }
        self.0.hub.tell(Signal::Session {});
        self.session_start().await
    }

    /// Asks the gateway to let a person in, and opens their files with what it returns.
    async fn sign_in_as(
        &self,
        account: Account,
        gateway: Gateway,
        password: &str,
        code: Option<String>,
    ) -> Result<Start, CallError> {
        let request = SessionRequest {
            agency: account.agency.clone(),
            username: account.username.clone(),
            password: password.to_owned(),
            device: self.0.device.clone(),
            code,
        };
        let answer = gateway.sign_in(&request).await?;
        let secret = BASE64.decode(answer.device_secret.as_bytes());
        let secret =
            secret.map_err(|error| Failure::NotAGateway(format!("its device secret is no base64: {error}")))?;
        // The same person may be at work here already (their token ran out): their files are closed and opened anew.
        self.make_room(&account).await;

        let SessionAnswer { token, staff, agency, now, lease_until, .. } = answer;
        let clock_offset = now.saturating_sub(self.0.hub.clock.now());
        let session = Session { token, lease_until, signed_in_at: now, clock_offset };
        let key = match self.known_key(&account, &secret, password).await? {
            Some(key) => key,
            None => {
                self.set_aside(&account, now)?;
                FileKey::random()?
            }
        };
        let item = {
            let (id, key, session, password) = (account.id.clone(), key.clone(), session.clone(), password.to_owned());
            tokio::task::spawn_blocking(move || Item::wrap(&id, &key, &password, &secret, &session))
                .await
                .context("Wrapping the file key")??
        };
        self.keep_item(&account, &item).await?;
        let account = Account { signed_out: false, ..account };
        self.take_seat(account, key, session, Some(Who { staff, agency }), gateway).await
    }

    /// The key of the files that are here, if the gateway's secret or the password opens it.
    async fn known_key(&self, account: &Account, secret: &[u8], password: &str) -> Result<Option<FileKey>, CallError> {
        let item = match self.item(account).await? {
            None => return Ok(None),
            Some(Ok(item)) => item,
            Some(Err(newer @ Closed::Newer(_))) => return Err(call_error(ErrorCode::BadFile, newer)),
            Some(Err(error)) => {
                tracing::warn!(%error, "The keychain item is of no use");
                return Ok(None);
            }
        };
        if let Ok(key) = item.open_with_device_secret(&account.id, secret) {
            return Ok(Some(key));
        }
        let (id, password) = (account.id.clone(), password.to_owned());
        let opened = tokio::task::spawn_blocking(move || item.open_with_password(&id, &password));
        Ok(opened.await.context("Opening the file key")?.ok())
    }

    async fn take_seat(
        &self,
        account: Account,
        key: FileKey,
        session: Session,
        who: Option<Who>,
        gateway: Gateway,
    ) -> Result<Start, CallError> {
        self.make_room(&account).await;
        let folder = self.0.workstation.account_folder(&account);
        let (token, clock_offset, hub) = (session.token, session.clock_offset, self.0.hub.clone());
        let opening = Opening { folder, account: account.clone(), key, token, clock_offset, who, gateway, hub };
        let seat = Seat::open_mended(opening).await;
        let seat = seat.map_err(|error| {
            tracing::error!(error = format!("{error:#}"), "The files do not open");
            call_error(ErrorCode::BadFile, format_args!("{error:#}"))
        })?;
        self.0.workstation.remember(&account)?;
        self.0.workstation.set_wiping(None)?;
        self.0.hub.set_locked(false);
        seat.begin().await;
        self.sit_down(seat.clone());
        self.0.hub.tell(Signal::Session {});
        match self.session_start().await {
            // The turn is held here, so whoever watches for damage has to wait.
            Err(_) if seat.is_damaged() => {
                self.mend(&seat).await;
                self.session_start().await
            }
            started => started,
        }
    }

    /// Whoever sits here leaves, and what of this account goes on behind the lock ends: its files are opened for one only.
    async fn make_room(&self, account: &Account) {
        self.call_off(Some(&account.id)).await;
        if self.seat_if_taken().is_some_and(|seat| seat.account.id == account.id) {
            self.leave_seat().await;
        } else {
            self.leave_behind(false).await;
        }
    }

    /// Sets files aside that no key opens: renamed with a date, not deleted.
    fn set_aside(&self, account: &Account, now: domain::ids::Millis) -> anyhow::Result<()> {
        let folder = self.0.workstation.account_folder(account);
        if !folder.exists() {
            return Ok(());
        }
        let at = jiff::Timestamp::from_millisecond(now).context("The gateway's clock")?;
        // The id keeps two of one second apart.
        let (at, id) = (at.strftime("%Y-%m-%d-%H%M%S"), self.0.hub.ids.next(now));
        let aside = folder.with_extension(format!("set-aside-{at}-{id}"));
        tracing::warn!(aside = %aside.display(), "No key opens these files any more: they are set aside");
        fs::rename(&folder, &aside).with_context(|| format!("Setting {} aside", folder.display()))
    }

    async fn item(&self, account: &Account) -> Result<Option<Result<Item, Closed>>, CallError> {
        let (keychain, id) = (Arc::clone(&self.0.keychain), account.id.clone());
        let bytes = tokio::task::spawn_blocking(move || keychain.get(&id)).await.context("Asking the keychain")??;
        Ok(bytes.map(|bytes| Item::read(&bytes)))
    }

    async fn keep_item(&self, account: &Account, item: &Item) -> Result<(), CallError> {
        let (keychain, id, bytes) = (Arc::clone(&self.0.keychain), account.id.clone(), item.write()?);
        tokio::task::spawn_blocking(move || keychain.set(&id, &bytes)).await.context("Telling the keychain")??;
        Ok(())
    }
}
