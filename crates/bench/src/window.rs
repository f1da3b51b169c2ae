//! The desk's window as a person has it, as it is released: D1 to D4; and the package that brings it: D5.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Setting,
    driver::Driven,
    filled::Filled,
    hand::hand,
    host::Workstation,
    processes,
    report::{Figure, Id, Report, Target},
    searching::search,
    spread::Spread,
};

/// Before memory is looked at.
const REST: Duration = Duration::from_secs(10);
/// Between two openings, in milliseconds.
const EVERY: usize = 500;

const EMPTY_STANDS: &str = "const waited = document.body === null;
    await until(() => document.body?.textContent.trim());
    await painted();
    const first = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity;
    return { at: performance.timeOrigin + Math.min(first, performance.now()), waited };";
const LIST_STANDS: &str = "const waited = rows().length === 0;
    await until(() => rows().length > 0);
    await painted();
    return { at: performance.timeOrigin + performance.now(), waited };";
const OPENINGS: &str = "await until(() => row(given.long) && row(given.short));
    await read(given.long);
    await read(given.short);
    const took = { long: [], short: [] };
    const began = performance.now() + given.every;
    for (let n = 0; n < 2 * given.openings; n++) {
      const which = n % 2 ? 'long' : 'short';
      const planned = began + n * given.every;
      await new Promise((due) => setTimeout(due, planned - performance.now()));
      await open(given[which]);
      took[which].push(performance.now() - planned);
    }
    return took;";
const MANY: &str = "await until(() => rows().length > 0);
    const opened = new Set();
    while (opened.size < given.count) {
      const next = rows().map((one) => one.dataset.conversation).find((id) => !opened.has(id));
      if (next === undefined) {
        rows().at(-1).scrollIntoView();
        await frame();
      } else {
        await open(next);
        opened.add(next);
      }
    }
    return opened.size;";

#[derive(Deserialize)]
struct Stood {
    /// In milliseconds since 1970.
    at: f64,
    /// Whether it came while it was waited for.
    waited: bool,
}

#[derive(Deserialize)]
struct Openings {
    long: Vec<f64>,
    short: Vec<f64>,
}

/// D1 to D5; and P8, which takes the same workstation.
pub(crate) async fn window(setting: &Setting, report: &mut Report) -> Result<()> {
    if report.wants(&[Id::D5]) {
        package(setting, report)?;
    }
    let windows = report.wants(&[Id::D1, Id::D2, Id::D3, Id::D4]);
    if !windows && !report.wants(&[Id::P8]) {
        return Ok(());
    }
    let folder = tempfile::tempdir().context("Making a folder")?;
    let keys = folder.path().join("keys");
    let (filled, host) = Filled::make(setting, folder.path(), (!windows).then_some(keys.as_path())).await?;
    if report.wants(&[Id::P8]) {
        search(setting, &host, report).await?;
    }
    host.stop()?;
    if report.wants(&[Id::D1]) {
        starts(setting, &filled, report).await?;
    }
    if report.wants(&[Id::D2]) {
        openings(setting, &filled, report).await?;
    }
    if report.wants(&[Id::D3]) {
        hand(setting, &filled, report).await?;
    }
    if report.wants(&[Id::D4]) {
        memory(setting, &filled, report).await?;
    }
    Ok(())
}

/// The desk's window.
pub(crate) async fn desk(setting: &Setting, filled: &Filled) -> Result<Driven> {
    let Workstation { data, sign_in } = &filled.workstation;
    let arguments = [Path::new("--data"), data, Path::new("--sign-in-from"), sign_in];
    Driven::window(&setting.product.program("shubbak"), &arguments).await
}

/// The empty window.
pub(crate) async fn empty(setting: &Setting) -> Result<Driven> {
    Driven::window(&setting.product.program("examples/empty-window"), &[]).await
}

/// Lets the body of a function run in the page, after what stands in `scripts.js`.
pub(crate) async fn run<T: DeserializeOwned>(driven: &Driven, body: &str, given: &Value) -> Result<T> {
    let said = driven.script(&format!("{}\n{body}", include_str!("scripts.js")), given).await?;
    serde_json::from_value(said).context("Reading what a script in the window gives")
}

/// How long a window took from being asked for until a script sees that it stands; and whether the script had to wait.
async fn stood(driven: Driven, body: &str) -> Result<(f64, bool)> {
    let Stood { at, waited } = run(&driven, body, &json!({})).await?;
    let took = at - driven.asked_at;
    driven.end().await?;
    Ok((took, waited))
}

/// How times in milliseconds are spread.
pub(crate) fn spread(milliseconds: &[f64]) -> Spread {
    Spread::new(milliseconds.iter().map(|ms| Duration::from_secs_f64(ms.max(0.0) / 1000.0)).collect())
}

