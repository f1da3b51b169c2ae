//! `verify`: recomputes every digest and the chain of a journal, and names the first entry that is not as it was
//! written.
//!
//! It reads what is stored and interprets nothing, so that an entry which this version cannot read is verified all the
//! same. A chain that was recomputed from end to end is sound in itself: only a head that was signed and exported before,
//! and kept elsewhere, shows that it is another.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, ensure};
use data_encoding::HEXLOWER;
use domain::{
    chain::{self, Hash, Header},
    erasure::Blanks,
    ids::Seq,
    wire::Witness,
};

use crate::{
    agency::chosen,
    config::Config,
    heads,
    home::Place,
    journal::{Head, Reader, Stored},
};

/// The first thing that is wrong with a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// An entry was deleted.
    #[error("Entry {0} is missing")]
    Missing(Seq),
    /// A body or a salt was edited.
    #[error("Entry {0}: its body is not the one that was written")]
    Body(Seq),
    /// Anything else of an entry was edited.
    #[error("Entry {0}: its header, digest or chain is not the one that was written")]
    Header(Seq),
    /// Entries changed places.
    #[error("Entry {place} does not stand in its place: what was written there stands at {found}")]
    Moved {
        /// The place.
        place: Seq,
        /// Where that place's entry stands now.
        found: Seq,
    },
    /// The end is missing.
    #[error("Entry {from} is missing, and so is everything from there up to the head at {head}")]
    CutOff {
        /// The first that is missing.
        from: Seq,
        /// Where the head stands.
        head: Seq,
    },
    /// The head is not that of the last entry.
    #[error("The head stands at {head} and does not fit the last entry, {last}")]
    Head {
        /// The last entry.
        last: Seq,
        /// Where the head stands.
        head: Seq,
    },
    /// The chain is sound in itself, and another one than was signed.
    #[error("Entry {0}, or one before it, was rewritten: a head that was signed here says otherwise")]
    Rewritten(Seq),
    /// The chain is sound in itself, and shorter than one that was signed.
    #[error("Entry {from} is missing, and so is everything from there up to {signed}, where a head was signed")]
    Shortened {
        /// The first that is missing.
        from: Seq,
        /// Where a head was signed.
        signed: Seq,
    },
}

impl Flaw {
    /// The first bad entry.
    pub fn seq(&self) -> Seq {
        match self {
            Self::Missing(seq) | Self::Body(seq) | Self::Header(seq) | Self::Rewritten(seq) => *seq,
            Self::Moved { place, .. } => *place,
            Self::CutOff { from, .. } | Self::Shortened { from, .. } => *from,
            Self::Head { last, .. } => *last,
        }
    }
}

/// What was found of an agency's journal.
pub struct Report {
    /// Whose.
    pub agency: String,
    /// Its head, or what is wrong.
    pub found: Result<Head, Flaw>,
}

/// Verifies the journals of a configuration, with the signed heads in a file if there is one.
pub fn agencies(config: &Config, agency: Option<&str>, witness: Option<&Path>) -> Result<Vec<Report>> {
    let witnesses = witness.map(heads::read_witnesses).transpose()?.unwrap_or_default();
    if !witnesses.is_empty() {
        let key = heads::configured(config.server.signing_key_file.as_deref())?;
        witnesses.iter().try_for_each(|witness| key.must_have_signed(witness))?;
    }
    let mut reports = Vec::new();
    for settings in chosen(config, agency)? {
        let ours: Vec<_> = witnesses.iter().filter(|witness| witness.agency == settings.id).cloned().collect();
        ensure!(witness.is_none() || !ours.is_empty(), "Among the signed heads there is none of {}", settings.id);
        let found = journal(config.storage.journal(&settings.id), &ours)
            .with_context(|| format!("Verifying the journal of {}", settings.id))?;
        reports.push(Report { agency: settings.id.clone(), found });
    }
    Ok(reports)
}

/// Verifies a journal, which a gateway may be writing to. Witnesses must be this agency's, and their signatures checked.
pub fn journal(place: impl Into<Place>, witnesses: &[Witness]) -> Result<Result<Head, Flaw>> {
    let mut check = Check::new(witnesses);
    let head = Reader::open(place)?.stored(|stored| Ok(check.entry(&stored)))?;
    Ok(check.end(&head).map(|()| head))
}

