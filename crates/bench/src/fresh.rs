//! P6: a fresh desk catches up.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{
    Setting, accounts,
    filled::fill,
    gateway::House,
    host::Workstation,
    http::Connection,
    report::{Figure, Id, Report, Target},
};

/// Lines of one transaction, as the desk has it.
const BATCH: usize = 500;

/// P6.
pub(crate) async fn fresh(setting: &Setting, report: &mut Report) -> Result<()> {
    let sizes = &setting.sizes;
    let folder = tempfile::tempdir().context("Making a folder")?;
    let house = House::new(&setting.product.gateway(), &setting.product.pack)?;
    let server = house.serve()?;
    accounts::make(server.address, &house.code, 1).await?;
    let device = accounts::sign_in_by_turns(server.address, 1, 1).await?.pop().context("Signing a device in")?;
    fill(&house, &server, sizes.fresh, |n| n % sizes.conversations).await?;
    ensure!(house.journalled().await? == sizes.fresh, "Not every message is in the journal exactly once");

    let (least, lines) = bare(server.address, &device.token, folder.path()).await?;
    let workstation = Workstation::new(folder.path(), server.address, 0)?;
    let began = Instant::now();
    let host = workstation.host(setting, Some(&folder.path().join("keys")))?;
    host.live().await?;
    let took = began.elapsed();
    let open = host.open_conversations().await?;
    ensure!(open == sizes.conversations, "The desk has {open} conversations, and {} wrote", sizes.conversations);
    let what = format!("a fresh desk syncs {} messages, from its program's start", sizes.fresh);
    report.add(
        Figure::new(Id::P6, what, "s", took.as_secs_f64())
            .target(Target::AtMost(15.0 * sizes.fresh as f64 / 100_000.0))
            .ceiling(least.as_secs_f64()),
    );
    report.note(
        Id::P6,
        &format!(
            "{} conversations, {lines} lines. The ceiling takes the same answer and puts its lines, {BATCH} a transaction, into \
             one table of an encrypted SQLite.",
            sizes.conversations
        ),
    );
    host.stop()
}

/// The same answer of the gateway, put line by line into one encrypted table; and how many lines.
async fn bare(address: SocketAddr, token: &str, folder: &Path) -> Result<(Duration, usize)> {
    let began = Instant::now();
    let answer = Connection::open(address).await?.get("/api/v1/sync?after=0", token).await?;
    ensure!(answer.status == 200, "Catching up was answered {}", answer.status);
    let lines: Vec<&str> = std::str::from_utf8(&answer.body).context("Reading a catch-up")?.lines().collect();
    let write = || -> rusqlite::Result<()> {
        let mut conn = rusqlite::Connection::open(folder.join("bare.db"))?;
        conn.pragma_update(None, "key", format!("x'{}'", "5a".repeat(32)))?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.execute_batch("CREATE TABLE lines (n INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT")?;
        for batch in lines.chunks(BATCH) {
            let tx = conn.transaction()?;
            for line in batch {
                tx.prepare_cached("INSERT INTO lines (line) VALUES (?1)")?.execute([line])?;
            }
            tx.commit()?;
        }
        Ok(())
    };
    write().context("Writing an encrypted file")?;
    Ok((began.elapsed(), lines.len()))
}
