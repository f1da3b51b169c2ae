//! The list of typed commands through which the interface asks: `name(Request) → Response`.
//!
//! This is the only door between the interface and the desk. The desktop shell hands each call to [`crate::Desk::call`];
//! the development host serves the same list over loopback HTTP. TypeScript's side is generated from here
//! (`ui/src/lib/api.generated.ts`); a test fails when the two differ.

use domain::{
    entry::SendError,
    ids::{CaseId, CommandId, ConversationId, MessageId, NoteId, StaffId},
    wire::Witness,
    words::{CaseState, Role},
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! dto {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $type:ty),* $(,)? })*) => {$(
        #[derive(Clone, PartialEq, Serialize, Deserialize, TS)]
        $(#[$doc])*
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut shown = f.debug_struct(stringify!($name));
                $(match (stringify!($name), stringify!($field)) {
                    // What opens an account stands in no log.
                    (_, "password") | ("SignIn", "code") => shown.field(stringify!($field), &"…"),
                    _ => shown.field(stringify!($field), &self.$field),
                };)*
                shown.finish()
            }
        }
    )*

    /// What of it is told to TypeScript, in order.
    pub(super) fn declare(config: &ts_rs::Config) -> Vec<String> {
        vec![$(<$name as TS>::decl(config)),*]
    }};
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),* }
    )*

    /// What of it is told to TypeScript, in order.
    pub(super) fn declare(config: &ts_rs::Config) -> Vec<String> {
        vec![$(<$name as TS>::decl(config)),*]
    }};
}

mod acts;
mod conversation;
mod error;
mod list;
mod presence;
mod search;
mod session;
mod settings;
mod status;
mod words;

pub use self::{
    acts::*, conversation::*, error::*, list::*, presence::*, search::*, session::*, settings::*, status::*, words::*,
};

/// What the desk tells the window without being asked. It carries ids, not data: the window asks again for what it
/// shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Signal {
    /// These conversations changed, and the figures on the filters may have. `all` after a catch-up.
    Changed {
        /// Which.
        conversations: Vec<ConversationId>,
        /// Whether everything should be asked for again.
        all: bool,
    },
    /// `status` has something new to say.
    Status {},
    /// `colleagues` has something new to say.
    Colleagues {},
    /// Open this conversation: its notification was clicked.
    Open {
        /// Which.
        conversation: ConversationId,
    },
    /// Let this sound be heard: a notification appeared.
    Sound {
        /// Which.
        sound: Sound,
    },
    /// Signed out, locked or unlocked: ask `start` again.
    Session {},
}

