//! What is kept on this computer, and what the desk does with its files while somebody sits there: look, clear, mend, wipe.

use std::sync::Arc;

use crate::{
    Desk,
    api::{CallError, ErrorCode, Link, Nothing, Signal, Storage, Wiped},
    database::Contents,
    failure::call_error,
    lock, mend, outbox, precious,
    seat::{Ending, Seat},
    workstation::Wiping,
};

/// So often are an account's files put in order in one run of the program.
const REPAIRS: u32 = 3;

impl Desk {
    pub(crate) async fn storage_of(&self, seat: &Seat) -> anyhow::Result<Storage> {
        let folder = self.0.workstation.account_folder(&seat.account);
        let [records, precious, aside] = mend::bytes(&folder)?;
        let read = seat.precious.read(|precious| {
            let c = precious.connection();
            Ok((precious::all_drafts(c)?.len(), outbox::undone(c, None)?.len()))
        });
        let (drafts, unsent) = read.await?;
        let read = seat.records.read(|records| {
            let c = records.connection();
            let count = |table: &str| c.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
            let since = c.query_row("SELECT min(place) FROM messages", [], |row| row.get(0))?;
            Ok((count("conversations")?, count("messages")?, count("notes")?, since))
        });
        let (conversations, messages, notes, since) = read.await?;
        Ok(Storage {
            folder: folder.display().to_string(),
            records,
            precious,
            aside,
            conversations,
            messages,
            notes,
            since,
            drafts: u32::try_from(drafts).unwrap_or(u32::MAX),
            unsent: u32::try_from(unsent).unwrap_or(u32::MAX),
        })
    }

    /// Throws the records away and receives them anew. Off line there would be nothing to read until the gateway is back.
    pub(crate) async fn clear_records(&self) -> Result<Nothing, CallError> {
        let _turn = self.0.turn.lock().await;
        let seat = self.seat()?;
        if seat.status().await?.link != Link::Live {
            return Err(call_error(ErrorCode::Unreachable, "The gateway is not connected"));
        }
        let folder = self.0.workstation.account_folder(&seat.account);
        self.leave_seat().await;
        mend::remove_records(&folder)?;
        self.return_to(&seat).await?;
        Ok(Nothing {})
    }

    /// Watches for what the seat cannot settle by itself, for as long as somebody sits there.
    pub(crate) fn watch(&self, seat: &Arc<Seat>) {
        let (desk, seat) = (Arc::downgrade(&self.0), Arc::downgrade(seat));
        tokio::spawn(async move {
            let ending = {
                let Some(seat) = seat.upgrade() else { return };
                tokio::select! {
                    ending = seat.ending() => ending,
                    () = seat.left() => return,
                }
            };
            let (Some(desk), Some(seat)) = (desk.upgrade().map(Desk), seat.upgrade()) else { return };
            let _turn = desk.0.turn.lock().await;
            // Whoever held the turn may have closed these files already.
            if !desk.seat_if_taken().is_some_and(|now| Arc::ptr_eq(&now, &seat)) {
                return;
            }
            match ending {
                Ending::Revoked => desk.wipe(&seat).await,
                Ending::Damaged => desk.mend(&seat).await,
            }
        });
    }

    /// Puts the files of whoever sits here in order.
    pub(crate) async fn mend(&self, seat: &Arc<Seat>) {
        let repairs = {
            let mut all = lock(&self.0.repairs);
            let one = all.entry(seat.account.id.clone()).or_insert(0);
            *one += 1;
            *one
        };
        self.leave_seat().await;
        if repairs <= REPAIRS {
            let folder = self.0.workstation.account_folder(&seat.account);
            let mended = match mend::suspect(&folder) {
                Ok(()) => self.return_to(seat).await,
                Err(error) => Err(error),
            };
            if let Err(error) = mended {
                tracing::error!(error = format!("{error:#}"), "The files could not be put in order");
            }
        } else {
            tracing::error!(repairs, "The files are damaged again and again: they stay closed");
        }
        self.0.hub.tell(Signal::Session {});
    }

    /// Opens the files anew for whoever sat here until a moment ago.
    async fn return_to(&self, seat: &Seat) -> anyhow::Result<()> {
        let folder = self.0.workstation.account_folder(&seat.account);
        let new = Seat::open_mended(seat.reopening(folder, self.0.hub.clone())).await?;
        new.begin().await;
        self.sit_down(new);
        self.0.hub.tell(Signal::Session {});
        Ok(())
    }

    /// The administration has shut this computer out: what was kept for this account goes, the key first. How much had
    /// not been sent is noted before, and told on the sign-in screen.
    pub(crate) async fn wipe(&self, seat: &Seat) {
        let read = seat.precious.read(|precious| {
            let c = precious.connection();
            let unsent = outbox::undone(c, None)?.iter().filter(|row| row.state != outbox::State::Accepted).count();
            Ok((unsent, precious::all_drafts(c)?.len()))
        });
        let (unsent, drafts) = read.await.unwrap_or_default();
        let count = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
        let wiped = Wiped { at: seat.now(), unsent: count(unsent), drafts: count(drafts) };
        if self.seat_if_taken().is_some_and(|now| now.account.id == seat.account.id) {
            self.leave_seat().await;
        }
        let wiping = Wiping { account: seat.account.id.clone(), wiped };
        if let Err(error) = self.0.workstation.set_wiping(Some(&wiping)) {
            tracing::error!(error = format!("{error:#}"), "What is being removed could not be noted");
        }
        tracing::warn!(unsent, drafts, "This computer was shut out: what it kept is removed");
        if let Err(error) = self.finish_wiping().await {
            tracing::error!(error = format!("{error:#}"), "Not everything could be removed; the next start does it");
        }
        self.0.hub.tell(Signal::Session {});
    }

    /// Removes what is to be removed: key, files, and the account from the list, so that the last says it is done.
    pub(crate) async fn finish_wiping(&self) -> anyhow::Result<()> {
        let Some(Wiping { account, .. }) = self.0.workstation.wiping()? else { return Ok(()) };
        if !self.0.workstation.accounts()?.iter().any(|known| known.id == account) {
            return Ok(());
        }
        let (keychain, id) = (Arc::clone(&self.0.keychain), account.clone());
        tokio::task::spawn_blocking(move || keychain.remove(&id)).await??;
        self.0.workstation.remove_files(&account)?;
        self.0.workstation.forget(&account)
    }
}
