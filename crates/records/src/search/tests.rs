use domain::{
    entry::{
        Actor, CaseOpened, ContactChanged, ConversationOpened, Entry, Fact, Identifier, IdentifierKind,
        MessageReceived, NewEntry, NoteAdded, Scope, Subject,
    },
    ids::EntryId,
};
use rusqlite::Connection;
use serde::Deserialize;

use super::*;

/// What is said about folding, for this program and for the interface.
#[derive(Deserialize)]
struct Table {
    folded: Vec<[String; 2]>,
    apart: Vec<[String; 2]>,
    finds: Vec<[String; 2]>,
    misses: Vec<[String; 2]>,
}

fn table() -> Table {
    serde_json::from_str(include_str!("folding.json")).unwrap()
}

fn id(n: i64) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::try_from(n).unwrap())
}

struct Desk {
    records: Records,
    seq: Seq,
}

const STAFF: StaffId = StaffId(Uuid::from_u128(0x0190_0000_0000_7000_8000_ffff_0000_0001));

impl Desk {
    fn new() -> Self {
        Self { records: Records::open_searchable(Connection::open_in_memory().unwrap()).unwrap(), seq: 0 }
    }

    fn apply(&mut self, case: i64, fact: impl Into<Fact>) -> Seq {
        self.seq += 1;
        let fact = fact.into();
        let actor = Actor::Staff(STAFF);
        let new = NewEntry { scope: Scope::Case(CaseId(id(case))), subject: Subject::Pack, actor, cause: None, fact };
        let entry = Entry::from_new(new, self.seq, EntryId(id(self.seq)), self.seq * 1000);
        self.records.apply(&entry).unwrap();
        self.seq
    }

    /// A citizen with a conversation and a case, all of this number.
    fn citizen(&mut self, n: i64, name: &str, phone: &str) {
        let identifier = Identifier { kind: IdentifierKind::Phone, value: phone.into(), from: 0, to: None };
        let (contact, conversation, line) = (ContactId(id(n)), ConversationId(id(n)), "1".to_owned());
        let name = Some(name.to_owned());
        self.apply(n, ContactChanged { contact, name, identifiers: vec![identifier], merged_into: None });
        self.apply(n, ConversationOpened { conversation, contact, line: line.clone() });
        let (number, kind, team) = (format!("MEW-2026-{n:06}"), "inquiry".into(), "desk".into());
        self.apply(n, CaseOpened { case: CaseId(id(n)), conversation, number, kind, team, contact, line });
    }

    fn says(&mut self, n: i64, text: &str) -> Seq {
        let at = (self.seq + 1) * 1000;
        let body = MessageReceived {
            message: MessageId(id(1_000_000 + self.seq)),
            conversation: ConversationId(id(n)),
            case: CaseId(id(n)),
            wamid: format!("w{}", self.seq),
            r#type: "text".into(),
            text: Some(text.to_owned()),
            context: None,
            media: vec![],
            sent_at: at,
            place: at,
            raw: None,
            reader: None,
        };
        self.apply(n, body)
    }

    fn note(&mut self, n: i64, text: &str) -> Seq {
        let note = NoteId(id(2_000_000 + self.seq));
        self.apply(n, NoteAdded { note, case: CaseId(id(n)), text: text.into(), media: vec![] })
    }

    fn find(&self, search: &Search) -> Vec<Seq> {
        self.records.find(search, 50).unwrap().hits.iter().map(|hit| hit.seq).collect()
    }

    fn words(&self, words: &str) -> Vec<Seq> {
        self.find(&Search { words: Words::read(words), ..Search::default() })
    }

    fn people(&self, words: &str) -> Vec<i64> {
        let found = self.records.find_contacts(&Words::read(words), 50).unwrap();
        (1..100).filter(|n| found.iter().any(|(contact, _)| contact.0 == id(*n))).collect()
    }
}

#[test]
fn texts_are_folded_as_the_table_says() {
    for [text, wanted] in table().folded {
        assert_eq!(folded(&text), wanted, "{text}");
        assert_eq!(folded(&wanted), wanted, "{wanted} folded again");
    }
    for [a, b] in table().apart {
        assert_ne!(folded(&a), folded(&b), "{a} {b}");
    }
}

/// Each line in the real index, and in the marking of what was found.
#[test]
fn what_is_asked_for_finds_what_the_table_says() {
    let check = |asked: &str, text: &str, wanted: bool| {
        let mut desk = Desk::new();
        desk.citizen(1, "أ", "1");
        desk.says(1, text);
        let words = Words::read(asked);
        assert_eq!(!desk.words(asked).is_empty(), wanted, "{asked} in {text}: {}", words.matching());
        assert_eq!(words.stand_in(text), wanted, "{asked} in {text}, looked for in the text");
        assert!(!wanted || !words.places_in(text).is_empty(), "{asked} in {text}: nothing is marked");
        // The same under a name.
        let mut desk = Desk::new();
        desk.citizen(1, text, "1");
        assert_eq!(!desk.people(asked).is_empty(), wanted, "{asked} in the name {text}");
    };
    let Table { finds, misses, .. } = table();
    assert!(finds.len() > 70 && misses.len() > 20);
    finds.iter().for_each(|[asked, text]| check(asked, text, true));
    misses.iter().for_each(|[asked, text]| check(asked, text, false));
}

