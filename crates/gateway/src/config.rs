//! `gateway.toml`: one file, every path in it relative to it, secrets by file or environment and never inside.

mod media;
mod storage;

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use zeroize::Zeroizing;

pub use self::media::{Media, S3};
use self::storage::StorageFile;
use crate::{alarms::Thresholds, connections::Limits, home::Storage, live::Times};

/// The path that `[whatsapp]` is short for.
pub const DEFAULT_WEBHOOK: &str = "/webhooks/whatsapp";
/// The Graph API version used where none is given.
const GRAPH_VERSION: &str = "v26.0";
const GRAPH_URL: &str = "https://graph.facebook.com";
/// Files and transactions are per agency; beyond this many, SQLite is no longer the right home.
const COMFORTABLE_AGENCIES: usize = 64;

/// Everything that is wrong with a configuration, in words.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct Problems(pub Vec<String>);

fn lines(problems: &[String]) -> String {
    problems.iter().fold(String::from("The configuration cannot be used:"), |mut text, problem| {
        let _ = write!(text, "\n  - {problem}");
        text
    })
}

/// A configuration that was read and found sound.
#[derive(Debug)]
pub struct Config {
    /// Where and how to listen.
    pub server: Server,
    /// How much anybody may take.
    pub limits: Limits,
    /// How live connections keep time; no part of the file.
    pub times: Times,
    /// When somebody is to be woken.
    pub alarms: Thresholds,
    /// Where the journals and the deliveries are.
    pub storage: Storage,
    /// The server's key.
    pub key_file: PathBuf,
    /// The folder of the read models.
    pub records: PathBuf,
    /// The file of erasures, outside of the storage and of its backups.
    pub erasure_ledger: PathBuf,
    /// Where files are kept; nowhere if absent.
    pub media: Option<Media>,
    /// The webhook endpoints.
    pub webhooks: Vec<Webhook>,
    /// Which version of the reader of messages this program is. No setting: tests hand in an older one.
    pub reader: u32,
    /// The agencies.
    pub agencies: Vec<Agency>,
    /// What is no error but worth knowing.
    pub warnings: Vec<String>,
}

/// `[server]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The certificate chain (PEM).
    pub tls_cert: Option<PathBuf>,
    /// Its private key (PEM).
    pub tls_key: Option<PathBuf>,
    /// The key that signs each day's heads; outside the storage folder.
    pub signing_key_file: Option<PathBuf>,
    /// A proxy before this program ends TLS.
    #[serde(default)]
    pub behind_proxy: bool,
    metrics_token_file: Option<PathBuf>,
    metrics_token_env: Option<String>,
    /// With it, `/metrics` may be read from anywhere; without, from this machine alone.
    #[serde(skip)]
    pub metrics_token: Option<Secret>,
}

/// How a webhook POST shows that it is genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookKind {
    /// `X-Hub-Signature-256` over the raw bytes.
    Meta,
    /// A header with an agreed value, for a provider that does not sign.
    Header,
}

/// One endpoint, which speaks for its own lines only.
#[derive(Debug)]
pub struct Webhook {
    /// Its path.
    pub path: String,
    /// How a POST shows that it is genuine.
    pub kind: WebhookKind,
    /// The header of kind `header`.
    pub header: String,
    /// The secrets that hold; two while one is rotated.
    pub secrets: Vec<Secret>,
    /// The token of the handshake.
    pub verify_token: Option<Secret>,
    /// The lines it may speak for.
    pub lines: BTreeSet<String>,
}

/// One agency.
#[derive(Debug)]
pub struct Agency {
    /// Its short name.
    pub id: String,
    /// Its pack's file.
    pub pack: PathBuf,
    /// Its WhatsApp numbers.
    pub lines: Vec<Line>,
}

/// Who carries a line. An open list: others with the same payloads come later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Provider {
    /// Meta's Graph API.
    #[default]
    #[serde(rename = "meta")]
    Meta,
}

/// One WhatsApp number.
#[derive(Debug)]
pub struct Line {
    /// Meta's id of it.
    pub phone_number_id: String,
    /// The account it belongs to.
    pub waba_id: Option<String>,
    /// What people dial.
    pub display_number: String,
    /// What lets us send.
    pub token: Secret,
    /// Who carries it.
    pub provider: Provider,
    /// Where its API is.
    pub graph_url: String,
    /// The version of it.
    pub graph_version: String,
    /// Messages that may go out in a second.
    pub messages_per_second: u32,
}

