//! The whole program, put together from its configuration and taken apart again.

use std::{
    collections::BTreeMap,
    fs::File,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use domain::{
    chain::Hash,
    command::SystemAsk,
    ids::{Clock, Ids},
};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};
use uuid::Uuid;

use crate::{
    agency::{Agency, Files},
    config::Config,
    connections::Limits,
    decider::{Decider, Job},
    deliveries::{self, Deliveries, Unfinished},
    erasure,
    heads::{self, SigningKey},
    home::{Home, Place, Postgres, Server, Storage},
    http::PATIENCE,
    intake::Intake,
    journal::Journal,
    keys::ServerKey,
    leases::{Holder, Leases},
    ledger::Ledger,
    live::Times,
    media::{Media, sweep},
    others::{self, Others},
    pace::Pace,
    passwords::Passwords,
    requests::ROOM,
    sender::Sender,
    signs::Signs,
    sqlite::Checkpointer,
    understanding,
    webhook::Endpoint,
};

/// What the handlers of requests share.
pub struct Gateway {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// The server's key.
    pub key: Arc<ServerKey>,
    /// Raw deliveries.
    pub deliveries: Deliveries,
    /// The agencies by their short names.
    pub agencies: BTreeMap<String, Arc<Agency>>,
    /// The webhook endpoints by their paths.
    pub endpoints: BTreeMap<String, Arc<Endpoint>>,
    /// How much anybody may take.
    pub limits: Limits,
    /// How live connections keep time.
    pub times: Times,
    /// The bytes of bodies that may still come.
    pub room: Arc<Semaphore>,
    /// Whether a proxy stands before this program.
    pub behind_proxy: bool,
    /// How many commands each device has sent.
    pub commands: Mutex<Pace<Hash>>,
    /// Where files are kept; nowhere if absent.
    pub media: Option<Arc<Media>>,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// What this process holds where there are others.
    pub leases: Arc<Leases>,
    /// What can be seen of it all.
    pub signs: Signs,
    /// Which version of the reader of messages this is.
    pub reader: u32,
    /// Turns true when the gateway stops.
    pub stopping: watch::Sender<bool>,
}

/// Resolves when the gateway stops.
pub async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// A gateway at work.
pub struct Running {
    /// What the handlers share.
    pub gateway: Arc<Gateway>,
    tasks: JoinSet<()>,
    shared: Option<Shared>,
    _checkpointer: Checkpointer,
    _lock: Lock,
}

/// Everything opened, and nothing at work yet.
struct Opened {
    gateway: Arc<Gateway>,
    intake: Intake,
    senders: Vec<Sender>,
    erasures: Vec<(Arc<Agency>, Files, Place)>,
    signing: Option<SigningKey>,
    checkpointer: Checkpointer,
    shared: Option<Shared>,
    lock: Lock,
}

/// What there is only where other processes may be at work on the same database.
struct Shared {
    server: Arc<Server>,
    process: Uuid,
    holder: Holder,
    others: Others,
}