/// Declares the commands once: the enum of requests, the dispatcher and TypeScript's list come from it, so a command
/// without a handler does not compile.
macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($request:ty) -> $response:ty;)*) => {
        /// What handles the commands.
        pub trait Handler: Send + Sync {
            $($(#[$doc])* fn $name(&self, request: $request) -> impl Future<Output = Result<$response, CallError>> + Send;)*
        }

        /// Every command's name.
        pub const COMMANDS: &[&str] = &[$(stringify!($name)),*];

        /// Reads the request by the command's name, lets `handler` answer it, and writes the answer.
        pub async fn dispatch(handler: &impl Handler, name: &str, request: serde_json::Value) -> Result<serde_json::Value, CallError> {
            let bad = |error: serde_json::Error| CallError { code: ErrorCode::BadRequest, message: error.to_string() };
            match name {
                $(stringify!($name) => {
                    let request: $request = serde_json::from_value(request).map_err(bad)?;
                    serde_json::to_value(handler.$name(request).await?).map_err(bad)
                })*
                _ => Err(CallError { code: ErrorCode::BadRequest, message: format!("No command {name:?}") }),
            }
        }

        /// The lines of TypeScript's list of commands: `name: { request: …; response: … };`.
        fn declare_commands(config: &ts_rs::Config) -> Vec<String> {
            vec![$(format!("  {}: {{ request: {}; response: {} }};", stringify!($name), <$request>::name(config), <$response>::name(config))),*]
        }
    };
}

/// TypeScript's side of this file, whole.
pub fn typescript() -> String {
    let config = ts_rs::Config::default().with_large_int("number");
    let mut types = vec![
        CaseId::decl(&config),
        CommandId::decl(&config),
        ConversationId::decl(&config),
        MessageId::decl(&config),
        NoteId::decl(&config),
        StaffId::decl(&config),
        CaseState::decl(&config),
        Role::decl(&config),
        SendError::decl(&config),
        Witness::decl(&config),
        Item::decl(&config),
        Part::decl(&config),
        Quote::decl(&config),
        Signal::decl(&config),
        CallError::decl(&config),
    ];
    let themes = [
        session::declare,
        list::declare,
        conversation::declare,
        acts::declare,
        search::declare,
        status::declare,
        settings::declare,
        presence::declare,
        words::declare,
        error::declare,
    ];
    types.extend(themes.iter().flat_map(|theme| theme(&config)));
    let types: String = types.iter().map(|line| format!("export {line}\n")).collect();
    format!(
        "// Generated from crates/desk/src/api.rs. To make it anew: cargo xtask generate\n\n{types}\nexport interface Commands {{\n{}\n}}\n",
        declare_commands(&config).join("\n")
    )
}

commands! {
    /// What the window should show first.
    start(Nothing) -> Start;
    /// Signs in on line.
    sign_in(SignIn) -> Start;
    /// Opens an account's file, also off line.
    unlock(Unlock) -> Start;
    /// Closes the file.
    lock(Lock) -> Start;
    /// Signs this device out.
    sign_out(SignOut) -> Start;
    /// Rows of the list.
    conversations(ListConversations) -> ConversationList;
    /// A page of a conversation.
    conversation(OpenConversation) -> ConversationPage;
    /// Keeps a draft.
    save_draft(SaveDraft) -> Nothing;
    /// Queues a reply.
    send_reply(SendReply) -> Queued;
    /// Queues a note.
    add_note(AddNote) -> Queued;
    /// Takes a case.
    claim(Claim) -> Queued;
    /// Gives a case back to the queue.
    release(Release) -> Queued;
    /// Gives a case to somebody.
    assign(Assign) -> Queued;
    /// Ends a case.
    close_case(CloseCase) -> Queued;
    /// Opens a closed case again.
    reopen_case(ReopenCase) -> Queued;
    /// Tries a stuck or uncertain command again.
    retry(Retry) -> Nothing;
    /// Drops what is nowhere but here, or settles an uncertain reply as sent.
    discard(Discard) -> Nothing;
    /// Takes a reply or a note back.
    take_back(TakeBack) -> TakenBack;
    /// Takes back that a command was dropped.
    put_back(PutBack) -> Nothing;
    /// Leaves a draft behind as an internal note.
    leave_as_note(LeaveAsNote) -> Queued;
    /// Everything of mine that has not reached the gateway.
    unsent(Nothing) -> Unsent;
    /// What is kept on this computer.
    storage(Nothing) -> Storage;
    /// Throws away what can be had again, and has it again. Drafts and what waits stay.
    clear_cache(Nothing) -> Nothing;
    /// The person has read that files were put in order.
    mended_read(Nothing) -> Nothing;
    /// Says up to where I have seen a case.
    seen_up_to(SeenUpTo) -> Nothing;
    /// Those to whom a case may be given.
    assignable(AssignableRequest) -> Assignable;
    /// Outcomes with which a case may be closed.
    outcomes(Nothing) -> Outcomes;
    /// What somebody who begins is led to.
    first_steps(Nothing) -> FirstSteps;
    /// The person needs not be led to it any more.
    step_done(StepDone) -> Nothing;
    /// What the foot says.
    status(Nothing) -> DeskStatus;
    /// Changes the settings of this workstation.
    set_settings(Settings) -> Settings;
    /// What the system around the window does for it.
    system(Nothing) -> SystemState;
    /// Has this program started with the system, or not any more.
    start_with_system(StartWithSystem) -> SystemState;
    /// Shows a notification as they would be shown now.
    try_notification(Nothing) -> Nothing;
    /// Has the system's browser open a link.
    open_link(OpenLink) -> Nothing;
    /// The signed heads that were kept, for `shubbak-gateway verify --witness`.
    signed_heads(Nothing) -> SignedHeads;
    /// Who else reads or writes now.
    colleagues(Nothing) -> Colleagues;
    /// Searches everything on this workstation.
    search(SearchAll) -> Found;
    /// Searches one conversation.
    search_in(SearchIn) -> FoundIn;
    /// What this person searched for lately.
    recent_searches(Nothing) -> Recent;
    /// Keeps what was searched for, once something of it was opened.
    keep_search(KeepSearch) -> Nothing;
    /// Forgets what was searched for.
    forget_searches(Nothing) -> Nothing;
    /// Says what is before the person's eyes.
    showing(Showing) -> Nothing;
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn what_opens_an_account_is_not_shown() {
        let secret = || "canary".to_owned();
        let (gateway, agency, username) = ("https://g".to_owned(), "mew".to_owned(), "lead".to_owned());
        let sign_in = super::SignIn { gateway, agency, username, password: secret(), code: Some(secret()) };
        let unlock = super::Unlock { account: "a".into(), password: secret() };
        let shown = format!("{sign_in:?} {unlock:?}");
        assert!(shown.contains("lead") && !shown.contains("canary"), "{shown}");
    }

    /// `SHUBBAK_GENERATE=1` writes the file instead of comparing it.
    #[test]
    fn typescript_agrees_with_the_commands() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/lib/api.generated.ts");
        let wanted = super::typescript();
        if std::env::var_os("SHUBBAK_GENERATE").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "{} is out of date: cargo xtask generate", path.display());
    }
}