/// A secret as read; printed by nothing.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    server: Server,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    alarms: Thresholds,
    storage: StorageFile,
    whatsapp: Option<WhatsApp>,
    #[serde(default)]
    webhook: Vec<WebhookFile>,
    #[serde(default)]
    agency: Vec<AgencyFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhatsApp {
    graph_url: Option<String>,
    graph_version: Option<String>,
    app_secret_file: Option<PathBuf>,
    app_secret_env: Option<String>,
    verify_token_file: Option<PathBuf>,
    verify_token_env: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookFile {
    path: String,
    kind: WebhookKind,
    header: Option<String>,
    #[serde(default)]
    secret_files: Vec<PathBuf>,
    #[serde(default)]
    secret_envs: Vec<String>,
    verify_token_file: Option<PathBuf>,
    verify_token_env: Option<String>,
    lines: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgencyFile {
    id: String,
    pack: PathBuf,
    #[serde(default)]
    line: Vec<LineFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineFile {
    phone_number_id: String,
    waba_id: Option<String>,
    display_number: String,
    token_file: Option<PathBuf>,
    token_env: Option<String>,
    #[serde(default)]
    provider: Provider,
    graph_url: Option<String>,
    #[serde(default = "messages_per_second")]
    messages_per_second: u32,
}

/// Meta's figure for a number; one that is also in the WhatsApp Business app has 20.
fn messages_per_second() -> u32 {
    80
}

/// Reads and checks a configuration, secrets included.
pub fn load(path: &Path) -> Result<Config, Problems> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Problems(vec![format!("Reading {}: {error}", path.display())]))?;
    let mut file: File = toml::from_str(&text)
        .map_err(|error| Problems(vec![format!("Reading {}: {}", path.display(), error.to_string().trim_end())]))?;
    let mut check =
        Check { folder: path.parent().unwrap_or(Path::new("")).to_owned(), problems: Vec::new(), warnings: Vec::new() };
    check.server(&mut file.server);
    check.limits(&file.limits);
    check.problems.extend(file.alarms.problems());
    let records = check.folder.join(&file.storage.records);
    let erasure_ledger = file.storage.erasure_ledger.clone();
    let media = check.media(file.storage.media.as_deref(), file.storage.s3.take());
    let storage = check.storage(file.storage);
    if let Some((Storage::Sqlite(folder), _)) = &storage {
        check.signing_key(file.server.signing_key_file.as_deref(), folder);
    }
    let agencies = check.agencies(file.agency, file.whatsapp.as_ref());
    if matches!(storage, Some((Storage::Sqlite(_), _))) && agencies.len() > COMFORTABLE_AGENCIES {
        check.warnings.push(format!(
            "{} agencies are many for one program on SQLite: with more than {COMFORTABLE_AGENCIES}, PostgreSQL is the \
             better home",
            agencies.len()
        ));
    }
    let webhooks = check.webhooks(file.webhook, file.whatsapp, &agencies);
    let folder = match &storage {
        Some((Storage::Sqlite(folder), _)) => folder,
        Some((Storage::Postgres(_), _)) | None => &records,
    };
    let erasure_ledger = check.erasure_ledger(erasure_ledger, folder, &records);
    let Some((storage, key_file)) = storage.filter(|_| check.problems.is_empty()) else {
        return Err(Problems(check.problems));
    };
    Ok(Config {
        server: file.server,
        limits: file.limits,
        times: Times::default(),
        alarms: file.alarms,
        storage,
        key_file,
        records,
        erasure_ledger,
        reader: whatsapp::webhook::READER,
        media,
        webhooks,
        agencies,
        warnings: check.warnings,
    })
}

struct Check {
    folder: PathBuf,
    problems: Vec<String>,
    warnings: Vec<String>,
}

impl Check {
    fn wrong(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    fn server(&mut self, server: &mut Server) {
        for path in [&mut server.tls_cert, &mut server.tls_key, &mut server.signing_key_file].into_iter().flatten() {
            *path = self.folder.join(&path);
        }
        let (file, variable) = (server.metrics_token_file.take(), server.metrics_token_env.take());
        server.metrics_token = self.secret("[server] metrics_token", file, variable);
        match (&server.tls_cert, &server.tls_key) {
            (Some(cert), Some(key)) => {
                if let Err(error) = crate::tls::read(cert, key) {
                    self.wrong(format!("[server] {error:#}"));
                }
            }
            (None, None) => {
                if !server.listen.ip().is_loopback() && !server.behind_proxy {
                    self.wrong(format!(
                        "[server] listen = {:?} can be reached from other machines: give tls_cert and tls_key, or say \
                         behind_proxy = true if a proxy before this program ends TLS",
                        server.listen.to_string()
                    ));
                }
            }
            _ => self.wrong("[server] tls_cert and tls_key belong together: one of them is missing"),
        }
    }

    fn limits(&mut self, limits: &Limits) {
        let Limits {
            connections,
            connections_per_address,
            header_seconds,
            body_seconds,
            idle_seconds,
            commands_per_minute,
        } = limits;
        let zero = *connections == 0
            || *connections_per_address == 0
            || *header_seconds == 0
            || *body_seconds == 0
            || *commands_per_minute == 0;
        if zero {
            self.wrong("[limits] A limit of 0 would let nobody in");
        }
        if [header_seconds, body_seconds, idle_seconds].into_iter().any(|seconds| *seconds > 86_400) {
            self.wrong("[limits] A time of more than a day (86400 seconds) protects from nothing");
        }
        // The heartbeat of a quiet socket comes every 25 seconds.
        if *idle_seconds < 30 {
            self.wrong("[limits] idle_seconds: a quiet desk says something every 25 seconds; give at least 30");
        }
    }

    fn signing_key(&mut self, key: Option<&Path>, journal: &Path) {
        match key {
            Some(key) if key.starts_with(journal) => self.wrong(
                "[server] signing_key_file lies in the storage folder: whoever rewrites a journal there could sign it",
            ),
            Some(_) => {}
            None => self.warnings.push(
                "[server] signing_key_file is not given: heads are not signed, and a journal that was rewritten whole \
                 does not show it"
                    .to_owned(),
            ),
        }
    }

    /// Beside the storage's folders, unless it is said where.
    fn erasure_ledger(&mut self, given: Option<PathBuf>, journal: &Path, records: &Path) -> PathBuf {
        if let Some(given) = given {
            let path = self.folder.join(given);
            if path.starts_with(journal) || path.starts_with(records) {
                self.wrong("[storage] erasure_ledger lies in a storage folder: a backup from before would replace it");
            }
            return path;
        }
        let outside = |path: &&Path| !path.starts_with(journal) && !path.starts_with(records);
        let folder = records.ancestors().find(outside).unwrap_or(&self.folder);
        folder.join("erasures.jsonl")
    }

    fn agencies(&mut self, files: Vec<AgencyFile>, whatsapp: Option<&WhatsApp>) -> Vec<Agency> {
        if files.is_empty() {
            self.wrong("No [[agency]] is given");
        }
        let graph_url = whatsapp.and_then(|w| w.graph_url.clone()).unwrap_or_else(|| GRAPH_URL.to_owned());
        let graph_version = whatsapp.and_then(|w| w.graph_version.clone()).unwrap_or_else(|| GRAPH_VERSION.to_owned());
        let (mut ids, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        let mut agencies = Vec::new();
        for AgencyFile { id, pack, line } in files {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if id.is_empty() || id.len() > 40 || !id.chars().all(plain) || id.starts_with('-') {
                self.wrong(format!(
                    "[[agency]] id = {id:?}: an id consists of small letters, digits and hyphens, at most 40"
                ));
            }
            if !ids.insert(id.clone()) {
                self.wrong(format!("[[agency]] id = {id:?} is given twice"));
            }
            let pack = self.folder.join(pack);
            if let Err(error) = crate::init::read_pack(&pack) {
                self.wrong(format!("[[agency]] {id}: {error:#}"));
            }
            let mut lines = Vec::new();
            for line in line {
                let number = line.phone_number_id;
                if !numbers.insert(number.clone()) {
                    self.wrong(format!("[[agency.line]] phone_number_id = {number:?} is given twice"));
                }
                let what = format!("[[agency.line]] {number}: token");
                let Some(token) = self.secret(&what, line.token_file, line.token_env) else {
                    self.wrong(format!("{what}: give token_file or token_env"));
                    continue;
                };
                if line.messages_per_second == 0 {
                    self.wrong(format!("[[agency.line]] {number}: messages_per_second = 0 would send nothing"));
                }
                let graph_url = line.graph_url.unwrap_or_else(|| graph_url.clone());
                self.graph_url(&graph_url);
                lines.push(Line {
                    phone_number_id: number,
                    waba_id: line.waba_id,
                    display_number: line.display_number,
                    token,
                    provider: line.provider,
                    graph_url,
                    graph_version: graph_version.clone(),
                    messages_per_second: line.messages_per_second,
                });
            }
            agencies.push(Agency { id, pack, lines });
        }
        agencies
    }

    /// The token goes wherever `graph_url` says, so it may go unencrypted to this machine only.
    fn graph_url(&mut self, url: &str) {
        let loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        let local = loopback
            .iter()
            .any(|prefix| url.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])));
        let problem =
            format!("[whatsapp] graph_url = {url:?} must begin with https:// (http:// for this machine alone)");
        if !url.starts_with("https://") && !local && !self.problems.contains(&problem) {
            self.wrong(problem);
        }
    }

    fn webhooks(&mut self, files: Vec<WebhookFile>, short: Option<WhatsApp>, agencies: &[Agency]) -> Vec<Webhook> {
        let all: BTreeSet<String> =
            agencies.iter().flat_map(|agency| &agency.lines).map(|line| line.phone_number_id.clone()).collect();
        let spoken_for: BTreeSet<String> = files.iter().flat_map(|file| file.lines.iter().cloned()).collect();
        let mut webhooks = Vec::new();
        for file in files {
            let what = format!("[[webhook]] {}", file.path);
            if !file.path.starts_with("/webhooks/") || file.path.contains(['{', '}', '*', '?', '#', ' ']) {
                self.wrong(format!("{what}: a path begins with /webhooks/ and has no special characters"));
            }
            for line in file.lines.difference(&all) {
                self.wrong(format!("{what}: lines names {line:?}, which is no [[agency.line]]"));
            }
            let mut secrets = Vec::new();
            for path in file.secret_files {
                secrets.extend(self.secret(&what, Some(path), None));
            }
            for name in file.secret_envs {
                secrets.extend(self.secret(&what, None, Some(name)));
            }
            if secrets.is_empty() {
                self.wrong(format!("{what}: give secret_files or secret_envs"));
            }
            if file.kind == WebhookKind::Header && file.header.as_deref().is_none_or(str::is_empty) {
                self.wrong(format!("{what}: kind = \"header\" needs header = \"NAME\""));
            }
            let verify_token = self.secret(&what, file.verify_token_file, file.verify_token_env);
            webhooks.push(Webhook {
                path: file.path,
                kind: file.kind,
                header: file.header.unwrap_or_default(),
                secrets,
                verify_token,
                lines: file.lines,
            });
        }
        // The short form speaks for every line that no endpoint of its own speaks for.
        if let Some(short) = short
            && (short.app_secret_file.is_some() || short.app_secret_env.is_some())
        {
            let secret = self.secret("[whatsapp] app_secret", short.app_secret_file, short.app_secret_env);
            let verify_token = self.secret("[whatsapp] verify_token", short.verify_token_file, short.verify_token_env);
            webhooks.push(Webhook {
                path: DEFAULT_WEBHOOK.to_owned(),
                kind: WebhookKind::Meta,
                header: String::new(),
                secrets: secret.into_iter().collect(),
                verify_token,
                lines: all.difference(&spoken_for).cloned().collect(),
            });
        }
        let mut paths = BTreeSet::new();
        for webhook in &webhooks {
            if !paths.insert(webhook.path.as_str()) {
                self.problems.push(format!("Two webhook endpoints have the path {}", webhook.path));
            }
        }
        for line in &all {
            if !webhooks.iter().any(|webhook| webhook.lines.contains(line)) {
                self.problems.push(format!(
                    "No webhook speaks for the line {line}: give [whatsapp] app_secret_file, or a [[webhook]] with it"
                ));
            }
        }
        webhooks
    }

    /// A secret by file or environment. `None` if neither is given, or if it cannot be read, which is then a problem.
    fn secret(&mut self, what: &str, file: Option<PathBuf>, variable: Option<String>) -> Option<Secret> {
        let text = match (file, variable) {
            (None, None) => return None,
            (Some(_), Some(_)) => {
                self.wrong(format!("{what}: given by file and by environment; one is enough"));
                return Some(Secret::from(""));
            }
            (Some(file), None) => {
                let path = self.folder.join(file);
                std::fs::read_to_string(&path).map_err(|error| format!("{what}: reading {}: {error}", path.display()))
            }
            (None, Some(name)) => std::env::var(&name).map_err(|_| format!("{what}: the environment has no {name}")),
        };
        match text.map(Zeroizing::new) {
            Ok(text) if text.trim().is_empty() => self.wrong(format!("{what}: the secret is empty")),
            Ok(text) => return Some(Secret(Zeroizing::new(text.trim().to_owned()))),
            Err(problem) => self.wrong(problem),
        }
        Some(Secret::from(""))
    }
}
