//! What desks do to the gateway: P4, P5, P7 and P9.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{
    Setting,
    accounts::{self, Device},
    bare,
    desks::{self, Socket},
    gateway::{House, Server},
    load::{self, Webhook},
    report::{Figure, Id, Report, Target},
    sizes::{FULL, Sizes},
};

const A_SECOND: usize = 5;
/// In MiB. A gateway that takes more while people sign in has missed its target by far, and the machine is others' too.
const MOST_MEMORY: f64 = 4096.0;
/// Citizens who are known already when they write to desks that listen.
const KNOWN: usize = 50;

fn texts(count: usize, citizens: usize) -> Arc<[Webhook]> {
    load::texts(count, citizens).into()
}

/// P4, P5, P7 and P9.
pub(crate) async fn desks(setting: &Setting, report: &mut Report) -> Result<()> {
    let sizes = &setting.sizes;
    let folder = tempfile::tempdir().context("Making a folder")?;
    let bare = bare::start(folder.path())?;
    let house = House::new(&setting.product.gateway(), &setting.product.pack)?;
    let server = house.serve()?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.add(Figure::new(Id::P7, "memory, idle", "MiB", server.memory()?).target(Target::AtMost(40.0)));

    accounts::make(server.address, &house.code, sizes.accounts).await?;
    let ceiling = bare::hashes(u32::try_from(sizes.desks)?)?;
    let signed = tokio::select! {
        signed = accounts::sign_in(server.address, sizes.desks, sizes.accounts) => Some(signed?),
        over = grown_beyond(&server, MOST_MEMORY) => { over?; None }
    };
    let figure = |value| {
        Figure::new(Id::P9, format!("{} sign-ins at once", sizes.desks), "s", value)
            .target(Target::AtMost(25.0 * sizes.desks as f64 / FULL.desks as f64))
            .ceiling(ceiling.as_secs_f64())
    };
    report.add(figure(signed.as_ref().map_or(f64::NAN, |signed| signed.took.as_secs_f64())));
    report.add(Figure::new(Id::P9, "memory at most", "MiB", server.most_memory()?).target(Target::AtMost(512.0)));
    report.note(
        Id::P9,
        &format!(
            "{} devices of {} accounts; {}. The ceiling is Argon2id alone, two at a time, reckoned up from 40 hashes.",
            sizes.desks,
            sizes.accounts,
            match &signed {
                Some(signed) =>
                    format!("{} answers with 429 or 503, each tried again after its Retry-After", signed.refusals),
                None => format!("given up when the gateway had more than {MOST_MEMORY} MiB; then signed in one by one"),
            }
        ),
    );
    if !report.wants(&[Id::P4, Id::P5, Id::P7]) {
        return Ok(());
    }
    drop(server);
    let server = house.serve()?;
    let devices = match signed {
        Some(signed) => signed.devices,
        None => accounts::sign_in_by_turns(server.address, sizes.desks, sizes.accounts).await?,
    };

    // A new process, whose memory has seen no sign-ins.
    drop(server);
    let server = house.serve()?;
    for webhook in texts(KNOWN, KNOWN).iter() {
        load::post(&mut crate::http::Connection::open(server.address).await?, webhook).await?;
    }
    house.settled().await?;
    let stand = stands(&server, &devices).await?;
    let address = server.address;
    let listening = devices.iter().map(|device| {
        let (path, token) = (live_path(&stand, device), device.token.clone());
        async move { desks::live(address, &path?, &token).await }
    });
    let sockets = in_turn(listening).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.add(
        Figure::new(Id::P7, format!("memory with {} desks", sizes.desks), "MiB", server.memory()?)
            .target(Target::AtMost(120.0)),
    );
    if report.wants(&[Id::P4]) {
        fan_out(&server, sockets, &bare, sizes, report).await?;
    } else {
        drop(sockets);
    }
    if !report.wants(&[Id::P5]) {
        return Ok(());
    }

    let stand = stands(&server, &devices).await?;
    load::closed(server.address, &texts(sizes.behind, KNOWN), 8).await?;
    house.settled().await?;
    drop(server);
    come_back(&house, &devices, &stand, &bare, sizes, report).await
}

