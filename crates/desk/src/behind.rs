//! What goes on behind the lock after somebody else sat down, or their owner signed out.
//!
//! Several people share one machine. Replies that wait are still sent, though nobody looks: their writer's file stays open
//! for a task that sends and does nothing else. It speaks to nobody (a hub of its own, which nobody listens to), so whoever
//! sits here now learns nothing from it but how many commands are still going out. It receives nothing: what comes
//! meanwhile is caught up when the person is back. When the last command is out, or needs its writer, the file closes.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::task::JoinHandle;

use crate::{
    Desk, Inner,
    api::Signal,
    hub::Hub,
    lock,
    seat::{Ending, Seat},
    sender,
};

/// Somebody who is not here any more, and whose outbox is.
pub(crate) struct Behind {
    pub(crate) seat: Arc<Seat>,
    task: JoinHandle<()>,
    /// Whether the device is signed out for this person once all is sent.
    signs_out: bool,
}

impl Desk {
    /// Whoever sits at the desk leaves it; what waits in their outbox is sent all the same.
    pub(crate) async fn leave_behind(&self, signs_out: bool) -> Option<Arc<Seat>> {
        let going = match self.seat_if_taken() {
            Some(seat) if !seat.token.is_empty() => seat.going_out().await.unwrap_or(0),
            _ => 0,
        };
        let seat = self.leave_seat().await?;
        if going > 0 {
            match self.open_behind(&seat).await {
                Ok(quiet) => self.send_behind(quiet, signs_out),
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "What waits cannot be sent behind the lock")
                }
            }
        }
        Some(seat)
    }

    async fn open_behind(&self, seat: &Seat) -> anyhow::Result<Arc<Seat>> {
        let hub = Hub::new(self.0.hub.clock.clone(), self.0.hub.ids.clone(), self.0.hub.settings());
        let folder = self.0.workstation.account_folder(&seat.account);
        Seat::open_mended(seat.reopening(folder, Arc::new(hub))).await
    }

    fn send_behind(&self, seat: Arc<Seat>, signs_out: bool) {
        let (desk, own) = (Arc::downgrade(&self.0), seat.clone());
        // It is in the list before the task can look for itself there.
        let mut list = lock(&self.0.behind);
        let task = tokio::spawn(run(desk, own, signs_out));
        list.push(Behind { seat, task, signs_out });
    }

    /// Ends what goes on behind the lock, for one account or for all, and closes its files.
    pub(crate) async fn call_off(&self, account: Option<&str>) {
        let wanted = |behind: &mut Behind| account.is_none_or(|account| behind.seat.account.id == account);
        let ended: Vec<_> = lock(&self.0.behind).extract_if(.., wanted).collect();
        for Behind { seat, task, signs_out } in ended {
            task.abort();
            drop(task.await);
            seat.leave().await;
            if signs_out {
                tell_of_sign_out(&seat).await;
            }
        }
    }

    /// So many commands are going out behind the lock.
    pub(crate) async fn going_out(&self) -> u32 {
        let seats: Vec<_> = lock(&self.0.behind).iter().map(|behind| behind.seat.clone()).collect();
        let mut count = 0;
        for seat in seats {
            count += seat.going_out().await.unwrap_or(0);
        }
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

async fn run(desk: Weak<Inner>, seat: Arc<Seat>, signs_out: bool) {
    let ending = tokio::select! {
        () = sender::run(seat.clone()) => None,
        () = sent(&desk, &seat) => None,
        ending = seat.ending() => Some(ending),
    };
    let Some(desk) = desk.upgrade().map(Desk) else { return };
    let _turn = desk.0.turn.lock().await;
    seat.leave().await;
    lock(&desk.0.behind).retain(|behind| behind.seat.account.id != seat.account.id);
    if ending == Some(Ending::Revoked) {
        desk.wipe(&seat).await;
    } else if signs_out {
        tell_of_sign_out(&seat).await;
    }
    desk.0.hub.tell(Signal::Session {});
}

/// Waits until nothing is left to send, and tells the screen how much still is.
async fn sent(desk: &Weak<Inner>, seat: &Seat) {
    let mut changes = seat.hub.signals.subscribe();
    let mut before = None;
    loop {
        let now = seat.going_out().await.ok();
        if now == Some(0) {
            return;
        }
        if now != before
            && let Some(desk) = desk.upgrade()
        {
            desk.hub.tell(Signal::Session {});
        }
        before = now;
        // However it lags or is closed, the clock looks again.
        drop(tokio::time::timeout(Duration::from_secs(2), changes.recv()).await);
    }
}

async fn tell_of_sign_out(seat: &Seat) {
    if let Err(failure) = seat.gateway.sign_out(&seat.token).await {
        tracing::warn!(%failure, "The gateway was not told of the sign-out; the token is forgotten here");
    }
}
