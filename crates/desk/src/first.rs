//! A first run: what somebody who begins is led to, up to their first answer, and for a lead up to the first case given to
//! a colleague. What was done once, or waved away, is kept in the person's file and never shown again; whoever has answered
//! before, at whichever desk, is led to nothing.

use std::collections::BTreeSet;

use domain::permission::{Act, may};
use records::search::{From, Hit, Search, What};

use crate::{
    api::{FirstStep, FirstSteps},
    contact,
    database::Contents,
    precious,
    seat::Seat,
};

/// Under this name the precious file keeps what was done.
const DONE: &str = "first_steps";

/// What is still before this person.
pub(crate) async fn steps(seat: &Seat) -> anyhow::Result<FirstSteps> {
    let done = seat.precious.read(|precious| precious::kept::<Vec<FirstStep>>(precious.connection(), DONE)).await?;
    let done = done.unwrap_or_default();
    let me = seat.me;
    let (roles, answered, lines) = seat
        .records
        .read(move |records| {
            let mine = Search { from: Some(From { called: None, staff: BTreeSet::from([me]) }), ..Search::default() };
            let is_message = |hit: &Hit| matches!(hit.what, What::Message { .. });
            let answered = records.find(&mine, 20)?.hits.iter().any(is_message);
            let lines = records.display_numbers()?;
            Ok((records.staff(me)?.map(|staff| staff.viewer.roles), answered, lines))
        })
        .await?;
    let roles = roles.unwrap_or_else(|| seat.who.staff.roles.clone());
    let mut todo = Vec::new();
    if !answered {
        todo.extend(Some(FirstStep::Answer).filter(|_| may(&roles, Act::Answer)));
        todo.extend(Some(FirstStep::Share).filter(|_| may(&roles, Act::Assign)));
    }
    todo.retain(|step| !done.contains(step));
    Ok(FirstSteps { todo, lines: lines.iter().map(|digits| contact::phone(digits)).collect() })
}

/// It was done, or waved away.
pub(crate) async fn done(seat: &Seat, step: FirstStep) -> anyhow::Result<()> {
    let kept = |precious: &precious::Precious| precious::kept::<Vec<FirstStep>>(precious.connection(), DONE);
    let before = seat.precious.read(move |precious| kept(precious)).await?.unwrap_or_default();
    if before.contains(&step) {
        return Ok(());
    }
    let write = move |precious: &mut precious::Precious| {
        let mut done = kept(precious)?.unwrap_or_default();
        done.push(step);
        precious::keep(precious.connection(), DONE, &done)
    };
    seat.precious.write(write).await
}