/// D1.
async fn starts(setting: &Setting, filled: &Filled, report: &mut Report) -> Result<()> {
    let (mut ours, mut least, mut before) = (Vec::new(), Vec::new(), 0);
    for _ in 0..setting.sizes.starts {
        least.push(stood(empty(setting).await?, EMPTY_STANDS).await?.0);
        let (took, waited) = stood(desk(setting, filled).await?, LIST_STANDS).await?;
        ours.push(took);
        before += usize::from(!waited);
    }
    let (value, ceiling) = (spread(&ours).percentile(50), spread(&least).percentile(50));
    let what = format!("start to a usable list of {} conversations, median", setting.sizes.conversations);
    report.add(Figure::new(Id::D1, what, "ms", value).target(Target::AtMost(1.3 * ceiling)).ceiling(ceiling));
    let all = |times: &[f64]| times.iter().map(|ms| format!("{ms:.0}")).collect::<Vec<_>>().join(", ");
    report.note(
        Id::D1,
        &format!(
            "{} starts each, in turns; the desk {} ms, the empty window {} ms. The desk's time has the unlocking in it. In \
             {before} starts the list stood before the first look at it, so that those times are too long, if anything.",
            setting.sizes.starts,
            all(&ours),
            all(&least)
        ),
    );
    Ok(())
}

/// D2: at times that are fixed in advance, a long conversation and another in turns.
async fn openings(setting: &Setting, filled: &Filled, report: &mut Report) -> Result<()> {
    let sizes = &setting.sizes;
    let driven = desk(setting, filled).await?;
    let given = json!({"long": filled.long, "short": filled.short, "openings": sizes.openings, "every": EVERY});
    let Openings { long, short } = run(&driven, OPENINGS, &given).await?;
    driven.end().await?;
    ensure!(long.len() == sizes.openings && short.len() == sizes.openings, "Not every opening was measured");
    let each = (sizes.stored - sizes.long) / (sizes.conversations - 1);
    for (percent, target) in [(50, None), (95, Some(50.0))] {
        let what = format!("opening a conversation of {} messages, to painted, p{percent}", sizes.long);
        let figure = Figure::new(Id::D2, what, "ms", spread(&long).percentile(percent));
        let figure = figure.ceiling(spread(&short).percentile(percent));
        report.add(match target {
            Some(most) => figure.target(Target::AtMost(most)),
            None => figure,
        });
    }
    report.note(
        Id::D2,
        &format!(
            "{} openings, one each {EVERY} ms, in turns with a conversation of {each} messages, which is the ceiling.",
            sizes.openings
        ),
    );
    Ok(())
}

/// D4.
async fn memory(setting: &Setting, filled: &Filled, report: &mut Report) -> Result<()> {
    let sizes = &setting.sizes;
    let given = json!({"count": sizes.opened});
    let look = async |driven: &Driven| {
        tokio::time::sleep(REST).await;
        processes::memory(&driven.processes()?)
    };

    let driven = empty(setting).await?;
    run::<Stood>(&driven, EMPTY_STANDS, &json!({})).await?;
    let least = look(&driven).await?;
    driven.end().await?;

    let driven = desk(setting, filled).await?;
    let opened: usize = run(&driven, MANY, &given).await?;
    ensure!(opened == sizes.opened, "Not every conversation was opened");
    let ours = look(&driven).await?;
    driven.end().await?;

    let host = filled.workstation.host(setting, None)?;
    let driven = Driven::chromium(&format!("http://{}/", host.address())).await?;
    run::<usize>(&driven, MANY, &given).await?;
    let chromium = look(&driven).await?;
    let hosted = processes::memory(&processes::tree(host.pid())?)?;
    driven.end().await?;
    host.stop()?;

    let what = format!("memory after {opened} conversations, {} messages stored; beside", sizes.stored);
    for (beside, ceiling, most) in
        [("an empty window", least, 1.25), ("Chromium with the same interface", chromium, 1.0)]
    {
        report.add(
            Figure::new(Id::D4, format!("{what} {beside}"), "MiB", ours)
                .target(Target::AtMost(most * ceiling))
                .ceiling(ceiling),
        );
    }
    report.note(
        Id::D4,
        &format!(
            "PSS of the whole tree of processes, {} s later. The desk's has its engine in it; beside Chromium that is the \
             development host, whose {hosted:.0} MiB are not counted.",
            REST.as_secs()
        ),
    );
    Ok(())
}

/// D5.
fn package(setting: &Setting, report: &mut Report) -> Result<()> {
    let deb = setting.product.deb.as_deref().context("Finding the package: give --deb")?;
    let size = fs::metadata(deb).with_context(|| format!("Looking at {}", deb.display()))?.len();
    let packed = Command::new("gzip").arg("-9c").arg(setting.product.program("examples/empty-window")).output();
    let packed = packed.context("Packing the empty window's program")?;
    ensure!(packed.status.success(), "Packing the empty window's program failed");
    let megabytes = |bytes: f64| bytes / 1e6;
    report.add(
        Figure::new(Id::D5, "the package (.deb)", "MB", megabytes(size as f64))
            .target(Target::AtMost(15.0))
            .ceiling(megabytes(packed.stdout.len() as f64)),
    );
    report.note(Id::D5, "The ceiling is the empty window's program, packed by gzip.");
    Ok(())
}