impl Running {
    /// Opens everything and starts intake and senders. It must run inside tokio.
    pub async fn start(config: Config, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Result<Self> {
        let opened = tokio::task::spawn_blocking(move || open(config, clock, ids));
        let Opened { gateway, intake, senders, erasures, signing, checkpointer, shared, lock } =
            opened.await.context("Opening everything")??;
        let mut tasks = JoinSet::new();
        for (agency, files, deliveries) in erasures {
            tasks.spawn(understanding::run(Arc::clone(&gateway), Arc::clone(&agency), gateway.reader));
            tasks.spawn(erasure::run(Arc::clone(&gateway), agency, files, deliveries));
        }
        tasks.spawn(intake.run());
        if let Some(key) = signing {
            tasks.spawn(heads::run(Arc::clone(&gateway), key));
        }
        if let Some(media) = gateway.media.clone() {
            tasks.spawn(sweep::run(Arc::clone(&gateway), media));
        }
        for sender in senders {
            tasks.spawn(sender.run(gateway.stopping.subscribe()));
        }
        if let Some(Shared { server, process, .. }) = &shared {
            others::follow(Arc::clone(&gateway), Arc::clone(server), *process)?;
        }
        Ok(Self { gateway, tasks, shared, _checkpointer: checkpointer, _lock: lock })
    }

    /// Stops: what is being sent is waited for, since nobody else could tell what became of it.
    pub async fn stop(mut self) {
        let _ = self.gateway.stopping.send(true);
        while self.tasks.join_next().await.is_some() {}
        for agency in self.gateway.agencies.values() {
            // A database that does not answer must not keep the program from ending.
            let _ = tokio::time::timeout(PATIENCE, agency.end()).await;
        }
        if let Some(Shared { holder, others, .. }) = self.shared.take() {
            others.stop();
            // The others take over at once, and need not wait until what was held here ends.
            let _ = tokio::task::spawn_blocking(move || drop(holder)).await;
        }
    }
}

/// Opens everything. It may take its time, and talks to the storage.
fn open(config: Config, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Result<Opened> {
    let absent = || format!("Nothing is set up in {}: run `shubbak-gateway init` first", config.storage);
    let key = Arc::new(ServerKey::read(&config.key_file).with_context(absent)?);
    let lock = lock(&config, false)?;
    let signing = config.server.signing_key_file.as_deref().map(SigningKey::read).transpose()?;
    let place = config.storage.deliveries();
    let process = ids.next(clock.now());
    let owner = process.to_string();
    let (deliveries, _) = Deliveries::start(&place, &key, &owner).with_context(absent)?;
    let lines = config.agencies.iter().flat_map(|agency| &agency.lines).map(|line| line.phone_number_id.clone());
    let (leases, shared) = match &config.storage {
        Storage::Sqlite(_) => (Arc::new(Leases::alone(Arc::clone(&clock))), None),
        Storage::Postgres(server) => {
            let home = Home::writer(&place, deliveries::SCHEMA)?;
            let lines: Vec<_> = lines.collect();
            let (holder, leases) = Holder::start(home, process, &lines, Arc::clone(&clock))?;
            let others = Others::start(Arc::clone(server), process)?;
            (leases, Some(Shared { server: Arc::clone(server), process, holder, others }))
        }
    };
    let unfinished = Unfinished::open(&place, &owner)?;
    let http = whatsapp::client::http(whatsapp::client::Timeouts::default()).context("Setting up HTTP")?;

    let signs = Signs::start(&config, Unfinished::open(&place, &owner)?)?;
    let media = Media::open(&config)?;
    let ledger = Ledger::open(&config)?;
    let others = shared.as_ref().map(|shared| shared.others.clone()).unwrap_or_default();
    let mut agencies = BTreeMap::new();
    let mut senders = Vec::new();
    let mut erasures = Vec::new();
    let mut files: Vec<PathBuf> = file(&place).into_iter().collect();
    for settings in &config.agencies {
        let agency_files = Files::of(&settings.id, &config.storage, &config.records);
        files.extend(file(&agency_files.journal).into_iter().chain([agency_files.records.clone()]));
        let decider = open_agency(settings, &agency_files, &key, &clock, &ids)
            .with_context(|| format!("Opening the agency {}", settings.id))?
            .with_ledger(ledger.clone());
        let (agency, outlets) = Agency::start(&settings.id, agency_files.clone(), decider, others.clone())?;
        erasures.push((Arc::clone(&agency), agency_files, place.clone()));
        senders.push(Sender::new(
            Arc::clone(&agency),
            outlets,
            &settings.lines,
            Arc::clone(&leases),
            &http,
            Arc::clone(&clock),
        ));
        agencies.insert(settings.id.clone(), agency);
    }
    let endpoints = config.webhooks.into_iter().map(|webhook| (webhook.path.clone(), Arc::new(Endpoint::new(webhook))));
    let gateway = Arc::new(Gateway {
        clock,
        ids,
        key,
        deliveries,
        agencies,
        endpoints: endpoints.collect(),
        limits: config.limits,
        times: config.times,
        room: Arc::new(Semaphore::new(ROOM)),
        behind_proxy: config.server.behind_proxy,
        commands: Mutex::default(),
        media,
        passwords: Passwords::new()?,
        leases,
        signs,
        reader: config.reader,
        stopping: watch::Sender::new(false),
    });
    let lines = config
        .agencies
        .iter()
        .flat_map(|agency| agency.lines.iter().map(|line| (line.phone_number_id.clone(), agency.id.clone())));
    let intake = Intake::new(Arc::clone(&gateway), lines.collect(), unfinished);
    Ok(Opened { gateway, intake, senders, erasures, signing, checkpointer: Checkpointer::start(files)?, shared, lock })
}

fn file(place: &Place) -> Option<PathBuf> {
    match place {
        Place::Sqlite(file) => Some(file.clone()),
        Place::Postgres(..) => None,
    }
}

/// One process is at work on a storage, and on a folder of read models: a second one would take what the first is
/// sending for abandoned.
pub struct Lock {
    _file: File,
    _home: Option<Postgres>,
}

/// Takes the lock: `alone`, or beside the other processes that a database may have. An error if that cannot be.
pub fn lock(config: &Config, alone: bool) -> Result<Lock> {
    let folder = match &config.storage {
        Storage::Sqlite(folder) => folder,
        Storage::Postgres(_) => &config.records,
    };
    let path = folder.join("serving.lock");
    let file = File::create(&path).with_context(|| format!("Making {}", path.display()))?;
    file.try_lock().with_context(|| format!("Locking {}: another gateway is serving this folder", path.display()))?;
    let home = match &config.storage {
        Storage::Sqlite(_) => None,
        Storage::Postgres(server) => {
            let home = Postgres::reader(server, "public");
            // A process that was killed a moment ago is noticed by the server in the next.
            let mut tries = 0..30;
            while !home.takes_part(alone)? {
                ensure!(tries.next().is_some(), "Another gateway is serving {server}");
                std::thread::sleep(Duration::from_millis(100));
            }
            Some(home)
        }
    };
    Ok(Lock { _file: file, _home: home })
}

/// Opens an agency's journal and records, and takes the pack and the lines of its configuration into force.
fn open_agency(
    settings: &crate::config::Agency,
    files: &Files,
    key: &Arc<ServerKey>,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
) -> Result<Decider> {
    let journal = Journal::open(&files.journal)
        .with_context(|| format!("Nothing is set up for {}: run `shubbak-gateway init`", settings.id))?;
    let mut decider =
        Decider::new(&settings.id, journal, files.open_records()?, Arc::clone(key), Arc::clone(clock), Arc::clone(ids));
    // An agency that is not ready keeps the others from nothing; it says so when asked.
    if let Err(error) = configure(&mut decider, settings) {
        tracing::error!(error = format!("{error:#}"), agency = settings.id, "Its configuration could not be applied");
    }
    Ok(decider)
}

/// Makes entries of the pack and the lines, where they differ from what is in force.
pub fn configure(decider: &mut Decider, settings: &crate::config::Agency) -> Result<()> {
    let content = std::fs::read_to_string(&settings.pack)
        .with_context(|| format!("Reading the pack {}", settings.pack.display()))?;
    let mut asks = vec![SystemAsk::LoadPack { content }];
    asks.extend(settings.lines.iter().map(|line| SystemAsk::ConfigureLine {
        line: line.phone_number_id.clone(),
        display_number: line.display_number.clone(),
    }));
    for ask in asks {
        let _ = decide_now(decider, ask)?.context("The configuration was refused")?;
    }
    Ok(())
}

/// Decides one thing at once, where no thread does it yet.
pub fn decide_now(decider: &mut Decider, ask: SystemAsk) -> Result<crate::decider::Decided> {
    let (done, mut answer) = tokio::sync::oneshot::channel();
    let told = decider.batch(vec![Job::System { ask, done }])?;
    for then in told.answers {
        then();
    }
    answer.try_recv().context("It could not be decided")
}