#[test]
fn whole_words_are_marked_where_they_stand() {
    let marked = |asked: &str, text: &str| {
        let places = Words::read(asked).places_in(text);
        places.into_iter().map(|place| text.get(place).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(marked("طلب جديد", "أُريدُ تقديم الطَّلب الجديد، شكراً"), ["الطَّلب", "الجديد"]);
    assert_eq!(marked("66041187", "اتصل على +965 6604-1187 أو 6604"), ["965 6604-1187"]);
    assert_eq!(marked("cafe", "The Café, cafés"), ["Café", "cafés"]);
    assert!(marked("", "نص").is_empty());
}

#[test]
fn a_phrase_is_found_in_its_order_alone() {
    let mut desk = Desk::new();
    desk.citizen(1, "أ", "1");
    let right = desk.says(1, "انقطاع الكهرباء في السالمية");
    desk.says(1, "الكهرباء في انقطاع");
    let phrase = |text| Search { words: Words::default().and_phrase(text), ..Search::default() };
    assert_eq!(desk.find(&phrase("انقطاع الكهرباء")), [right]);
    assert_eq!(desk.find(&phrase("انقطاع الكهربا")), [right]);
    assert_eq!(desk.words("انقطاع الكهرباء").len(), 2);
}

#[test]
fn what_nobody_can_ask_is_asked_without_harm() {
    let mut desk = Desk::new();
    desk.citizen(1, "أ", "1");
    desk.says(1, "نص AND \"OR\" NEAR(x) * ^ ' ; --");
    for asked in
        ["\"", "*", "AND", "OR NOT", "NEAR(", "^", "';--", "\u{0}", "words:", "(", "\u{e000}", "😀", "-", "a:b:c"]
    {
        let words = Words::read(asked);
        desk.words(asked);
        desk.records.find_contacts(&words, 5).unwrap();
        desk.records.find_cases(&words, 5).unwrap();
    }
    assert!(Words::read(" \"*:😀\u{e000} ").is_empty());
}

#[test]
fn people_are_found_by_half_a_name_by_a_number_and_by_their_code() {
    let mut desk = Desk::new();
    desk.citizen(1, "فاطمة العجمي", "96566041187");
    desk.citizen(2, "عبدالله المطيري", "96599887766");
    for asked in ["فاطم", "العجمي فاطمه", "عجمي", "66041187", "+965 6604 1187", "1187", "4118", "6604"]
    {
        assert_eq!(desk.people(asked), [1], "{asked}");
    }
    assert_eq!(desk.people(&ContactId(id(2)).short_code()), [2]);
    assert!(desk.people("فاطمة المطيري").is_empty());
    // A new name takes the old one's place.
    let (contact, name) = (ContactId(id(1)), Some("مريم العجمي".to_owned()));
    desk.apply(1, ContactChanged { contact, name, identifiers: vec![], merged_into: None });
    assert_eq!((desk.people("فاطمة"), desk.people("مريم"), desk.people("1187")), (vec![], vec![1], vec![]));
    let numbered = |asked: &str| desk.records.find_cases(&Words::read(asked), 5).unwrap();
    for asked in ["MEW-2026-000002", "2026-000002", "mew2026000002", "000002", "٢"] {
        assert_eq!(numbered(asked).first().map(|one| one.case), Some(CaseId(id(2))), "{asked}");
    }
    assert!(numbered("000003").is_empty());
}

#[test]
fn newest_first_in_pages_and_within_a_conversation() {
    let mut desk = Desk::new();
    desk.citizen(1, "أ", "1");
    desk.citizen(2, "ب", "2");
    let seqs: Vec<Seq> = (0..40).map(|n| desk.says(1 + n % 2, "عداد الماء")).collect();
    let note = desk.note(1, "راجعت العداد");
    let search = Search { words: Words::read("عداد"), ..Search::default() };
    let first = desk.records.find(&search, 15).unwrap();
    assert_eq!((first.hits[0].seq, first.hits.len()), (note, 15));
    assert!(matches!(first.hits[0].what, What::Note(_)) && first.hits[0].author == Some(STAFF));
    let mut all: Vec<Seq> = first.hits.iter().map(|hit| hit.seq).collect();
    let mut below = first.more;
    while below.is_some() {
        let next = desk.records.find(&Search { below, ..search.clone() }, 15).unwrap();
        all.extend(next.hits.iter().map(|hit| hit.seq));
        below = next.more;
    }
    let mut wanted: Vec<Seq> = seqs.iter().copied().chain([note]).collect();
    wanted.reverse();
    assert_eq!(all, wanted);
    let one = Search { conversation: Some(ConversationId(id(2))), ..search };
    assert_eq!(desk.find(&one).len(), 20);
}

#[test]
fn who_when_whose_and_how_it_stands() {
    let mut desk = Desk::new();
    (1..=3).for_each(|n| desk.citizen(n, if n == 2 { "ليلى العلي" } else { "أ" }, "1"));
    let said: Vec<Seq> = (1..=3).map(|n| desk.says(n, "العداد")).collect();
    let note = desk.note(2, "العداد");
    let owner = StaffId(id(77));
    let team = "desk".to_owned();
    desk.apply(1, domain::entry::CaseAssigned { case: CaseId(id(1)), team, staff: Some(owner) });
    desk.apply(3, domain::entry::CaseClosed { case: CaseId(id(3)), outcome: "done".into() });
    for words in [Words::read("عداد"), Words::default()] {
        let search = Search { words, ..Search::default() };
        let find = |change: fn(&mut Search, i64, StaffId)| {
            let mut search = search.clone();
            change(&mut search, said[1] * 1000, owner);
            desk.find(&search)
        };
        assert_eq!(find(|s, _, owner| s.owner = Some(vec![Some(owner)])), [said[0]]);
        assert_eq!(find(|s, _, _| s.owner = Some(vec![None])), [note, said[2], said[1]]);
        assert_eq!(find(|s, _, _| s.owner = Some(vec![])), [] as [Seq; 0]);
        assert_eq!(find(|s, _, _| s.state = Some(State::Closed)), [said[2]]);
        assert_eq!(find(|s, _, _| s.state = Some(State::Open)), [note, said[1], said[0]]);
        assert_eq!(find(|s, _, _| s.state = Some(State::Waiting)), [note, said[1], said[0]]);
        assert_eq!(find(|s, at, _| s.since = Some(at)), [note, said[2], said[1]]);
        assert_eq!(find(|s, at, _| s.until = Some(at)), [said[0]]);
        let from = |s: &mut Search, from| s.from = Some(from);
        let mut by_citizen = search.clone();
        from(&mut by_citizen, From { called: Some(Words::read("ليلى")), staff: BTreeSet::new() });
        assert_eq!(desk.find(&by_citizen), [said[1]], "what the citizen wrote, and not the note on them");
        let mut by_staff = search.clone();
        from(&mut by_staff, From { called: None, staff: [STAFF].into() });
        assert_eq!(desk.find(&by_staff), [note]);
        from(&mut by_staff, From::default());
        assert!(desk.find(&by_staff).is_empty());
    }
}

/// A name that many have is looked for in what is found, one that few have in the index.
#[test]
fn what_is_from_somebody_is_the_same_however_many_have_the_name() {
    let mut desk = Desk::new();
    let many = i64::try_from(NAMED).unwrap() + 20;
    (1..=many).for_each(|n| desk.citizen(n, if n % 2 == 0 || n > 40 { "محمد" } else { "ليلى" }, "96566041187"));
    let said: Vec<Seq> = (1..=many).map(|n| desk.says(n, "العداد")).collect();
    let from = |name: &str| Search {
        words: Words::read("عداد"),
        from: Some(From { called: Some(Words::read(name)), staff: BTreeSet::new() }),
        ..Search::default()
    };
    assert!(desk.records.rare_name(from("66041187").from.as_ref().unwrap()).unwrap().is_none());
    let find =
        |search: &Search| desk.records.find(search, 500).unwrap().hits.iter().map(|hit| hit.seq).collect::<Vec<_>>();
    assert_eq!(find(&from("ليلى")).len(), 20);
    let by_number: Vec<Seq> = said.iter().rev().copied().collect();
    assert_eq!(find(&from("66041187")), by_number);
    let both = find(&from("محمد"));
    assert_eq!((both.len(), both[0]), (usize::try_from(many).unwrap() - 20, said[said.len() - 1]));
    assert!(find(&from("سعاد")).is_empty());
}

#[test]
fn what_goes_out_of_sight_is_found_no_more_and_leaves_the_index() {
    let mut desk = Desk::new();
    desk.citizen(1, "فاطمة", "96566041187");
    desk.citizen(2, "مريم", "96599887766");
    for _ in 0..200 {
        desk.says(1, "كناري");
        desk.says(2, "بلبل");
    }
    desk.note(1, "كناري");
    desk.records.forget_case(CaseId(id(1))).unwrap();
    assert!(desk.words("كناري").is_empty() && desk.people("فاطمة").is_empty() && desk.words("بلبل").len() == 50);
    assert!(desk.records.find_cases(&Words::read("000001"), 5).unwrap().is_empty());
    let holds = |desk: &Desk, table: &str, text: &str| {
        let sql = format!("SELECT count(*) FROM {table}_data WHERE instr(block, CAST(?1 AS BLOB)) > 0");
        desk.records.connection().query_row(&sql, [text], |row| row.get::<_, i64>(0)).unwrap() > 0
    };
    assert!(holds(&desk, "texts", "كناري") && desk.records.is_untidy().unwrap());
    let mut turns = 0;
    while desk.records.tidy(2).unwrap() {
        turns += 1;
        assert!(turns < 1000, "it never ends");
    }
    assert!(turns > 0 && !desk.records.is_untidy().unwrap());
    assert!(!holds(&desk, "texts", "كناري") && holds(&desk, "texts", "بلبل"));
    assert!(!holds(&desk, "names", "فاطمه") && !holds(&desk, "names", "66041187") && holds(&desk, "names", "مريم"));
    assert_eq!(desk.words("بلبل").len(), 50);
}

#[test]
fn an_existing_file_is_indexed_newest_first_and_comes_out_the_same() {
    let mut desk = Desk::new();
    desk.citizen(1, "فاطمة", "96566041187");
    let seqs: Vec<Seq> =
        (0..100).map(|n| if n % 10 == 0 { desk.note(1, "عداد") } else { desk.says(1, "عداد") }).collect();
    desk.citizen(2, "مريم", "96599887766");
    // As a version without an index left it.
    desk.records
        .connection()
        .execute_batch("DROP TABLE texts; DROP TABLE names; DELETE FROM meta WHERE key = 'search'")
        .unwrap();
    let Desk { records, seq } = desk;
    let Records { connection, .. } = records;
    connection
        .execute_batch("DROP INDEX messages_by_seq; DROP INDEX notes_by_seq; DROP INDEX contacts_by_seq")
        .unwrap();
    let mut desk = Desk { records: Records::open_searchable(connection).unwrap(), seq };
    assert!(desk.words("عداد").is_empty());
    assert!(desk.records.index_more(7).unwrap());
    let progress = desk.records.index_progress().unwrap().unwrap();
    assert!(progress.below < progress.last && progress.below > 1, "{progress:?}");
    let found = desk.words("عداد");
    assert!(found.len() >= 7 && found[0] == seqs[99], "the newest first: {found:?}");
    // What comes meanwhile is found, and what goes stays away.
    let late = desk.says(2, "عداد متأخر");
    assert_eq!(desk.words("عداد")[0], late);
    desk.records.forget_case(CaseId(id(2))).unwrap();
    while desk.records.index_more(7).unwrap() {}
    assert_eq!(desk.records.index_progress().unwrap(), None);
    let search = Search { words: Words::read("عداد"), ..Search::default() };
    let all: Vec<Seq> = desk.records.find(&search, 500).unwrap().hits.iter().map(|hit| hit.seq).collect();
    assert_eq!(all, seqs.iter().rev().copied().collect::<Vec<_>>());
    assert_eq!((desk.people("فاطمة"), desk.people("مريم")), (vec![1], vec![]));
    assert_eq!(desk.records.find_cases(&Words::read("000001"), 5).unwrap().len(), 1);
    // Nothing is begun again.
    let Records { connection, .. } = desk.records;
    assert_eq!(Records::open_searchable(connection).unwrap().index_progress().unwrap(), None);
}

#[test]
fn an_emptied_file_has_an_empty_index_that_is_whole() {
    let mut desk = Desk::new();
    desk.citizen(1, "فاطمة", "96566041187");
    desk.says(1, "عداد");
    desk.records.wipe().unwrap();
    assert!(desk.words("عداد").is_empty() && desk.people("فاطمة").is_empty());
    let Records { connection, .. } = desk.records;
    let mut desk = Desk { records: Records::open_searchable(connection).unwrap(), seq: 0 };
    desk.citizen(1, "فاطمة", "96566041187");
    let said = desk.says(1, "عداد");
    assert_eq!((desk.words("عداد"), desk.people("فاطمة")), (vec![said], vec![1]));
}

#[test]
fn the_gateway_keeps_no_index() {
    let records = Records::open(Connection::open_in_memory().unwrap()).unwrap();
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name IN ('texts', 'names', 'messages_by_seq')";
    assert_eq!(records.connection().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

/// FTS5's secure-delete can be led astray by a crafted file.
#[test]
fn the_indexs_own_secure_delete_is_off() {
    let desk = Desk::new();
    for table in ["texts", "names"] {
        let sql = format!("SELECT count(*) FROM {table}_config WHERE k = 'secure-delete' AND v <> 0");
        assert_eq!(desk.records.connection().query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }
}
