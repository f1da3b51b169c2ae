//! A stand-in for Meta's Graph API and for citizens' telephones, on one loopback port.
//!
//! A gateway is pointed at it instead of at `https://graph.facebook.com`; it posts signed webhooks back as Meta would,
//! and again and again until they are answered 200. Demo, tests and benchmarks run on it.
//!
//! # Graph API
//! `POST /{version}/{phone_number_id}/messages`: texts and read receipts, to a number (`to`, with `+`) or a BSUID
//! (`recipient`). Statuses follow: `sent`, then `delivered`, or `read` at once where the citizen has the chat open.
//! A number that nobody has fails with 131026, a citizen who did not write within 24 hours with 131047, both by a
//! status, as at Meta.
//!
//! # Control API (JSON)
//! ```text
//! GET  /telephones                   [{"id", "name", "phone"?, "bsuid", "username"?, "unread", "last"?: bubble}]
//! POST /telephones                   {"name", "phone"?, "username"?}   without a phone: known by BSUID only → 201 telephone
//! GET  /telephones/{id}              {…, "messages": [bubble]}
//!                                    bubble: {"wamid", "from": "citizen" | "agency", "kind", "text"?, "quote"?, "at",
//!                                             "tick": "waiting" | "sent" | "delivered" | "read"}
//!                                    A citizen's bubble waits until the webhook was answered 200, is then delivered,
//!                                    and read when the agency says so.
//! POST /telephones/{id}/messages     {"text", "quote"?: wamid}         a text → 201 {"wamid"}
//!                                    {"raw": {"type": "image", …}}     any message; id, sender and timestamp are added
//!                                                                      unless they are given (null takes them away)
//! POST /telephones/{id}/read         the citizen reads what there is → 204
//! GET  /faults · PUT /faults         what goes wrong from now on: see [`Faults`]
//! GET  /state                        {"now", "faulty", "line", "webhook": {"url", "waiting", "delivered", "failing"?, "failures": […]}}
//! PUT  /webhook                      {"url"}                           where webhooks go from now on, those that wait
//!                                    included → 204
//! GET  /events?open=ID               SSE: the id of each telephone that changed, `*` for all, `state` for the state. While the
//!                                    stream lasts, the citizen `open` has the chat open and reads at once.
//! ```
//! `GET /` is the telephone page, where a person plays citizens.

mod control;
mod escape;
mod events;
mod faults;
mod graph;
mod page;
mod post;
mod statuses;
mod wamid;
mod world;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, ensure};
use domain::ids::{Clock, Ids, System};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

pub use self::{
    faults::{Faults, SendFault},
    world::Citizen,
};
use self::{post::Post, world::World};

/// What a simulator stands in for.
#[derive(Clone)]
pub struct Config {
    /// Where it listens: a loopback address, port 0 for any free one.
    pub listen: SocketAddr,
    /// Where its webhooks go.
    pub webhook: String,
    /// What signs them.
    pub app_secret: String,
    /// The token that a sender must bear.
    pub token: String,
    /// The line's `phone_number_id`.
    pub phone_number_id: String,
    /// The line's number as people dial it.
    pub display_number: String,
    /// What the telephone page calls the agency; its number if absent.
    pub agency_name: Option<String>,
    /// The WhatsApp Business account's id.
    pub waba_id: String,
    /// Who has a telephone at the start, with the ids "1", "2", …
    pub citizens: Vec<Citizen>,
    /// The pause before `sent`, and again before `delivered`.
    pub pace: Duration,
    /// The pause before a webhook is repeated for the first time; it doubles each time…
    pub retry: Duration,
    /// …up to this.
    pub retry_most: Duration,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where wamids come from.
    pub ids: Arc<dyn Ids>,
}

impl Config {
    /// The usual simulator: six citizens, one of them without a visible number, and the computer's clock.
    pub fn new(webhook: &str, app_secret: &str, token: &str, phone_number_id: &str, display_number: &str) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            webhook: webhook.to_owned(),
            app_secret: app_secret.to_owned(),
            token: token.to_owned(),
            phone_number_id: phone_number_id.to_owned(),
            display_number: display_number.to_owned(),
            agency_name: None,
            waba_id: "102290129340398".to_owned(),
            citizens: world::usual_citizens(),
            pace: Duration::from_millis(250),
            retry: Duration::from_secs(1),
            retry_most: Duration::from_secs(10),
            clock: Arc::new(System),
            ids: Arc::new(System),
        }
    }
}

/// What all parts share. The world is locked for moments only, never across a wait.
pub(crate) struct Simulator {
    pub(crate) config: Config,
    world: Mutex<World>,
    pub(crate) post: Post,
    pub(crate) events: events::Events,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Simulator {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> domain::ids::Millis {
        self.config.clock.now()
    }

    /// The line as every webhook names it.
    pub(crate) fn metadata(&self) -> serde_json::Value {
        serde_json::json!({"display_phone_number": self.display_digits(), "phone_number_id": self.config.phone_number_id})
    }

    pub(crate) fn display_digits(&self) -> String {
        self.config.display_number.chars().filter(char::is_ascii_digit).collect()
    }

    /// Sends webhooks elsewhere from now on.
    pub(crate) fn aim(&self, url: &str) {
        url.clone_into(&mut self.world().webhook);
        self.events.tell(events::STATE);
    }

    /// Returns when the simulator stops.
    pub(crate) async fn stopped(&self) {
        let _ = self.stop.clone().wait_for(|stopped| *stopped).await;
    }
}

/// A simulator at work. Dropping it ends it too, without waiting for what is under way.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    simulator: Arc<Simulator>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Running {
    /// Starts a simulator. Refuses to listen beyond loopback: whoever reaches it can speak as any citizen.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        ensure!(
            config.listen.ip().is_loopback(),
            "Starting the simulator: {} is not a loopback address",
            config.listen
        );
        // The HTTP client wants a provider; if the process has one already, that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("Starting the simulator: listening on {}", config.listen))?;
        let address = listener.local_addr().context("Starting the simulator: asking for the port")?;
        let (stop, stopped) = watch::channel(false);
        let post = Post::new().context("Starting the simulator: making the HTTP client")?;
        let world = World::new(&config);
        let simulator = Arc::new(Simulator {
            world: Mutex::new(world),
            post,
            events: events::Events::default(),
            stop: stopped,
            config,
        });
        let router = graph::routes().merge(control::routes()).merge(page::routes()).with_state(simulator.clone());
        let ending = simulator.clone();
        let server = tokio::spawn(async move {
            let serving = axum::serve(listener, router).with_graceful_shutdown({
                let ending = ending.clone();
                async move { ending.stopped().await }
            });
            // What is under way gets a moment to end; a page that stays open does not keep the port.
            let long_enough = async {
                ending.stopped().await;
                tokio::time::sleep(Duration::from_secs(2)).await;
            };
            tokio::select! {
                outcome = serving => {
                    if let Err(error) = outcome {
                        tracing::error!(%error, "The simulator's server ended");
                    }
                }
                () = long_enough => {}
            }
        });
        Ok(Self { address, simulator, stop, server })
    }

    /// Sends webhooks elsewhere from now on: a gateway must know this simulator's address before it has one of its own.
    pub fn aim(&self, webhook: &str) {
        self.simulator.aim(webhook);
    }

    /// Ends it, and returns when the port is free.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.server.await;
    }
}
