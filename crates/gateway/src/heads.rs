//! Signed heads: once a day an agency's head is signed with a key that lies outside the storage folder, kept beside the
//! entries, and given to every desk with its cursor. Whoever rewrites or cuts off a journal would have to change what
//! lies on all those desks too.

use std::{
    io::{ErrorKind, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use data_encoding::HEXLOWER;
use domain::{ids::Millis, wire::Witness};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

use crate::{
    agency::{Agency, Files, chosen},
    config::{self, Config},
    failure::Failure,
    gateway::{Gateway, stopped},
    journal::{Head, Reader},
    keys,
};

/// So often it is asked whether a new day has begun.
const LOOK: Duration = Duration::from_secs(60);

/// The key that signs heads. In its file: 32 bytes in hex.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Reads the key.
    pub fn read(path: &Path) -> Result<Self> {
        let doing = || format!("Reading the signing key {}", path.display());
        let text = Zeroizing::new(std::fs::read(path).with_context(doing)?);
        let seed = HEXLOWER.decode(text.trim_ascii()).map(Zeroizing::new);
        let seed = seed.map_err(|_| anyhow!("It is not 64 hex digits")).with_context(doing)?;
        let pair =
            Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| anyhow!("{error}")).with_context(doing)?;
        Ok(Self(pair))
    }

    /// Makes the key where there is none yet; whether it did.
    pub fn make(path: &Path) -> Result<bool> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let doing = || format!("Making the signing key {}", path.display());
        match options.open(path) {
            Ok(mut file) => {
                let seed = Zeroizing::new(keys::random::<32>()?);
                let text = Zeroizing::new(HEXLOWER.encode(seed.as_ref()));
                file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(doing)?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error).with_context(doing),
        }
    }

    /// Signs a head.
    pub fn sign(&self, agency: &str, head: &Head, now: Millis) -> Witness {
        let mut witness = Witness {
            agency: agency.to_owned(),
            journal: head.journal.clone(),
            seq: head.seq,
            chain: HEXLOWER.encode(&head.chain),
            at: now,
            key: HEXLOWER.encode(self.0.public_key().as_ref()),
            signature: String::new(),
        };
        witness.signature = HEXLOWER.encode(self.0.sign(witness.signed().as_bytes()).as_ref());
        witness
    }

    /// Checks that this key has signed a head as it stands.
    pub fn must_have_signed(&self, witness: &Witness) -> Result<()> {
        let key = self.0.public_key();
        let which = || format!("The signed head of {} at {}", witness.agency, witness.seq);
        ensure!(witness.key == HEXLOWER.encode(key.as_ref()), "{} was signed with another key", which());
        let signature = HEXLOWER.decode(witness.signature.as_bytes()).unwrap_or_default();
        let fits = UnparsedPublicKey::new(&ED25519, key.as_ref()).verify(witness.signed().as_bytes(), &signature);
        fits.map_err(|_| anyhow!("{} bears a signature that does not fit", which()))
    }
}

/// Reads heads that were exported: one JSON object, or several after each other.
pub fn read_witnesses(path: &Path) -> Result<Vec<Witness>> {
    let doing = || format!("Reading the signed heads in {}", path.display());
    let text = std::fs::read_to_string(path).with_context(doing)?;
    let witnesses: Vec<Witness> =
        serde_json::Deserializer::from_str(&text).into_iter().collect::<Result<_, _>>().with_context(doing)?;
    ensure!(!witnesses.is_empty(), "{}: there is none", doing());
    Ok(witnesses)
}

/// The head of each agency that was signed last.
pub fn last(config: &Config, agency: Option<&str>) -> Result<Vec<Witness>> {
    let of = |settings: &config::Agency| {
        let files = Files::of(&settings.id, &config.storage, &config.records);
        let last = Reader::open(files.journal)?.signed_head()?;
        Ok(last.with_context(|| format!("No head of {} has been signed yet", settings.id))?.1)
    };
    chosen(config, agency)?.into_iter().map(of).collect()
}

/// Signs each agency's head once a day, until the gateway stops.
pub async fn run(gateway: Arc<Gateway>, key: SigningKey) {
    let key = Arc::new(key);
    let mut stopping = gateway.stopping.subscribe();
    loop {
        for agency in gateway.agencies.values() {
            if let Err(failure) = sign_today(agency, &key, gateway.clock.now()).await {
                tracing::warn!(agency = agency.id, status = %failure.status(), "Signing the day's head failed");
            }
        }
        tokio::select! {
            () = stopped(&mut stopping) => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn sign_today(agency: &Arc<Agency>, key: &Arc<SigningKey>, now: Millis) -> Result<(), Failure> {
    let (today, last) = agency
        .read(move |reader| {
            let today = reader.records.pack()?.and_then(|pack| pack.date(now)).map(|date| date.to_string());
            Ok((today, reader.journal.signed_head()?.map(|(day, _)| day)))
        })
        .await?;
    // Before there is a pack there is no time zone, and nothing to sign.
    let Some(today) = today.filter(|today| last.is_none_or(|last| *today > last)) else { return Ok(()) };
    let (key, name) = (Arc::clone(key), agency.id.clone());
    agency.change(move |batch| Ok((batch.keep_signed_head(&today, &key.sign(&name, batch.head(), now))?, None))).await
}

/// Where the key of a configuration is; an error if none is configured.
pub fn configured(path: Option<&Path>) -> Result<SigningKey> {
    SigningKey::read(path.context("No key for signed heads is configured: [server] signing_key_file")?)
}
