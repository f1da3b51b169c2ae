//! Every decision: facts and a question in, entries or a refusal out. Nothing here reads a clock or a database, so the
//! same facts always give the same entries but for their new ids.

mod account;
mod case;
mod contact;
mod erasure;
mod inbound;
mod outbound;

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{
    command::{Ask, Code, Command, MOST_MEDIA, Refusal, SystemAsk},
    entry::{Actor, Fact, NewEntry, Scope, Subject},
    facts::{CaseFacts, Facts, StaffFacts},
    ids::{Ids, MediaId, Millis},
    pack::Pack,
    permission::{Act, may},
    visibility::visible,
};

/// What a decision is given beside the facts.
pub struct Context<'a> {
    /// The gateway's clock.
    pub now: Millis,
    /// New ids.
    pub ids: &'a dyn Ids,
}

impl Context<'_> {
    fn id<T: From<Uuid>>(&self) -> T {
        self.ids.next(self.now).into()
    }
}

/// What a decision comes to.
pub type Decision = Result<Vec<NewEntry>, Refusal>;

/// Decides what a member of staff asks for. `facts.actor` is who asks.
pub fn decide(facts: &Facts, command: &Command, context: &Context) -> Decision {
    let actor = facts.actor.as_ref().filter(|actor| actor.viewer.active);
    let actor = actor.ok_or_else(|| Refusal::new(Code::Forbidden, "This account is not in use"))?;
    let by = Asked { facts, actor, command };
    match &command.ask {
        Ask::Reply { case, text, seen, .. } => outbound::reply(&by, *case, text, *seen, context),
        Ask::SettleUncertain { settle, .. } => outbound::settle(&by, *settle),
        Ask::Recall { .. } => outbound::recall(&by),
        Ask::EraseContact { reason, .. } => erasure::erase(&by, reason),
        Ask::AddNote { text, media, .. } => case::note(&by, text, media),
        Ask::Claim { .. } => case::claim(&by),
        Ask::Assign { .. } => case::assign(&by),
        Ask::Release { .. } => case::release(&by),
        Ask::Transfer { team, .. } => case::transfer(&by, team),
        Ask::CloseCase { outcome, .. } => case::close(&by, outcome),
        Ask::ReopenCase { .. } => case::reopen(&by),
        Ask::SeenUpTo { .. } => by.case(Act::See).map(|_| vec![]),
        Ask::AddStaff { username, name, roles, teams } => account::add(&by, username, name, roles, teams),
        Ask::ChangeStaff { name, roles, teams, active, .. } => {
            account::change(&by, name.as_deref(), roles.as_deref(), teams.as_deref(), *active)
        }
    }
}

/// Decides what the system asks for. `cause` is the delivery, where there is one.
pub fn decide_system(facts: &Facts, ask: &SystemAsk, cause: Option<Uuid>, context: &Context) -> Decision {
    match ask {
        SystemAsk::Receive(inbound) => inbound::receive(facts, inbound, cause, context),
        SystemAsk::Report(report) => outbound::report(facts, report, cause),
        SystemAsk::BeginSending { .. } => outbound::begin_sending(facts),
        SystemAsk::EndSending { begun, outcome, .. } => outbound::end_sending(facts, *begun, outcome),
        SystemAsk::Abandon { .. } => outbound::abandon(facts),
        SystemAsk::Doubt { .. } => outbound::doubt(facts),
        SystemAsk::Understand { r#type, text, reader, .. } => {
            inbound::understand(facts, r#type, text.as_deref(), *reader)
        }
        SystemAsk::EraseAgain { reason, .. } => erasure::erase_again(facts, reason),
        SystemAsk::LoadPack { content } => account::load_pack(facts, content, cause),
        SystemAsk::ConfigureLine { line, display_number } => {
            account::configure_line(facts, line, display_number, cause)
        }
        SystemAsk::AddFirstStaff { staff, username, name } => account::add_first(facts, *staff, username, name, cause),
    }
}

/// One member of staff asking for one thing.
struct Asked<'a> {
    facts: &'a Facts,
    actor: &'a StaffFacts,
    command: &'a Command,
}

impl<'a> Asked<'a> {
    /// Whether the actor's roles allow the act.
    fn may(&self, act: Act) -> bool {
        may(&self.actor.viewer.roles, act)
    }

    fn must(&self, act: Act) -> Result<(), Refusal> {
        self.may(act).then_some(()).ok_or_else(|| Refusal::new(Code::Forbidden, "Your roles do not allow this"))
    }

    /// The case in question, if the actor may see it and do this with it. What one may not see is not there.
    fn case(&self, act: Act) -> Result<&'a CaseFacts, Refusal> {
        self.must(act)?;
        let seen = |case: &&CaseFacts| visible(&self.actor.viewer, &Scope::Case(case.id), Some(&case.audience));
        self.facts.case.as_ref().filter(seen).ok_or_else(|| Refusal::new(Code::NotFound, "There is no such case"))
    }

    /// The files that a command names: each once, not many, and all of them this person's to see. What is not theirs to
    /// see is not there.
    fn media(&self, named: &[MediaId]) -> Result<Vec<MediaId>, Refusal> {
        if named.len() > MOST_MEDIA {
            return Err(Refusal::new(Code::Invalid, format!("At most {MOST_MEDIA} files go with one note")));
        }
        if named.iter().collect::<BTreeSet<_>>().len() < named.len() {
            return Err(Refusal::new(Code::Invalid, "A file is named twice"));
        }
        if named.iter().all(|media| self.facts.media.contains(media)) {
            Ok(named.to_vec())
        } else {
            Err(Refusal::new(Code::NotFound, "There is no such file"))
        }
    }

    fn entry(&self, scope: Scope, subject: Subject, fact: impl Into<Fact>) -> NewEntry {
        let actor = Actor::Staff(self.actor.viewer.staff);
        NewEntry { scope, subject, actor, cause: Some(self.command.id.0), fact: fact.into() }
    }
}

fn pack(facts: &Facts) -> Result<&Pack, Refusal> {
    facts.pack.as_deref().ok_or_else(|| Refusal::new(Code::Invalid, "The agency has no pack yet"))
}

/// A text that staff typed: something in it, and no more than WhatsApp takes (4,096 characters; Meta,
/// messages/text-messages). Notes keep to the same bound.
fn text(text: &str) -> Result<String, Refusal> {
    const LONGEST: usize = 4096;
    let length = text.chars().count();
    if text.trim().is_empty() {
        Err(Refusal::new(Code::Invalid, "The text is empty"))
    } else if length > LONGEST {
        Err(Refusal::new(Code::Invalid, format!("The text has {length} characters, and WhatsApp takes {LONGEST}")))
    } else {
        Ok(text.to_owned())
    }
}
