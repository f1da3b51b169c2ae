//! `--sign-in-from`: signing in with what stands in a file, for demonstrations, training machines and tests.

use std::path::Path;

use desk::{
    Desk,
    api::{Handler, Nothing, Phase, Unlock},
};

/// Opens the account's file if it is on this workstation, which works off line too; else signs in on line.
pub(crate) async fn sign_in_from(desk: &Desk, file: &Path) -> anyhow::Result<()> {
    let wanted = desk::sign_in_from(file)?;
    let start = desk.start(Nothing {}).await?;
    if start.phase == Phase::Ready {
        return Ok(());
    }
    let known = start.accounts.into_iter().find(|account| {
        (&account.gateway, &account.agency, &account.username) == (&wanted.gateway, &wanted.agency, &wanted.username)
    });
    match known {
        Some(account) => desk.unlock(Unlock { account: account.id, password: wanted.password }).await?,
        None => desk.sign_in(wanted).await?,
    };
    Ok(())
}
