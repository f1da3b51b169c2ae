//! Citizens, their telephones, and what stands on them.

use std::collections::{BTreeMap, VecDeque};

use domain::ids::Millis;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Config, Faults};

/// A person with a telephone.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Citizen {
    /// The name they gave themselves.
    pub name: String,
    /// Their number in digits, with the country's code; without one WhatsApp shows their BSUID only.
    #[serde(default)]
    pub phone: Option<String>,
    /// Their public user name.
    #[serde(default)]
    pub username: Option<String>,
}

/// Who stands there at the start. The numbers are of a Kuwaiti shape that nobody is likely to have.
pub(crate) fn usual_citizens() -> Vec<Citizen> {
    let citizen = |name: &str, phone: Option<&str>, username: Option<&str>| Citizen {
        name: name.to_owned(),
        phone: phone.map(str::to_owned),
        username: username.map(str::to_owned),
    };
    vec![
        citizen("فاطمة العلي", Some("96550000101"), None),
        citizen("خالد المطيري", Some("96566000102"), None),
        citizen("مريم الصباح", Some("96599000103"), None),
        citizen("عبدالله الرشيدي", Some("96555000104"), None),
        citizen("نورة العجمي", Some("96597000105"), None),
        citizen("حسين دشتي", None, Some("hussain.dashti")),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    Citizen,
    Agency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tick {
    /// The gateway has not answered 200 yet.
    Waiting,
    Sent,
    Delivered,
    Read,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Bubble {
    pub(crate) wamid: String,
    pub(crate) from: Side,
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quote: Option<String>,
    pub(crate) at: Millis,
    pub(crate) tick: Tick,
    /// What the sender wants back in every status.
    #[serde(skip)]
    pub(crate) callback_data: Option<String>,
    /// The citizen looked before it was delivered.
    #[serde(skip)]
    pub(crate) looked: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Telephone {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    pub(crate) bsuid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    pub(crate) messages: Vec<Bubble>,
    /// How many pages have this chat open.
    #[serde(skip)]
    pub(crate) opened: usize,
}

impl Telephone {
    /// What WhatsApp puts into a wamid.
    pub(crate) fn person(&self) -> &str {
        self.phone.as_deref().unwrap_or(&self.bsuid)
    }

    pub(crate) fn bubble_mut(&mut self, wamid: &str) -> Option<&mut Bubble> {
        self.messages.iter_mut().rev().find(|bubble| bubble.wamid == wamid)
    }

    pub(crate) fn unread(&self) -> usize {
        let unread = |bubble: &&Bubble| bubble.from == Side::Agency && bubble.tick != Tick::Read;
        self.messages.iter().filter(unread).count()
    }

    /// The person as webhooks describe them.
    pub(crate) fn contact(&self) -> Value {
        present(json!({
            "profile": {"name": self.name, "username": self.username}, "wa_id": self.phone, "user_id": self.bsuid,
        }))
    }

    /// The 24 hours after the citizen's last message.
    pub(crate) fn window_open(&self, now: Millis) -> bool {
        const DAY: Millis = 24 * 60 * 60 * 1000;
        self.messages.iter().rev().find(|bubble| bubble.from == Side::Citizen).is_some_and(|last| now - last.at < DAY)
    }
}

/// The same without members that are null: Meta omits what it does not tell.
pub(crate) fn present(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, present(value)))
            .collect(),
        other => other,
    }
}

/// A webhook that was not answered 200.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    pub(crate) at: Millis,
    pub(crate) telephone: String,
    pub(crate) reason: String,
    pub(crate) attempt: u32,
    pub(crate) again_at: Millis,
}

/// How the webhooks fare.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) waiting: usize,
    pub(crate) delivered: u64,
    /// The last attempt of each telephone's webhook that fails now.
    pub(crate) failing: BTreeMap<String, Failure>,
    /// The last fifty failures, the newest first.
    pub(crate) failures: VecDeque<Failure>,
}

/// What a request about a telephone can be refused for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("There is no telephone {0:?}")]
    NoTelephone(String),
    #[error("A name is wanted")]
    NoName,
    #[error("{0:?} is not a number in digits with its country's code")]
    NotANumber(String),
    #[error("Somebody has that number already")]
    Taken,
}

#[derive(Debug)]
pub(crate) struct World {
    /// Where webhooks go from now on.
    pub(crate) webhook: String,
    pub(crate) telephones: Vec<Telephone>,
    pub(crate) faults: Faults,
    pub(crate) tally: Tally,
}

impl World {
    pub(crate) fn new(config: &Config) -> Self {
        let mut world = Self {
            webhook: config.webhook.clone(),
            telephones: Vec::new(),
            faults: Faults::default(),
            tally: Tally::default(),
        };
        for citizen in config.citizens.iter().cloned() {
            if let Err(error) = world.add(citizen) {
                tracing::warn!(%error, "A citizen of the configuration was left out");
            }
        }
        world
    }

    /// A new telephone at the end of the list.
    pub(crate) fn add(&mut self, citizen: Citizen) -> Result<&Telephone, Refusal> {
        let name = citizen.name.trim().to_owned();
        if name.is_empty() {
            return Err(Refusal::NoName);
        }
        let phone = citizen.phone.map(|phone| phone.trim().trim_start_matches('+').replace(' ', ""));
        let phone = phone.filter(|phone| !phone.is_empty());
        if let Some(phone) = &phone {
            if !(8..=15).contains(&phone.len()) || !phone.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Refusal::NotANumber(phone.clone()));
            }
            if self.telephones.iter().any(|telephone| telephone.phone.as_ref() == Some(phone)) {
                return Err(Refusal::Taken);
            }
        }
        let number = self.telephones.len() + 1;
        self.telephones.push(Telephone {
            id: number.to_string(),
            name,
            phone,
            bsuid: format!("KW.{:020}", 13_491_208_655_302_000_000_u64 + number as u64),
            username: citizen.username.filter(|username| !username.is_empty()),
            messages: Vec::new(),
            opened: 0,
        });
        self.telephones.last().ok_or(Refusal::NoName)
    }

    pub(crate) fn telephone(&self, id: &str) -> Result<&Telephone, Refusal> {
        self.telephones.iter().find(|telephone| telephone.id == id).ok_or_else(|| Refusal::NoTelephone(id.to_owned()))
    }

    pub(crate) fn telephone_mut(&mut self, id: &str) -> Result<&mut Telephone, Refusal> {
        self.telephones
            .iter_mut()
            .find(|telephone| telephone.id == id)
            .ok_or_else(|| Refusal::NoTelephone(id.to_owned()))
    }
}
