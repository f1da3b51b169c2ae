//! Sends what waits in the outbox: of each conversation one command at a time, all conversations together.
//!
//! A command is sent with the same id and body until there is an answer, so an answer that was lost costs nothing: the
//! gateway gives the same one again. Only an answer to the command itself makes it stuck; everything else means waiting.
//!
//! What was begun may be at the gateway, and cannot be taken back here any more. So while the desk is off line it is asked
//! first whether anybody is there, by a question that asks for nothing; and what found no connection was not begun.

use std::{sync::Arc, time::Duration};

use domain::{
    command::{Ask, Command},
    ids::{CaseId, CommandId, Seq},
    wire::Outcome,
};
use serde_json::value::RawValue;

use crate::{
    api::Signal,
    client::Failure,
    database::Contents,
    outbox, precious,
    seat::{SIGNED_OUT, Seat},
    sync::Pause,
};

/// Runs until the seat is left.
pub(crate) async fn run(seat: Arc<Seat>) {
    let mut pause = Pause::default();
    let mut sleep = Duration::ZERO;
    loop {
        let woken = seat.send_now.notified();
        if sleep > Duration::ZERO {
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = woken => {}
            }
        }
        sleep = match round(&seat).await {
            Ok(true) => {
                pause.reset();
                seat.was_reached();
                Duration::ZERO
            }
            // Whoever puts something into the outbox wakes this task; the long sleep is for what nobody thought of.
            Ok(false) => Duration::from_secs(60),
            Err(Failure::NotLetIn) => {
                seat.stopped(SIGNED_OUT);
                return;
            }
            Err(Failure::Revoked) => {
                seat.revoked();
                return;
            }
            Err(Failure::TooOld) => Duration::from_secs(600),
            Err(Failure::SlowDown(Some(wait))) => wait.min(Duration::from_secs(300)),
            Err(failure) => {
                tracing::info!(%failure, "The outbox waits");
                pause.next(seat.jitter())
            }
        };
    }
}

/// Sends what may be sent now. Tells whether there was anything.
async fn round(seat: &Seat) -> Result<bool, Failure> {
    let read = seat.precious.read(|precious| {
        let c = precious.connection();
        Ok((outbox::is_anything_sendable(c)?, precious::unsent_positions(c)?))
    });
    let (commands, positions) = read.await.map_err(|error| here(&error))?;
    if !commands && positions.is_empty() {
        return Ok(false);
    }
    if seat.is_offline() {
        seat.gateway.knock().await?;
    }
    if commands {
        send(seat).await?;
    }
    if !positions.is_empty() {
        send_positions(seat, positions).await?;
    }
    Ok(true)
}

async fn send(seat: &Seat) -> Result<(), Failure> {
    let begun = seat.precious.write(|precious| outbox::begin(precious.connection()));
    let rows = begun.await.map_err(|error| here(&error))?;
    match post(seat, &rows).await {
        Err(failure @ Failure::NoConnection(_)) => {
            let keep = move |precious: &mut precious::Precious| outbox::did_not_leave(precious.connection(), &rows);
            seat.precious.write(keep).await.map_err(|error| here(&error))?;
            Err(failure)
        }
        // The gateway would not read the whole: which one is to blame shows when each goes alone.
        Err(Failure::Refused { status: 400 | 413 | 415 | 422, .. }) => {
            for row in rows {
                post_alone(seat, row).await?;
            }
            Ok(())
        }
        other => other,
    }
}

async fn post(seat: &Seat, rows: &[outbox::Row]) -> Result<(), Failure> {
    let bodies = rows.iter().map(|row| RawValue::from_string(row.body.clone())).collect::<Result<Vec<_>, _>>();
    let bodies = bodies.map_err(|error| here(&error.into()))?;
    let answers = seat.gateway.commands(&seat.token, &bodies).await?;
    let now = seat.now();
    // Answers are told apart by their ids; one that is missing leaves its command waiting.
    let wanted: Vec<CommandId> = rows.iter().map(|row| row.id).collect();
    let known: Vec<_> = answers.into_iter().filter(|answer| wanted.contains(&answer.id)).collect();
    let whole = known.len() == wanted.len();
    let here_already = seat.records.read(|records| Ok(records.stand()?.seq)).await.map_err(|error| here(&error))?;
    let keep = move |precious: &mut precious::Precious| {
        for answer in &known {
            outbox::answered(precious.connection(), answer.id, &answer.outcome, now)?;
        }
        outbox::done_up_to(precious.connection(), here_already, now)
    };
    seat.precious.write(keep).await.map_err(|error| here(&error))?;
    tell(seat, rows);
    if whole { Ok(()) } else { Err(Failure::NotAGateway("it left commands unanswered".into())) }
}

async fn post_alone(seat: &Seat, row: outbox::Row) -> Result<(), Failure> {
    let rows = [row];
    match post(seat, &rows).await {
        Err(Failure::Refused { status: 400 | 413 | 415 | 422, .. }) => {
            let [row] = &rows;
            let (id, now) = (row.id, seat.now());
            let refused = Outcome::Refused(outbox::unanswerable());
            let keep =
                move |precious: &mut precious::Precious| outbox::answered(precious.connection(), id, &refused, now);
            seat.precious.write(keep).await.map_err(|error| here(&error))?;
            tell(seat, &rows);
            Ok(())
        }
        other => other,
    }
}

/// Positions are told by a fresh command each time: the greater wins, so a repetition does no harm.
async fn send_positions(seat: &Seat, positions: Vec<(CaseId, Seq)>) -> Result<(), Failure> {
    let command = |&(case, seq): &(CaseId, Seq)| {
        let command = Command { id: seat.new_id(), ask: Ask::SeenUpTo { case, seq } };
        serde_json::value::to_raw_value(&command)
    };
    let bodies = positions.iter().map(command).collect::<Result<Vec<_>, _>>().map_err(|error| here(&error.into()))?;
    match seat.gateway.commands(&seat.token, &bodies).await {
        Ok(_) => {}
        // A position in a case that is out of sight by now is nobody's concern.
        Err(Failure::Refused { status, code }) => tracing::info!(status, code, "The gateway took no positions"),
        Err(failure) => return Err(failure),
    }
    let keep = move |precious: &mut precious::Precious| {
        positions.iter().try_for_each(|&(case, seq)| precious::position_sent(precious.connection(), case, seq))
    };
    seat.precious.write(keep).await.map_err(|error| here(&error))
}

fn tell(seat: &Seat, rows: &[outbox::Row]) {
    let conversations = rows.iter().map(|row| row.conversation).collect();
    seat.hub.tell(Signal::Changed { conversations, all: false });
    seat.hub.tell(Signal::Status {});
}

/// Something of our own failed (a full disk): the outbox waits, as it does for the gateway.
fn here(error: &anyhow::Error) -> Failure {
    tracing::error!(error = format!("{error:#}"), "The outbox cannot be read or written");
    Failure::Unreachable("the outbox cannot be read or written".into())
}
