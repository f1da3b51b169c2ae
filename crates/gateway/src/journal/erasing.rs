//! What an erasure does to a journal, in the transaction of its entry; and what is left to do elsewhere, which stands in a
//! plain table until it is done, so that a crash at any point only delays it.

use anyhow::{Context, Result};
use data_encoding::HEXLOWER;
use domain::{
    chain::Hash,
    ids::{CaseId, MediaId, Seq},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Batch, Reader};
use crate::{
    home::{Home, values},
    keys,
};

/// The tables of a journal from which an erasure takes something.
pub(crate) const TOUCHED: &[&str] = &["entries", "commands", "positions", "orphans"];

/// What of a person lies outside of the journal, by hashes with the server's key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traces {
    /// WhatsApp's ids of their messages: what bears one is in the journal, or was.
    #[serde(serialize_with = "hex", deserialize_with = "from_hex")]
    pub wamids: Vec<Hash>,
    /// How WhatsApp knows them now: what bears one may be something that is not in the journal yet.
    #[serde(serialize_with = "hex", deserialize_with = "from_hex")]
    pub identifiers: Vec<Hash>,
    /// Files that belonged to their cases alone.
    pub media: Vec<MediaId>,
}

/// An erasure within a batch.
#[derive(Debug, Clone)]
pub struct Erasing {
    /// The entry of it.
    pub seq: Seq,
    /// Whose bodies go.
    pub cases: Vec<CaseId>,
    /// What is to be done elsewhere.
    pub traces: Traces,
}

impl Erasing {
    /// Blanks what was written before the erasure.
    pub(super) fn write(&self, home: &Home) -> Result<()> {
        for case in &self.cases {
            let scope = format!("case:{case}");
            // Who has the journal could check a guess at a command's body by its hash.
            let sql = "UPDATE commands SET hash = $1 WHERE id IN
                       (SELECT cause FROM entries WHERE scope = $2 AND cause IS NOT NULL)";
            home.execute(sql, values![&keys::random::<32>()?, scope.as_str()])?;
            let sql = "UPDATE entries SET body = '', salt = $1 WHERE scope = $2 AND seq < $3";
            home.execute(sql, values![&[0_u8; 0], scope.as_str(), self.seq])?;
            home.execute("DELETE FROM positions WHERE case_id = $1", values![case.to_string()])?;
        }
        for wamid in &self.traces.wamids {
            home.execute("DELETE FROM orphans WHERE wamid = $1", values![wamid])?;
        }
        let traces = serde_json::to_string(&self.traces)?;
        home.execute("INSERT INTO erasing (seq, traces) VALUES ($1, $2)", values![self.seq, traces])?;
        Ok(())
    }
}

impl Batch<'_> {
    /// What an erasure has left is gone.
    pub fn erased(&self, seq: Seq) -> Result<()> {
        let sql = "DELETE FROM erasing WHERE seq = $1";
        self.home()?.execute(sql, values![seq]).context("Ending an erasure").map(drop)
    }
}

impl Reader {
    /// Erasures that have left something.
    pub fn erasing(&self) -> Result<Vec<(Seq, Traces)>> {
        let rows = self.home.query("SELECT seq, traces FROM erasing ORDER BY seq", &[]);
        let rows = rows.context("Looking for erasures under way")?.into_iter();
        rows.map(|mut row| Ok((row.integer()?, serde_json::from_str(&row.text()?).context("Reading an erasure")?)))
            .collect()
    }
}

fn hex<S: Serializer>(hashes: &[Hash], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(hashes.iter().map(|hash| HEXLOWER.encode(hash)))
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Hash>, D::Error> {
    let hash = |text: &String| HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| hash(text).ok_or_else(|| de::Error::custom("Not a hash"))).collect()
}
