//! Files: who may see and name them, and whose they are.

use domain::{
    command::{Ask, Code},
    ids::{CaseId, ContactId, MediaId, StaffId},
    words::Role,
};
use uuid::Uuid;

use crate::{Agency, Received};

const ONE: MediaId = MediaId([1; 32]);
const OTHER: MediaId = MediaId([2; 32]);

fn note(case: CaseId, media: &[MediaId]) -> Ask {
    Ask::AddNote { case, text: "العداد".into(), media: media.to_vec() }
}

fn sees(agency: &Agency, staff: StaffId, media: MediaId) -> bool {
    let viewer = agency.records.staff(staff).unwrap().unwrap().viewer;
    agency.records.sees_media(&viewer, media).unwrap()
}

/// A picture from a telephone number.
fn picture(agency: &mut Agency, phone: &str, file: MediaId) -> Received {
    agency.file.set(file);
    agency.receive(None, Some(phone), "image", None)
}

#[test]
fn who_sees_a_case_sees_and_may_name_its_files() {
    let mut agency = Agency::new();
    let lead = agency.staff("lead", Role::Lead, "desk");
    let (clerk, stranger) =
        (agency.staff("clerk", Role::Agent, "desk"), agency.staff("stranger", Role::Agent, "faults"));
    let keeper = agency.staff("keeper", Role::Admin, "desk");
    let case = picture(&mut agency, "96566041187", ONE).case;
    let other = agency.receive(None, Some("96566041188"), "text", None).case;
    assert!(sees(&agency, clerk, ONE) && !sees(&agency, stranger, ONE) && !sees(&agency, keeper, ONE));
    assert!(!sees(&agency, clerk, OTHER), "nobody has it");
    agency.ask(clerk, note(other, &[ONE])).unwrap();
    assert_eq!(agency.refused(clerk, note(other, &[ONE, OTHER])), Code::NotFound);

    // The case goes, and with it its file, unless another case has it too.
    agency.ask(lead, Ask::Transfer { case, team: "faults".into() }).unwrap();
    assert!(sees(&agency, clerk, ONE) && sees(&agency, stranger, ONE));
    agency.ask(lead, Ask::Transfer { case: other, team: "faults".into() }).unwrap();
    assert!(!sees(&agency, clerk, ONE) && sees(&agency, stranger, ONE));
    let another = agency.receive(None, Some("96566041189"), "text", None).case;
    assert_eq!(agency.refused(clerk, note(another, &[ONE])), Code::NotFound, "out of sight");
    assert_eq!(agency.refused(clerk, note(another, &[OTHER])), Code::NotFound, "which looks the same");
}

#[test]
fn a_note_has_few_files_each_of_them_once() {
    let mut agency = Agency::new();
    let clerk = agency.staff("clerk", Role::Agent, "desk");
    let mut files = vec![];
    let mut case = None;
    for n in 1..=11 {
        files.push(MediaId([n; 32]));
        case = Some(picture(&mut agency, "96566041187", MediaId([n; 32])).case);
    }
    let case = case.unwrap();
    assert_eq!(agency.refused(clerk, note(case, &files)), Code::Invalid);
    assert_eq!(agency.refused(clerk, note(case, &[ONE, OTHER, ONE])), Code::Invalid);
    agency.ask(clerk, note(case, &files[..10])).unwrap();
}

#[test]
fn a_file_that_others_have_too_is_not_a_contacts_alone() {
    let mut agency = Agency::new();
    let clerk = agency.staff("clerk", Role::Agent, "desk");
    let contact = |agency: &Agency, case: CaseId| {
        let sql = "SELECT contact FROM cases WHERE id = ?1";
        ContactId(agency.records.connection().query_row(sql, [case.0], |row| row.get::<_, Uuid>(0)).unwrap())
    };
    let case = picture(&mut agency, "96566041187", ONE).case;
    picture(&mut agency, "96566041187", OTHER);
    let theirs = contact(&agency, case);
    assert_eq!(agency.records.media_of_alone(theirs).unwrap(), [ONE, OTHER]);
    let another = agency.receive(None, Some("96566041188"), "text", None).case;
    agency.ask(clerk, note(another, &[ONE])).unwrap();
    assert_eq!(agency.records.media_of_alone(theirs).unwrap(), [OTHER]);
    assert!(agency.records.media_of_alone(contact(&agency, another)).unwrap().is_empty());
    assert_eq!(agency.records.media_used().unwrap(), [ONE, OTHER]);
    assert!(agency.records.is_media_used(OTHER).unwrap() && !agency.records.is_media_used(MediaId([3; 32])).unwrap());

    // Two contacts that turn out to be one person, each with a file of their own.
    let three = MediaId([3; 32]);
    agency.file.set(three);
    let by_bsuid = agency.receive(Some("KW.1"), None, "image", None).case;
    agency.receive(Some("KW.1"), Some("96566041187"), "text", None);
    for case in [case, by_bsuid] {
        let theirs = contact(&agency, case);
        assert_eq!(agency.records.media_of_alone(theirs).unwrap(), [OTHER, three], "by either name");
    }
}

#[test]
fn a_file_written_by_the_version_before_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let mut before = rusqlite::Connection::open(&path).unwrap();
    records::migration::migrate(&mut before, &[include_str!("../../src/schema.sql")]).unwrap();
    drop(before);
    let records = records::Records::open(rusqlite::Connection::open(&path).unwrap()).unwrap();
    assert!(records.media_used().unwrap().is_empty());
}
