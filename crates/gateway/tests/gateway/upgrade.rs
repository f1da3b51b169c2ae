//! Storage of every schema that there ever was, and a program that dies in the middle of bringing it up to date.
//!
//! An old file is made by the steps of that time, and filled with as much of what a gateway wrote as those tables have
//! room for.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use gateway::{deliveries, journal, verify};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    disk_faults::{DiskFaults, Image, Unsynced},
    extent::{chance, counted, times},
    graph::Graph,
    house::{House, Person, eventually, uuid, writes, writes_at},
    program::Program,
};

/// Each file, and its schema's steps.
const FILES: [(&str, &[&str]); 3] =
    [("mew/journal.db", journal::SCHEMA), ("deliveries.db", deliveries::SCHEMA), ("mew/records.db", records::STEPS)];

/// What every process writes when it starts, whatever its storage was.
const OF_A_START: [&str; 1] = ["leases"];

fn path(house: &House, name: &str) -> PathBuf {
    house.folder.path().canonicalize().unwrap().join("data").join(name)
}

fn column<T: rusqlite::types::FromSql>(conn: &Connection, sql: &str) -> Vec<T> {
    conn.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn version(conn: &Connection) -> usize {
    usize::try_from(conn.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap()).unwrap()
}

/// A file as the first so many steps make it.
fn made(file: &Path, steps: &[&str]) -> Connection {
    let conn = Connection::open(file).unwrap();
    conn.execute_batch(&format!("{}; PRAGMA user_version = {}", steps.join(";"), steps.len())).unwrap();
    conn
}

/// The tables and indexes, as SQLite keeps them.
fn schema(conn: &Connection) -> BTreeSet<String> {
    column(conn, "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master").into_iter().collect()
}

fn schema_of(steps: &[&str]) -> BTreeSet<String> {
    schema(&made(Path::new(":memory:"), steps))
}

/// Each table, with the columns that are written.
fn tables(conn: &Connection) -> Vec<(String, String)> {
    let names = column(conn, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    let columns = |name: &String| {
        column::<String>(conn, &format!("SELECT name FROM pragma_table_xinfo('{name}') WHERE hidden = 0")).join(", ")
    };
    names.into_iter().map(|name: String| (name.clone(), columns(&name))).collect()
}

/// A file of the schema's first so many steps, with all of `full` that it has room for.
fn older(full: &Path, file: &Path, steps: &[&str]) {
    let conn = made(file, steps);
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.execute("ATTACH ?1 AS full", [full.to_str().unwrap()]).unwrap();
    for (table, columns) in tables(&conn) {
        conn.execute_batch(&format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM full.{table}")).unwrap();
    }
}

/// Rows of `old` that `new` lacks, as far as its columns go.
fn lost(old: &Path, new: &Path) -> Vec<String> {
    let conn = Connection::open(old).unwrap();
    conn.execute("ATTACH ?1 AS new", [new.to_str().unwrap()]).unwrap();
    let mut lost = vec![];
    for (table, columns) in tables(&conn).into_iter().filter(|(table, _)| !OF_A_START.contains(&table.as_str())) {
        let sql = format!(
            "SELECT count(*) FROM (SELECT {columns} FROM main.{table} EXCEPT SELECT {columns} FROM new.{table})"
        );
        let rows: i64 = conn.query_row(&sql, [], |row| row.get(0)).unwrap();
        if rows > 0 {
            lost.push(format!("{rows} of {table}"));
        }
    }
    lost
}

/// The house, the first account, and each file's content, with nothing in a WAL.
async fn storage(folder: &Path) -> (House, Person, Graph) {
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    for n in 0..12 {
        let (conversation, case) = writes(&served, &admin, &format!("965500000{n:02}"), "الكهرباء مقطوعة").await;
        admin.must(json!({"kind": "add_note", "case": case, "text": format!("ملاحظة {n}")})).await;
        let reply = json!({"id": uuid(), "kind": "reply", "conversation": conversation, "case": case, "text": "نعم", "seen": 99});
        admin.must(reply).await;
    }
    house.all_taken_in().await;
    // Nothing is left that a start would go on with.
    let settled = "SELECT count(*) FROM entries WHERE kind = 'message_status_changed'";
    eventually("the replies are accepted", async || (house.number(settled) == 24).then_some(())).await;
    served.stop().await;
    for (name, _) in FILES {
        let conn = Connection::open(path(&house, name)).unwrap();
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(conn);
        fs::copy(path(&house, name), folder.join(name.replace('/', "-"))).unwrap();
    }
    (house, admin, graph)
}

/// The steps that each file has when so many of the longest schema's were known.
fn then(generation: usize) -> [(&'static str, &'static [&'static str], usize); 3] {
    FILES.map(|(name, steps)| (name, steps, steps.len().min(generation)))
}

/// Puts the house's files back to a generation; what they hold then.
fn put_back(house: &House, full: &Path, generation: usize) -> Image {
    for (name, steps, known) in then(generation) {
        let file = path(house, name);
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{end}", file.display()));
        }
        older(&full.join(name.replace('/', "-")), &file, &steps[..known]);
        fs::copy(file, full.join(format!("old-{}", name.replace('/', "-")))).unwrap();
    }
    Image::take(house)
}

/// Looks at copies, since whoever opens a file may change it: each has one version's schema whole, and nothing of the
/// next. The versions.
fn never_half(house: &House, what: &str) -> Vec<usize> {
    let copies = tempfile::tempdir().unwrap();
    FILES
        .iter()
        .map(|(name, steps)| {
            let copy = copies.path().join(name.replace('/', "-"));
            for end in ["", "-wal"] {
                let _ = fs::copy(format!("{}{end}", path(house, name).display()), format!("{}{end}", copy.display()));
            }
            let conn = Connection::open(&copy).unwrap();
            let version = version(&conn);
            assert!(schema(&conn) == schema_of(&steps[..version]), "{what}: {name} has half of a step, at {version}");
            version
        })
        .collect()
}

async fn entries_of(admin: &Person) -> Vec<Value> {
    admin.sync("0").await.into_iter().filter(|line| line.get("entry").is_some()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_storage_is_brought_up_whole_wherever_the_program_dies() {
    let Some(faults) = DiskFaults::new() else { return };
    let full = tempfile::tempdir().unwrap();
    let (house, admin, _graph) = storage(full.path()).await;
    let mut expected = None;
    let mut chance = chance();
    let every = times(11, 1, 1);
    let newest = FILES.map(|(_, steps)| steps.len());
    let generations = newest.iter().copied().max().unwrap();
    let (mut points, mut seen) = (0, BTreeSet::new());
    for generation in 1..=generations {
        let before = put_back(&house, full.path(), generation);
        let mut n = 1 + chance.usize(0..every);
        loop {
            before.put(&house);
            let what = format!("generation {generation}, dead at {n}");
            let died = faults.start_to_die(&house, n).is_none();
            if died && chance.bool() {
                let fate = if chance.bool() { Unsynced::Lost } else { Unsynced::Torn };
                before.clone().after_power_cut(&faults, fate, &mut chance).put(&house);
            }
            seen.extend(never_half(&house, &what).into_iter().enumerate());

            let program = Program::start(&house.config, "error", Stdio::inherit());
            let admin = Person::at(&admin, &program.address);
            let given = entries_of(&admin).await;
            assert!(given.len() > 36, "{what}: {}", given.len());
            assert!(*expected.get_or_insert_with(|| given.clone()) == given, "{what}: desks are given something else");
            let sound = verify::journal(path(&house, "mew/journal.db"), &[]).unwrap();
            assert!(sound.is_ok(), "{what}: {sound:?}");
            assert_eq!(never_half(&house, &what), newest, "{what}");
            for (name, ..) in then(generation) {
                let old = full.path().join(format!("old-{}", name.replace('/', "-")));
                assert_eq!(lost(&old, &path(&house, name)), Vec::<String>::new(), "{what}: {name}");
            }
            if !died {
                // It works on, too.
                writes_at(&program.address, &admin, "96550000099", "السلام عليكم").await;
                break;
            }
            points += 1;
            n += every;
        }
    }
    let between = seen.iter().filter(|(file, version)| *version < newest[*file]).count();
    counted(json!({"generations": generations, "points": points, "older_versions_left": between}));
    assert!(points >= generations && between > 3, "it died {points} times: this showed nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_storage_is_refused_in_words_and_left_as_it_is() {
    let full = tempfile::tempdir().unwrap();
    let (house, _, _graph) = storage(full.path()).await;
    let before = Image::take(&house);
    for (name, steps) in FILES {
        before.put(&house);
        let conn = Connection::open(path(&house, name)).unwrap();
        conn.execute_batch(&format!("PRAGMA user_version = {}", steps.len() + 1)).unwrap();
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(conn);
        let newer = fs::read(path(&house, name)).unwrap();
        let said = Program::refusing(&house.config);
        assert!(said.contains("a newer program wrote it") && said.contains(name), "{name}: {said}");
        assert!(fs::read(path(&house, name)).unwrap() == newer, "{name} was changed");
        let wal = fs::metadata(format!("{}-wal", path(&house, name).display())).map_or(0, |wal| wal.len());
        assert_eq!(wal, 0, "{name}");
    }
}
