//! Replies: whether they may go, and how far they come.

use domain::{
    command::{Ask, Code, Refusal, SendOutcome, Settle, SystemAsk},
    ids::{CommandId, Ids, MessageId},
    words::{Role, Status},
};

use crate::{Agency, HOUR, MINUTE, Received, START, close};

#[test]
fn a_reply_is_refused_where_it_would_do_harm() {
    let mut agency = Agency::new();
    let (lead, agent) = (agency.staff("lead", Role::Lead, "desk"), agency.staff("agent", Role::Agent, "desk"));
    let stranger = agency.staff("stranger", Role::Agent, "faults");
    let clerk = agency.staff("clerk", Role::Admin, "desk");
    let chat = agency.citizen();
    let seen = agency.journal.last().unwrap().seq;
    agency.reply(lead, &chat).unwrap();
    let code = |refusal: Result<MessageId, Refusal>| refusal.unwrap_err().code;

    assert_eq!(code(agency.reply(clerk, &chat)), Code::Forbidden);
    assert_eq!(code(agency.reply(stranger, &chat)), Code::NotFound);
    assert_eq!(code(agency.reply_having_seen(agent, &chat, seen)), Code::NewerReply);
    agency.reply_having_seen(lead, &chat, seen).unwrap();
    agency.reply(agent, &chat).unwrap();

    let ask = |text: String| Ask::Reply { conversation: chat.conversation, case: None, text, seen: 99 };
    assert_eq!(agency.refused(agent, ask("  \n".into())), Code::Invalid);
    assert_eq!(agency.refused(agent, ask("ا".repeat(4097))), Code::Invalid);
    agency.ask(agent, ask("ا".repeat(4096))).unwrap();

    let other = agency.receive(None, Some("96597124480"), "text", None);
    let crossed = Received { case: other.case, ..chat.clone() };
    assert_eq!(code(agency.reply(agent, &crossed)), Code::CaseMoved);

    agency.now.set(START + 24 * HOUR - 2_000 - 1);
    agency.reply(agent, &chat).unwrap();
    agency.now.set(START + 24 * HOUR - 2_000);
    assert_eq!(code(agency.reply(agent, &chat)), Code::WindowClosed);
    agency.citizen();
    agency.reply(agent, &chat).unwrap();
    agency.ask(lead, close(chat.case)).unwrap();
    assert_eq!(code(agency.reply(agent, &chat)), Code::Closed);
}

#[test]
fn my_own_later_reply_does_not_hide_a_colleagues() {
    let mut agency = Agency::new();
    let (agent, colleague) = (agency.staff("a", Role::Agent, "desk"), agency.staff("b", Role::Agent, "desk"));
    let chat = agency.citizen();
    let seen = agency.journal.last().unwrap().seq;
    agency.reply(colleague, &chat).unwrap();
    let by_colleague = agency.journal.last().unwrap().seq;
    // Having seen it at one workstation, and not yet at the other.
    agency.reply(agent, &chat).unwrap();
    let refusal = agency.reply_having_seen(agent, &chat, seen).unwrap_err();
    assert_eq!(refusal.code, Code::NewerReply);
    assert_eq!(refusal.details, serde_json::json!({ "seq": by_colleague, "by": colleague }));
    agency.reply_having_seen(agent, &chat, by_colleague).unwrap();
}

#[test]
fn an_old_reply_is_looked_at_again_when_the_citizen_wrote_since() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    let seen = agency.journal.last().unwrap().seq;
    let reply =
        |seen| Ask::Reply { conversation: chat.conversation, case: Some(chat.case), text: "نعم".into(), seen };
    let old = CommandId(agency.ids.next(START));
    let older = CommandId(agency.ids.next(START));
    agency.now.set(START + 61 * MINUTE);
    agency.command(agent, old, reply(seen)).unwrap();
    agency.citizen();
    assert_eq!(agency.command(agent, older, reply(seen)).unwrap_err().code, Code::Stale);
    let seen = agency.journal.last().unwrap().seq;
    agency.command(agent, older, reply(seen)).unwrap();
}