struct Check {
    last: Seq,
    chain: Hash,
    signed: BTreeMap<Seq, Vec<String>>,
    flaw: Option<Flaw>,
    /// An entry that does not follow, while what should stand there is looked for behind it.
    misfit: Option<Misfit>,
    blanks: Blanks,
}

struct Misfit {
    place: Seq,
    chain: Vec<u8>,
}

impl Check {
    fn new(witnesses: &[Witness]) -> Self {
        let mut signed: BTreeMap<Seq, Vec<String>> = BTreeMap::new();
        for witness in witnesses {
            signed.entry(witness.seq).or_default().push(witness.chain.clone());
        }
        Self { last: 0, chain: chain::START, signed, flaw: None, misfit: None, blanks: Blanks::default() }
    }

    /// Looks at the next entry; whether to go on.
    fn entry(&mut self, stored: &Stored) -> bool {
        if let Some(misfit) = &self.misfit {
            if belongs(stored, &self.chain, misfit) {
                self.flaw = Some(Flaw::Moved { place: misfit.place, found: stored.seq });
            }
            return self.flaw.is_none();
        }
        let place = self.last + 1;
        if stored.seq != place {
            self.flaw = Some(Flaw::Missing(place));
        } else if !self.body_fits(stored) {
            self.flaw = Some(Flaw::Body(place));
        } else if let Some(chain) = link(&self.chain, stored, &stored.header).filter(|link| stored.chain == *link) {
            self.chain = chain;
            self.last = place;
            let fits = |signed: &String| *signed == HEXLOWER.encode(&chain);
            if self.signed.get(&place).is_some_and(|signed| !signed.iter().all(fits)) {
                self.flaw = Some(Flaw::Rewritten(place));
            }
        } else {
            self.misfit = Some(Misfit { place, chain: stored.chain.clone() });
        }
        self.flaw.is_none()
    }

    /// Whether a body is the one that was written, or is blank; whether it may be, a later entry says.
    fn body_fits(&mut self, stored: &Stored) -> bool {
        let [_, _, _, _, scope, _, _, kind, _] = &stored.header;
        if stored.body.is_empty() && stored.salt.is_empty() {
            return self.blanks.meet(stored.seq, scope);
        }
        let fits = digest_fits(stored);
        if fits {
            self.blanks.cover(kind, &stored.body);
        }
        fits
    }

    fn end(self, head: &Head) -> Result<(), Flaw> {
        let last = self.last;
        if let Some(flaw) = self.flaw.or(self.misfit.map(|misfit| Flaw::Header(misfit.place))) {
            return Err(flaw);
        }
        if head.seq > last {
            return Err(Flaw::CutOff { from: last + 1, head: head.seq });
        }
        if head.seq < last || head.chain != self.chain {
            return Err(Flaw::Head { last, head: head.seq });
        }
        match self.signed.keys().next_back() {
            Some(signed) if *signed > last => Err(Flaw::Shortened { from: last + 1, signed: *signed }),
            _ => self.blanks.uncovered().map_or(Ok(()), |seq| Err(Flaw::Body(seq))),
        }
    }
}

fn digest_fits(stored: &Stored) -> bool {
    let salt: Result<[u8; 16], _> = stored.salt.as_slice().try_into();
    salt.is_ok_and(|salt| stored.digest == chain::digest(&salt, &stored.body))
}

fn link(before: &Hash, stored: &Stored, header: &Header) -> Option<Hash> {
    let digest: Hash = stored.digest.as_slice().try_into().ok()?;
    Some(chain::link(before, &digest, header))
}

/// Whether an entry was written at the place of one that does not follow, with its chain or without.
fn belongs(stored: &Stored, before: &Hash, misfit: &Misfit) -> bool {
    let mut header = stored.header.clone();
    if let Some(seq) = header.first_mut() {
        *seq = misfit.place.to_string();
    }
    link(before, stored, &header).is_some_and(|chain| stored.chain == chain || misfit.chain == chain)
}
