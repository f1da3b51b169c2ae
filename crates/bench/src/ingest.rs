//! What citizens send: P1 and P3 (how much), P2 (how soon it is answered).

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{
    Setting, bare,
    gateway::{House, Server},
    load::{self, Webhook},
    postgres::Postgres,
    report::{Figure, Id, Report, Target},
};

const CONNECTIONS: usize = 64;

fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// P1, P2 and P3.
pub(crate) async fn ingest(setting: &Setting, report: &mut Report) -> Result<()> {
    if report.wants(&[Id::P1, Id::P2]) {
        let folder = tempfile::tempdir().context("Making a folder")?;
        let bare = bare::start(folder.path())?;
        if report.wants(&[Id::P2]) {
            answers(setting, &bare, report).await?;
        }
        if report.wants(&[Id::P1]) {
            let house = House::new(&setting.product.gateway(), &setting.product.pack)?;
            all_at_once(None, setting, &house, &bare, report).await?;
        }
    }
    if report.wants(&[Id::P3]) {
        let server = Postgres::start()?;
        for database in ["bare", "gateway"] {
            server.database(database).await?;
        }
        let bare = bare::start_on_postgres(&server.address("bare"))?;
        let house = House::on_postgres(&setting.product.gateway(), &setting.product.pack, server.address("gateway"))?;
        all_at_once(Some(&server), setting, &house, &bare, report).await?;
    }
    Ok(())
}

/// P2: an open loop.
async fn answers(setting: &Setting, bare: &Server, report: &mut Report) -> Result<()> {
    let house = House::new(&setting.product.gateway(), &setting.product.pack)?;
    let server = house.serve()?;
    let mut sent = 0;
    for (per_second, median, slowest) in [(320, 5.0, 50.0), (3300, 25.0, 100.0)] {
        let webhooks: Arc<[Webhook]> =
            load::texts(per_second * setting.sizes.answer_seconds, setting.sizes.citizens).into();
        let ceiling = load::open(bare.address, &webhooks, per_second).await?;
        let spread = load::open(server.address, &webhooks, per_second).await?;
        house.settled().await?;
        sent += webhooks.len();
        for (percent, most) in [(50, median), (99, slowest)] {
            let what = format!("time to the 200 at {per_second}/s, p{percent}");
            report.add(
                Figure::new(Id::P2, what, "ms", spread.percentile(percent))
                    .target(Target::AtMost(most))
                    .ceiling(ceiling.percentile(percent)),
            );
        }
    }
    ensure!(house.journalled().await? == sent, "Not every webhook is in the journal exactly once");
    Ok(())
}

/// P1 and P3: a closed loop on an empty storage, as the bare server's table nearly is; the ceiling before it and after it.
async fn all_at_once(
    postgres: Option<&Postgres>,
    setting: &Setting,
    house: &House,
    bare: &Server,
    report: &mut Report,
) -> Result<()> {
    let (id, least, home) =
        if postgres.is_some() { (Id::P3, 5000.0, "PostgreSQL") } else { (Id::P1, 8000.0, "SQLite") };
    let server = house.serve()?;
    let citizens = setting.sizes.citizens;
    let webhooks: Arc<[Webhook]> = load::texts(setting.sizes.webhooks, citizens).into();
    let before = load::closed(bare.address, &webhooks, CONNECTIONS).await?;
    let threads = server.threads()?;
    let served = postgres.map(Postgres::processor_time).transpose()?;
    let began = Instant::now();
    let answered = load::closed(server.address, &webhooks, CONNECTIONS).await?;
    house.settled().await?;
    let journalled = began.elapsed();
    let mut spent = where_time_went(&threads, &server.threads()?, journalled);
    if let (Some(postgres), Some(before)) = (postgres, served) {
        let ticks = postgres.processor_time()?.saturating_sub(before);
        spent.push_str(&format!(" PostgreSQL's processes had it for {:.1} s.", ticks as f64 / 100.0));
    }
    report.note(id, &spent);
    let after = load::closed(bare.address, &webhooks, CONNECTIONS).await?;
    let count = webhooks.len();
    ensure!(house.journalled().await? == count, "Not every webhook is in the journal exactly once");
    report.note(
        id,
        &format!(
            "{count} texts of {citizens} citizens, {CONNECTIONS} connections, an empty storage at first; all in the journal \
             exactly once. The bare server took {:.0}/s before and {:.0}/s after.",
            rate(count, before),
            rate(count, after)
        ),
    );
    let ceiling = rate(2 * count, before + after);
    for (what, took) in [
        (format!("webhooks acknowledged, durable in {home}"), answered),
        ("messages in the journal and the records".to_owned(), journalled),
    ] {
        let figure = Figure::new(id, what, "/s", rate(count, took));
        report.add(figure.target(Target::AtLeast(least)).ceiling(ceiling));
    }
    if id == Id::P1 {
        let share = rate(count, journalled) / ceiling;
        report.add(
            Figure::new(id, "messages in the journal, as a share of the ceiling", "×", share)
                .target(Target::AtLeast(0.4)),
        );
    }
    Ok(())
}

/// The processor time of each kind of thread, most first.
fn where_time_went(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>, took: Duration) -> String {
    let mut spent: Vec<(u64, &str)> = after
        .iter()
        .map(|(name, ticks)| (ticks.saturating_sub(before.get(name).copied().unwrap_or_default()), name.as_str()))
        .filter(|(ticks, _)| *ticks > 0)
        .collect();
    spent.sort_unstable_by(|a, b| b.cmp(a));
    let parts: Vec<String> =
        spent.iter().map(|(ticks, name)| format!("{name} {:.1} s", *ticks as f64 / 100.0)).collect();
    format!("of {:.1} s, the gateway's threads had the processor for: {}.", took.as_secs_f64(), parts.join(", "))
}