#[test]
fn a_message_is_sent_once_and_its_ticks_never_go_back() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    let (first, second) = (agency.reply(agent, &chat).unwrap(), agency.reply(agent, &chat).unwrap());
    let turn = |agency: &Agency| -> Vec<MessageId> {
        agency.records.outgoing(agency.now.get(), MINUTE, 10).unwrap().iter().map(|out| out.message).collect()
    };
    assert_eq!(turn(&agency), [first], "one in flight for each conversation");
    agency.system(SystemAsk::BeginSending { message: first }).unwrap();
    assert!(agency.system(SystemAsk::BeginSending { message: first }).is_err(), "one permission, ever");
    assert!(turn(&agency).is_empty());
    let begun = agency.journal.last().unwrap().seq;
    let accepted = || SendOutcome::Accepted { wamid: "wamid.out".into() };
    agency.system(SystemAsk::EndSending { message: first, begun, outcome: accepted() }).unwrap();
    assert_eq!(turn(&agency), [second]);

    assert_eq!(agency.report(first, Status::Read), 1);
    for late in [Status::Sent, Status::Delivered, Status::Read, Status::Failed] {
        assert_eq!(agency.report(first, late), 0);
    }
    assert_eq!(agency.status(first), Some(Status::Read));
}

#[test]
fn an_uncertain_message_is_settled_by_whatsapp_or_by_a_person() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let stranger = agency.staff("stranger", Role::Agent, "faults");
    let chat = agency.citizen();
    let (first, second) = (agency.reply(agent, &chat).unwrap(), agency.reply(agent, &chat).unwrap());
    let settle = |message, settle| Ask::SettleUncertain { message, settle };
    assert_eq!(agency.refused(agent, settle(first, Settle::Sent)), Code::NotUncertain);

    agency.system(SystemAsk::BeginSending { message: first }).unwrap();
    let under_way = agency.records.under_way().unwrap();
    assert_eq!(under_way.iter().map(|one| one.message).collect::<Vec<_>>(), [first]);
    agency.system(SystemAsk::Abandon { message: first }).unwrap();
    assert_eq!(agency.status(first), Some(Status::Uncertain));
    let turn = |agency: &Agency| agency.records.outgoing(agency.now.get(), MINUTE, 10).unwrap().len();
    assert_eq!(turn(&agency), 0);
    agency.now.set(START + MINUTE);
    assert_eq!(turn(&agency), 1, "the later replies do not wait for ever");

    assert_eq!(agency.refused(stranger, settle(first, Settle::Sent)), Code::NotFound);
    assert_eq!(agency.report(first, Status::Delivered), 1);
    assert_eq!(agency.refused(agent, settle(first, Settle::Resend)), Code::NotUncertain);

    agency.system(SystemAsk::BeginSending { message: second }).unwrap();
    agency.system(SystemAsk::Abandon { message: second }).unwrap();
    agency.ask(agent, settle(second, Settle::Resend)).unwrap();
    assert_eq!(agency.status(second), Some(Status::Queued));
    assert_eq!(turn(&agency), 1);
}

#[test]
fn an_outcome_that_comes_too_late_changes_nothing_that_is_known() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    let message = agency.reply(agent, &chat).unwrap();
    agency.system(SystemAsk::BeginSending { message }).unwrap();
    let begun = agency.journal.last().unwrap().seq;
    agency.report(message, Status::Delivered);
    let error = domain::entry::SendError { code: 131_000, title: "x".into(), details: None };
    for outcome in [
        SendOutcome::Accepted { wamid: "w".into() },
        SendOutcome::NotSent,
        SendOutcome::Refused(error.clone()),
        SendOutcome::Ambiguous(error),
    ] {
        assert_eq!(agency.system(SystemAsk::EndSending { message, begun, outcome }).unwrap(), 0);
    }
    assert_eq!(agency.status(message), Some(Status::Delivered));
}

