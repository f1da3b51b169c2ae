//! A gateway that citizens have written much to, and a workstation on which all of it is stored.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::{
    Setting,
    accounts::{self, text},
    gateway::{House, Server},
    host::{Host, Workstation},
    load::{self, SENTENCE},
};

/// Signed at a time.
const AT_ONCE: usize = 50_000;
/// In the texts of the fill each of these stands as often as the others.
pub(crate) const AREAS: [&str; 20] = [
    "السالمية",
    "حولي",
    "الجابرية",
    "الفروانية",
    "خيطان",
    "الجهراء",
    "الفحيحيل",
    "المنقف",
    "المهبولة",
    "الصباحية",
    "الشويخ",
    "كيفان",
    "الروضة",
    "بيان",
    "مشرف",
    "سلوى",
    "الرميثية",
    "الدعية",
    "القرين",
    "العدان",
];
/// One stands in about so many texts: the number of somebody's meter.
const SAME_METER: usize = 10;

/// The number of the meter in the text of this number.
pub(crate) fn meter(n: usize) -> usize {
    70_000_000 + n / SAME_METER
}

/// Lets citizens write to a gateway over and over; waits until everything is in the journal.
pub(crate) async fn fill(house: &House, server: &Server, count: usize, citizen: impl Fn(usize) -> usize) -> Result<()> {
    let mut sent = 0;
    while sent < count {
        let next = AT_ONCE.min(count - sent);
        let texts = load::texts_by(next, |n| {
            let n = sent + n;
            let area = AREAS.get(n % AREAS.len()).copied().unwrap_or_default();
            (citizen(n), format!("{SENTENCE} في {area}، رقم العداد {}", meter(n)))
        });
        load::closed(server.address, &texts.into(), 64).await?;
        // What is acknowledged runs ahead of what is in the journal: not by more than this.
        house.settled().await?;
        sent += next;
    }
    Ok(())
}

/// The workstation.
pub(crate) struct Filled {
    pub(crate) workstation: Workstation,
    /// Its gateway, which a window finds again.
    _gateway: (House, Server),
    /// The long conversation.
    pub(crate) long: String,
    /// Another one.
    pub(crate) short: String,
}

impl Filled {
    /// Lets citizens write, the long conversation last, and a desk without a window take all of it. It runs still. With
    /// a file for its keys it needs no session's keychain.
    pub(crate) async fn make(setting: &Setting, folder: &Path, keys: Option<&Path>) -> Result<(Self, Host)> {
        let sizes = &setting.sizes;
        let house = House::new(&setting.product.gateway(), &setting.product.pack)?;
        let server = house.serve()?;
        accounts::make(server.address, &house.code, 1).await?;
        fill(&house, &server, sizes.stored - sizes.long, |n| 1 + n % (sizes.conversations - 1)).await?;
        fill(&house, &server, sizes.long, |_| 0).await?;
        let workstation = Workstation::new(folder, server.address, 0)?;
        let host = workstation.host(setting, keys)?;
        host.live().await?;
        let open = host.open_conversations().await?;
        ensure!(open == sizes.conversations, "The desk has {open} conversations, and {} wrote", sizes.conversations);
        let list =
            host.call("conversations", &json!({"filter": "open", "order": "latest", "skip": 0, "limit": 2})).await?;
        ensure!(
            text(&list, "/rows/0/contact/name")?.ends_with("0000000"),
            "The conversation that was written last is not the first in the list"
        );
        let (long, short) = (text(&list, "/rows/0/conversation")?, text(&list, "/rows/1/conversation")?);
        Ok((Self { workstation, _gateway: (house, server), long, short }, host))
    }
}