/// Waits until a server has more memory than so many MiB.
async fn grown_beyond(server: &Server, most: f64) -> Result<()> {
    while server.memory()? <= most {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// The cursor at which each account's desks stand.
async fn stands(server: &Server, devices: &[Device]) -> Result<BTreeMap<usize, String>> {
    let mut stands = BTreeMap::new();
    for device in devices {
        if let Entry::Vacant(vacant) = stands.entry(device.account) {
            vacant.insert(desks::sync(server.address, &device.token, "0").await?.0);
        }
    }
    Ok(stands)
}

fn live_path(stands: &BTreeMap<usize, String>, device: &Device) -> Result<String> {
    let cursor = stands.get(&device.account).context("Finding where a desk stands")?;
    Ok(format!("/api/v1/live?after={cursor}"))
}

async fn in_turn(connecting: impl Iterator<Item = impl Future<Output = Result<Socket>>>) -> Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for socket in connecting {
        sockets.push(socket.await?);
    }
    Ok(sockets)
}

/// P4.
async fn fan_out(
    server: &Server,
    sockets: Vec<Socket>,
    bare: &Server,
    sizes: &Sizes,
    report: &mut Report,
) -> Result<()> {
    let webhooks = texts(A_SECOND * sizes.fan_out_seconds, KNOWN);
    let (spread, sockets) = desks::fan_out(server.address, sockets, &webhooks, A_SECOND).await?;
    drop(sockets);
    let listening = in_turn((0..sizes.desks).map(|_| desks::live(bare.address, "/live", "")));
    let (ceiling, sockets) = desks::fan_out(bare.address, listening.await?, &webhooks, A_SECOND).await?;
    drop(sockets);
    for (percent, most) in [(50, 50.0), (99, 200.0)] {
        let what = format!("webhook in → the last of {} desks has it, {A_SECOND}/s, p{percent}", sizes.desks);
        report.add(
            Figure::new(Id::P4, what, "ms", spread.percentile(percent))
                .target(Target::AtMost(most))
                .ceiling(ceiling.percentile(percent)),
        );
    }
    Ok(())
}

/// P5: as after a restart of the gateway, which is when all of them come at once.
async fn come_back(
    house: &House,
    devices: &[Device],
    stands: &BTreeMap<usize, String>,
    bare: &Server,
    sizes: &Sizes,
    report: &mut Report,
) -> Result<()> {
    let began = Instant::now();
    let bare_address = bare.address;
    let path = format!("/live?behind={}", sizes.behind);
    let ceiling = desks::all((0..sizes.desks).map(|_| {
        let path = path.clone();
        async move { desks::live(bare_address, &path, "").await }
    }))
    .await?;
    let least = began.elapsed();
    drop(ceiling);

    let server = house.serve()?;
    let address = server.address;
    let began = Instant::now();
    let coming = devices.iter().map(|device| {
        let (stand, token) = (stands.get(&device.account).cloned(), device.token.clone());
        async move {
            let (cursor, entries) =
                desks::sync(address, &token, &stand.context("Finding where a desk stands")?).await?;
            Ok((desks::live(address, &format!("/api/v1/live?after={cursor}"), &token).await?, entries))
        }
    });
    let back = desks::all(coming.collect::<Vec<_>>().into_iter()).await?;
    let took = began.elapsed();
    ensure!(back.iter().all(|(_, entries)| *entries == sizes.behind), "Not every desk was given what it lacked");
    let what =
        format!("{} desks come back at once, each {} entries behind, until all are live", sizes.desks, sizes.behind);
    report.add(
        Figure::new(Id::P5, what, "s", took.as_secs_f64()).target(Target::AtMost(10.0)).ceiling(least.as_secs_f64()),
    );
    report.add(
        Figure::new(Id::P5, "memory at most, meanwhile", "MiB", server.most_memory()?).target(Target::AtMost(300.0)),
    );
    Ok(())
}
