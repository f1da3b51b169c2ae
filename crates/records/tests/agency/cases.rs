//! Owners, teams and sight.

use domain::{
    command::{Ask, Code},
    words::{CaseState, Role},
};
use records::list::{Order, Which};

use crate::{Agency, close};

#[test]
fn a_case_has_one_owner() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let (one, two) = (agency.staff("one", Role::Agent, "desk"), agency.staff("two", Role::Agent, "desk"));
    let stranger = agency.staff("stranger", Role::Agent, "faults");
    let case = agency.citizen().case;
    agency.ask(one, Ask::Claim { case }).unwrap();
    agency.ask(one, Ask::Claim { case }).unwrap();
    for ask in [Ask::Claim { case }, Ask::Release { case }, close(case)] {
        assert_eq!(agency.refused(two, ask), Code::Owned);
    }
    assert_eq!(agency.refused(two, Ask::Assign { case, staff: two }), Code::Forbidden);
    assert_eq!(agency.refused(lead, Ask::Assign { case, staff: stranger }), Code::Invalid);
    assert_eq!(agency.refused(stranger, Ask::Claim { case }), Code::NotFound);
    agency.ask(lead, Ask::Assign { case, staff: two }).unwrap();
    assert_eq!(agency.records.list(Which::Mine(two), Order::Latest, 0, 10).unwrap().len(), 1);
    agency.ask(two, Ask::Release { case }).unwrap();
    assert_eq!(agency.records.list(Which::Unassigned, Order::Latest, 0, 10).unwrap().len(), 1);
    agency.ask(lead, Ask::Transfer { case, team: "faults".into() }).unwrap();
    assert_eq!(agency.refused(lead, Ask::Claim { case }), Code::NotFound, "out of sight");
    agency.ask(stranger, Ask::Claim { case }).unwrap();
    assert_eq!(agency.refused(stranger, Ask::CloseCase { case, outcome: "moon".into() }), Code::Invalid);
    agency.ask(stranger, close(case)).unwrap();
    assert_eq!(agency.records.case(case).unwrap().unwrap().state, CaseState::Closed);
    assert_eq!(agency.refused(stranger, Ask::Claim { case }), Code::Closed);
    agency.ask(stranger, Ask::AddNote { case, text: "أُغلق بعد الاتصال".into(), media: vec![] }).unwrap();
}

#[test]
fn sight_changes_with_the_case_and_with_the_person() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let stranger = agency.staff("stranger", Role::Agent, "faults");
    let case = agency.citizen().case;
    let before = agency.journal.last().unwrap().seq;
    agency.ask(lead, Ask::Transfer { case, team: "faults".into() }).unwrap();
    let after = agency.journal.last().unwrap().seq;
    let change = |agency: &Agency, staff, from, to| agency.records.sight_change(staff, from, to).unwrap();
    assert_eq!(change(&agency, lead, before, after).lost, [case]);
    assert_eq!(change(&agency, stranger, before, after).gained, [case]);
    let since = "its entries are all since then, but it was not seen all the time";
    assert_eq!(change(&agency, stranger, 1, after).gained, [case], "{since}");
    assert_eq!(change(&agency, lead, 1, after).lost, [case], "the live stream may have brought it");

    let change_staff = |teams: &[&str]| Ask::ChangeStaff {
        staff: stranger,
        name: None,
        roles: None,
        teams: Some(teams.iter().map(|team| (*team).to_owned()).collect()),
        active: None,
    };
    agency.ask(stranger, Ask::Claim { case }).unwrap();
    agency.ask(agency.admin, change_staff(&[])).unwrap();
    let out = agency.journal.last().unwrap().seq;
    assert_eq!(change(&agency, stranger, after, out).lost, [case]);
    assert_eq!(agency.records.case(case).unwrap().unwrap().owner, None, "back in its queue");
    agency.ask(agency.admin, change_staff(&["faults"])).unwrap();
    let back = agency.journal.last().unwrap().seq;
    assert_eq!(change(&agency, stranger, out, back).gained, [case]);
    let whole = records::sight::SightChange { lost: vec![], gained: vec![case] };
    assert_eq!(change(&agency, stranger, after, back), whole, "out of sight for a while: it comes whole");
    assert_eq!(change(&agency, stranger, back - 1, back), whole);
    assert_eq!(change(&agency, stranger, back, back + 9), records::sight::SightChange::default());
}

#[test]
fn nobody_gives_themself_sight() {
    let mut agency = Agency::new();
    let clerk = agency.staff("clerk", Role::Admin, "desk");
    let change = |roles: &[Role]| Ask::ChangeStaff {
        staff: clerk,
        name: None,
        roles: Some(roles.to_vec()),
        teams: None,
        active: None,
    };
    assert_eq!(agency.refused(clerk, change(&[Role::Admin, Role::Lead])), Code::Forbidden);
    let add = |username: &str| Ask::AddStaff {
        username: username.into(),
        name: "س".into(),
        roles: vec![Role::Agent],
        teams: vec!["desk".into()],
    };
    assert_eq!(agency.refused(clerk, add("clerk")), Code::Taken);
    assert_eq!(agency.refused(clerk, add("Sami")), Code::Invalid);
    agency.ask(clerk, add("sami")).unwrap();
    let off = Ask::ChangeStaff { staff: clerk, name: None, roles: None, teams: None, active: Some(false) };
    agency.ask(agency.admin, off).unwrap();
    assert_eq!(agency.refused(clerk, add("salem")), Code::Forbidden);
}
