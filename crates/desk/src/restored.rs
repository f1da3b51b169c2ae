//! The gateway was restored from a backup, and begins another journal: what it took since the backup is not in it.
//!
//! Commands that were done are kept for seven days. A reply or a note among them of which the new journal has nothing would
//! vanish from the screen, though the citizen may have the reply. So once the records are whole again, each is *stuck* with
//! the code `restored`: a person looks, and tries it again, takes it back or drops it. Nothing is sent again by itself.

use domain::ids::CommandId;
use records::Records;

use crate::{api::Signal, database::Contents, outbox, precious, seat::Seat};

/// Under this name the precious file keeps that another journal began, and that it has not been looked yet for what it
/// lacks.
const EXPECTED: &str = "losses_expected";

/// Another journal begins.
pub(crate) async fn expect_losses(seat: &Seat) -> anyhow::Result<()> {
    seat.precious.write(|precious| precious::keep(precious.connection(), EXPECTED, &true)).await
}

/// Once the records are whole: shows what the new journal lacks.
pub(crate) async fn look_for_lost(seat: &Seat) -> anyhow::Result<()> {
    let now = seat.now();
    let asked = seat.precious.read(move |precious| {
        let c = precious.connection();
        let expected = precious::kept::<bool>(c, EXPECTED)?.is_some();
        if expected { outbox::lately_done(c, now).map(Some) } else { Ok(None) }
    });
    let Some(done) = asked.await? else { return Ok(()) };
    let lost = seat.records.read(move |records| {
        let mut lost = Vec::new();
        for (id, kind) in done {
            if !is_there(records, id, &kind)? {
                lost.push(id);
            }
        }
        Ok(lost)
    });
    let lost = lost.await?;
    if !lost.is_empty() {
        tracing::warn!(commands = lost.len(), "The gateway's new journal lacks what it had taken");
    }
    let keep = move |precious: &mut precious::Precious| {
        let c = precious.connection();
        outbox::lost(c, &lost)?;
        precious::let_go(c, EXPECTED)
    };
    seat.precious.write(keep).await?;
    seat.hub.tell(Signal::Changed { conversations: vec![], all: true });
    seat.hub.tell(Signal::Status {});
    Ok(())
}

fn is_there(records: &Records, id: CommandId, kind: &str) -> anyhow::Result<bool> {
    Ok(if kind == "add_note" { records.has_note(id.0.into())? } else { records.message(id.0.into())?.is_some() })
}