#[test]
fn a_reply_that_waits_is_taken_back_by_its_writer_or_a_lead() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let agent = agency.staff("agent", Role::Agent, "desk");
    let colleague = agency.staff("colleague", Role::Agent, "desk");
    let stranger = agency.staff("stranger", Role::Lead, "faults");
    let received = agency.citizen();
    let first = agency.reply(agent, &received).unwrap();
    let recall = |message| Ask::Recall { message };
    assert_eq!(agency.refused(colleague, recall(first)), Code::Forbidden);
    assert_eq!(agency.refused(stranger, recall(first)), Code::NotFound);
    agency.ask(agent, recall(first)).unwrap();
    assert_eq!(agency.status(first), Some(Status::Recalled));
    assert!(agency.records.case(received.case).unwrap().unwrap().waiting, "nobody has answered");
    let blind = agency.reply_having_seen(lead, &received, 0).unwrap();
    agency.ask(lead, recall(blind)).unwrap();
    assert!(agency.records.outgoing(START, MINUTE, 9).unwrap().is_empty());
    assert!(agency.system(SystemAsk::BeginSending { message: first }).is_err(), "it never goes");
    let length = agency.journal.len();
    agency.ask(agent, recall(first)).unwrap();
    assert_eq!(agency.journal.len(), length, "it was so already");

    let second = agency.reply(agent, &received).unwrap();
    agency.ask(lead, recall(second)).unwrap();
    // Once somebody may be POSTing it, it is too late, and stays so however that ends.
    let third = agency.reply(agent, &received).unwrap();
    agency.system(SystemAsk::BeginSending { message: third }).unwrap();
    assert_eq!(agency.refused(agent, recall(third)), Code::TooLate);
    let begun = agency.journal.last().unwrap().seq;
    agency.system(SystemAsk::EndSending { message: third, begun, outcome: SendOutcome::NotSent }).unwrap();
    agency.ask(agent, recall(third)).unwrap();

    let fourth = agency.reply(agent, &received).unwrap();
    agency.system(SystemAsk::BeginSending { message: fourth }).unwrap();
    agency.system(SystemAsk::Abandon { message: fourth }).unwrap();
    assert_eq!(agency.refused(agent, recall(fourth)), Code::TooLate);
    agency.ask(agent, Ask::SettleUncertain { message: fourth, settle: Settle::Resend }).unwrap();
    assert_eq!(agency.status(fourth), Some(Status::Queued));
    assert_eq!(agency.refused(agent, recall(fourth)), Code::TooLate, "the first try may have arrived");
}

#[test]
fn who_slept_while_another_took_over_says_nothing_of_the_others_post() {
    let mut agency = Agency::new();
    let agent = agency.staff("agent", Role::Agent, "desk");
    let chat = agency.citizen();
    let message = agency.reply(agent, &chat).unwrap();
    let begin = |agency: &mut Agency| {
        agency.system(SystemAsk::BeginSending { message }).unwrap();
        let under_way = agency.records.under_way().unwrap();
        assert_eq!(under_way[0].begun, agency.journal.last().unwrap().seq);
        under_way[0].begun
    };
    let slept = begin(&mut agency);
    agency.system(SystemAsk::Abandon { message }).unwrap();
    agency.ask(agent, Ask::SettleUncertain { message, settle: Settle::Resend }).unwrap();
    let begun = begin(&mut agency);
    // The sleeper's word would let the message be sent a second time, or call it failed.
    let error = domain::entry::SendError { code: 131_000, title: "x".into(), details: None };
    for outcome in [SendOutcome::NotSent, SendOutcome::Refused(error.clone()), SendOutcome::Ambiguous(error)] {
        assert_eq!(agency.system(SystemAsk::EndSending { message, begun: slept, outcome }).unwrap(), 0);
    }
    assert_eq!(agency.status(message), Some(Status::Sending));
    agency.system(SystemAsk::EndSending { message, begun, outcome: SendOutcome::NotSent }).unwrap();
    assert_eq!(agency.status(message), Some(Status::Queued));
}
