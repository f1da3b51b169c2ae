//! A workstation with a desk and its stand-in gateway.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use desk::{
    Config, Desk,
    api::{
        CallError, ConversationPage, ConversationRow, Delivery, DeskStatus, Filter, Handler, Item, Link,
        ListConversations, MessageItem, Nothing, OpenConversation, Order, Part, SendReply, SignIn, Start, Unlock,
    },
    keychain::FileKeychain,
};
use domain::ids::{Clock, CommandId, ConversationId, Millis, System};

use crate::standin::{PASSWORD, Standin, Talk};

/// The computer's clock, set wrong by so much.
#[derive(Default)]
pub struct WrongClock(pub AtomicI64);

impl Clock for WrongClock {
    fn now(&self) -> Millis {
        System.now() + self.0.load(Ordering::Relaxed)
    }
}

pub struct Workplace {
    pub folder: tempfile::TempDir,
    pub gateway: Standin,
    pub clock: Arc<WrongClock>,
    pub desk: Desk,
}

impl Workplace {
    /// A workstation on which nobody has signed in yet.
    pub async fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(WrongClock::default());
        let desk = open(&folder, &clock).await;
        Self { folder, gateway: Standin::start().await, clock, desk }
    }

    /// One on which the lead has signed in.
    pub async fn signed_in() -> Self {
        let place = Self::fresh().await;
        place.sign_in(PASSWORD, None).await.unwrap();
        place
    }

    pub async fn sign_in(&self, password: &str, code: Option<&str>) -> Result<Start, CallError> {
        let request = SignIn {
            gateway: self.gateway.url(),
            agency: "mew".into(),
            username: "lead".into(),
            password: password.into(),
            code: code.map(Into::into),
        };
        self.desk.sign_in(request).await
    }

    pub async fn unlock(&self, password: &str) -> Result<Start, CallError> {
        let account = self.desk.start(Nothing {}).await.unwrap().accounts[0].id.clone();
        self.desk.unlock(Unlock { account, password: password.into() }).await
    }

    /// The program ends and is started again.
    pub async fn restart(mut self) -> Self {
        self.desk.close().await;
        self.desk = open(&self.folder, &self.clock).await;
        self
    }

    /// The gateway listens again, where it did.
    pub async fn gateway_back(&mut self) {
        self.gateway = self.gateway.listen().await;
    }

    pub async fn status(&self) -> DeskStatus {
        self.desk.status(Nothing {}).await.unwrap()
    }

    pub async fn rows(&self) -> Vec<ConversationRow> {
        self.desk
            .conversations(ListConversations { filter: Filter::Open, order: Order::Latest, skip: 0, limit: 100 })
            .await
            .unwrap()
            .rows
    }

    pub async fn page(&self, conversation: ConversationId) -> ConversationPage {
        self.desk.conversation(OpenConversation { conversation, part: Part::Latest {}, limit: 100 }).await.unwrap()
    }

    /// The messages on the page, as (text, how far it has come).
    pub async fn messages(&self, conversation: ConversationId) -> Vec<MessageItem> {
        let message = |item| if let Item::Message(message) = item { Some(message) } else { None };
        self.page(conversation).await.items.into_iter().filter_map(message).collect()
    }

    /// How many messages are shown; none before the conversation is here.
    pub async fn messages_or_none(&self, talk: Talk) -> usize {
        let request = OpenConversation { conversation: talk.conversation, part: Part::Latest {}, limit: 500 };
        let Ok(page) = self.desk.conversation(request).await else { return 0 };
        page.items.iter().filter(|item| matches!(item, Item::Message(_))).count()
    }

    pub async fn delivery(&self, conversation: ConversationId, text: &str) -> Option<Delivery> {
        let messages = self.messages(conversation).await;
        let found: Vec<_> = messages.iter().filter(|message| message.text.as_deref() == Some(text)).collect();
        assert!(found.len() < 2, "{text} is shown twice");
        found.first().and_then(|message| message.delivery)
    }

    pub async fn reply(&self, talk: Talk, text: &str) -> CommandId {
        let seen = self.page(talk.conversation).await.seen;
        let request = SendReply { conversation: talk.conversation, case: talk.case, text: text.into(), seen };
        self.desk.send_reply(request).await.unwrap().id
    }

    /// Waits until the desk is in step and has shown this conversation.
    pub async fn shows(&self, talk: Talk) {
        until("the conversation", async || self.rows().await.iter().any(|row| row.conversation == talk.conversation))
            .await;
    }

    pub async fn is_live(&self) {
        until("live", async || self.status().await.link == Link::Live).await;
    }

    pub async fn is_offline(&self) {
        until("off line", async || self.status().await.link == Link::Offline).await;
    }
}

pub async fn open(folder: &tempfile::TempDir, clock: &Arc<WrongClock>) -> Desk {
    let config = Config {
        data: folder.path().join("data"),
        keychain: Arc::new(FileKeychain::new(folder.path().join("keychain.json"))),
        clock: clock.clone(),
        ids: Arc::new(System),
        version: "0.0.0".into(),
    };
    Desk::open(config).await.unwrap()
}

/// Waits for something that the desk does by itself.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    });
    if waited.await.is_err() {
        panic!("Waited in vain for {what}");
    }
}
