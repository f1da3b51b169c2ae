//! What a journal promises, whichever home it has; and what only a home on another machine can do to it.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{
    entry::{Actor, Entry, LineChanged, Scope, Subject},
    ids::{CaseId, CommandId, EntryId, Ids as _, StaffId, System},
    wire::Outcome,
};
use gateway::{
    config,
    home::{Place, Server, Storage},
    journal::{Journal, Reader, Trail as _},
    ledger::Ledger,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UnixStream},
};

use crate::{
    house::{House, deliver, eventually, on_postgres, text, wamid},
    load::{Desk, Load, Promises},
    postgres::{self, HERE, Own, apart, on_both_homes},
    program::Program,
    tampering::{run, said},
};

on_both_homes! {
    a_batch_holds_what_it_was_given_and_an_item_is_undone_alone,
    what_is_not_committed_never_was,
    a_newer_schema_is_refused,
    restored_from_the_other_home_and_back,
}

/// A place for a journal.
fn place() -> (Place, Option<TempDir>) {
    if HERE.try_with(|()| ()).is_ok() {
        let address = apart(|| postgres::database(postgres::shared()));
        let server = Arc::new(Server::new(&address, None, None).unwrap());
        return (Storage::Postgres(server).journal("mew"), None);
    }
    let folder = tempfile::tempdir().unwrap();
    (Place::Sqlite(folder.path().join("journal.db")), Some(folder))
}

fn made(place: &Place) -> Journal {
    Journal::make(place, System.next(1)).unwrap()
}

fn entry(seq: i64, line: &str) -> Entry {
    Entry {
        seq,
        id: EntryId(System.next(1)),
        at: 5,
        scope: Scope::Agency,
        subject: Subject::Line(line.into()),
        actor: Actor::System,
        cause: None,
        version: 1,
        fact: LineChanged { line: line.into(), display_number: "شُبّاك".into() }.into(),
    }
}

async fn a_batch_holds_what_it_was_given_and_an_item_is_undone_alone() {
    let (place, _folder) = place();
    apart(|| {
        let mut journal = made(&place);
        let (staff, other) = (StaffId(System.next(1)), StaffId(System.next(1)));
        let (command, case) = (CommandId(System.next(1)), CaseId(System.next(1)));
        let outcome = Outcome::Accepted(vec![1]);
        let mut batch = journal.begin().unwrap();
        batch.look_ahead(&[[1; 32], [2; 32]], &[command]).unwrap();
        let mark = batch.mark();
        batch.append(&entry(1, "a")).unwrap();
        assert!(batch.first_seen(&[1; 32], 7).unwrap() && !batch.first_seen(&[1; 32], 7).unwrap());
        assert!(batch.first_seen(&[9; 32], 7).unwrap(), "one that was not asked for ahead");
        batch.answer(staff, command, &[3; 32], &outcome, 7).unwrap();
        batch.give_code(staff, command, 100).unwrap();
        batch.keep(mark).unwrap();

        let mark = batch.mark();
        batch.append(&entry(2, "b")).unwrap();
        assert!(batch.first_seen(&[2; 32], 7).unwrap());
        batch.give_code(other, command, 100).unwrap();
        assert!(batch.seen_up_to(staff, case, 3).unwrap());
        batch.hold_sending(8).unwrap();
        assert_eq!(batch.sending_held().unwrap(), Some(8));
        batch.undo(mark).unwrap();
        assert_eq!((batch.head().seq, batch.sending_held().unwrap()), (1, None));

        // A statement that fails spoils its own item, and nothing else.
        let mark = batch.mark();
        batch.add_device(&[4; 32], staff, "desk", 7).unwrap();
        assert!(batch.add_device(&[4; 32], other, "desk", 7).is_err(), "a token twice");
        batch.undo(mark).unwrap();

        // Nor does what no home can keep: it is found before the others are written with it.
        let mark = batch.mark();
        assert!(batch.append(&entry(2, "b\0")).is_err(), "NUL, which PostgreSQL has in no text");
        batch.undo(mark).unwrap();

        let mark = batch.mark();
        assert!(batch.first_seen(&[2; 32], 7).unwrap(), "what was undone was not seen");
        batch.append(&entry(2, "c")).unwrap();
        assert!(batch.append(&entry(2, "d")).is_err() && batch.append(&entry(4, "d")).is_err(), "seq is dense");
        assert!(batch.seen_up_to(staff, case, 5).unwrap() && !batch.seen_up_to(staff, case, 4).unwrap());
        batch.keep(mark).unwrap();
        // All of it can be read before it is written.
        assert_eq!(batch.answered(staff, command).unwrap(), Some(([3; 32], outcome.clone())));
        assert!(batch.is_anothers(other, command).unwrap() && !batch.is_anothers(staff, command).unwrap());
        let lines: Vec<_> = batch.entries_after(0, 9).unwrap().into_iter().map(|entry| entry.subject).collect();
        assert_eq!(lines, [Subject::Line("a".into()), Subject::Line("c".into())]);
        assert_eq!(batch.chain_at(2).unwrap(), Some(batch.head().chain));
        let head = batch.head().clone();
        batch.commit().unwrap();

        let reader = Reader::open(place.clone()).unwrap();
        assert_eq!(reader.head().unwrap(), head);
        assert_eq!(reader.entries_after(0, 9).unwrap().len(), 2);
        assert_eq!(reader.credential(staff).unwrap().code_command, Some(command));
        assert_eq!(reader.credential(other).unwrap().code_command, None);
        assert_eq!((reader.sending_held().unwrap(), reader.device(&[4; 32]).unwrap()), (None, None));
        assert_eq!(gateway::verify::journal(place.clone(), &[]).unwrap().unwrap(), head);
        let mut batch = journal.begin().unwrap();
        assert!([[1; 32], [2; 32], [9; 32]].iter().all(|item| !batch.first_seen(item, 8).unwrap()));
        assert_eq!(batch.answered(staff, command).unwrap(), Some(([3; 32], outcome)));
        assert!(batch.is_anothers(other, command).unwrap());
    });
}

async fn what_is_not_committed_never_was() {
    let (place, _folder) = place();
    apart(|| {
        let mut journal = made(&place);
        let head = journal.begin().unwrap().head().clone();
        let mut batch = journal.begin().unwrap();
        batch.append(&entry(1, "a")).unwrap();
        batch.hold_sending(1).unwrap();
        drop(batch);
        // Within a transaction in which something failed, a commit is an error and never a silent nothing.
        let mut batch = journal.begin().unwrap();
        batch.append(&entry(1, "a")).unwrap();
        batch.add_device(&[4; 32], StaffId(System.next(1)), "desk", 7).unwrap();
        let failed = batch.add_device(&[4; 32], StaffId(System.next(1)), "desk", 7).is_err();
        assert!(failed && (batch.commit().is_err() || matches!(place, Place::Sqlite(_))));
        // The same where nothing is left to be written before it: PostgreSQL then answers a bare `COMMIT` as if it held.
        let batch = journal.begin().unwrap();
        batch.add_device(&[5; 32], StaffId(System.next(1)), "desk", 7).unwrap();
        let failed = batch.add_device(&[5; 32], StaffId(System.next(1)), "desk", 7).is_err();
        assert!(failed && (batch.commit().is_err() || matches!(place, Place::Sqlite(_))), "it was said to hold");
        if matches!(place, Place::Postgres(..)) {
            let reader = Reader::open(place.clone()).unwrap();
            assert_eq!((reader.head().unwrap(), reader.sending_held().unwrap()), (head, None));
            assert_eq!(reader.device(&[5; 32]).unwrap(), None);
        }
    });
}

async fn a_newer_schema_is_refused() {
    let (place, _folder) = place();
    apart(|| {
        drop(made(&place));
        match &place {
            Place::Sqlite(file) => {
                rusqlite::Connection::open(file).unwrap().pragma_update(None, "user_version", 99).unwrap();
            }
            Place::Postgres(server, schema) => {
                let sql = format!("UPDATE \"{schema}\".schema_version SET version = 99");
                postgres::client(&server.to_string()).batch_execute(&sql).unwrap();
            }
        }
        let refused = Journal::open(&place).err().expect("it was opened");
        assert!(format!("{refused:#}").contains("99"), "{refused:#}");
    });
}

/// Everything of a table in a house, as text.
pub(crate) fn rows(house: &House, place: &Place, table: &str) -> Vec<String> {
    let mut rows: Vec<_> = house
        .ask(place, &format!("SELECT * FROM {table}"))
        .into_iter()
        .map(|row| format!("{:?}", row.into_values()))
        .collect();
    rows.sort();
    rows
}

/// A ministry moves from one home to the other: by backup and restore.
async fn restored_from_the_other_home_and_back() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let agent = admin.add("agent1", &["agent"], &["customer-service"]).await;
    let (_, case) = crate::house::writes(&served, &agent, "96550000001", "السلام عليكم").await;
    agent.must(serde_json::json!({"kind": "claim", "case": case})).await;
    // For a line that nobody configured: it waits among the deliveries.
    let aside = text("96550000001", &wamid(), "x").to_string().replace(crate::house::LINE, "99");
    served.deliver(&serde_json::from_str(&aside).unwrap()).await;
    // Somebody was erased: the ledger moves along, and stays where a restore brings back what was before.
    let (_, erased) = crate::house::writes(&served, &agent, "96550000009", "كلام").await;
    let lines = admin.sync("0").await;
    let opened = crate::house::entries(&lines, "case_opened");
    let contact = &opened.iter().find(|entry| entry["body"]["case"] == erased).unwrap()["body"]["contact"];
    admin.must(serde_json::json!({"kind": "erase_contact", "contact": contact, "reason": "1447/12"})).await;
    eventually("its end", async || (house.number("SELECT count(*) FROM erasing") == 0).then_some(())).await;
    served.stop().await;

    let elsewhere = tempfile::tempdir().unwrap();
    for name in ["app-secret", "verify-token", "token", "gateway.toml"] {
        std::fs::copy(house.folder.path().join(name), elsewhere.path().join(name)).unwrap();
    }
    let config = elsewhere.path().join("gateway.toml");
    let moved = if HERE.try_with(|()| ()).is_ok() {
        let text = std::fs::read_to_string(&config).unwrap();
        let address = text.split('"').find(|text| text.starts_with("postgres://")).unwrap();
        text.replace(address, "sqlite:data")
    } else {
        on_postgres(&config, &apart(|| postgres::database(postgres::shared())))
    };
    std::fs::write(&config, moved).unwrap();
    let kept = elsewhere.path().join("backup");
    let kept = kept.to_str().unwrap();
    for (config, arguments) in [(&house.config, ["backup", "--to", kept]), (&config, ["restore", "--from", kept])] {
        let output = run(config, &arguments);
        assert!(output.status.success(), "{}", said(&output));
    }
    let again = run(&config, &["restore", "--from", kept]);
    assert!(!again.status.success() && said(&again).contains("is not empty"), "{}", said(&again));

    let other = House { folder: elsewhere, config, clock: house.clock.clone(), code: house.code.clone() };
    let (from, to) = (house.storage().journal("mew"), other.storage().journal("mew"));
    for table in
        ["entries", "seen", "commands", "credentials", "devices", "attempts", "positions", "orphans", "familiar"]
    {
        assert_eq!(rows(&house, &from, table), rows(&other, &to, table), "{table}");
    }
    assert_eq!(rows(&other, &to, "holds").len(), 1);
    assert_ne!(rows(&house, &from, "head"), rows(&other, &to, "head"), "the journal has a new id");
    let (from, to) = (house.storage().deliveries(), other.storage().deliveries());
    for table in ["deliveries", "installation"] {
        assert_eq!(rows(&house, &from, table), rows(&other, &to, table), "{table}");
    }
    let ledger = |house: &House| apart(|| Ledger::open(&config::load(&house.config).unwrap()).unwrap().read().unwrap());
    assert_eq!((ledger(&house).len(), ledger(&other)), (1, ledger(&house)));
    let whole = run(&other.config, &["verify"]);
    assert!(whole.status.success(), "{}", said(&whole));
    // It serves there, and numbers on.
    let served = other.serve().await;
    let agent = crate::house::Person::at(&agent, &served.address);
    crate::house::writes(&served, &agent, "96550000002", "السلام عليكم").await;
    served.stop().await;
    other.verify();
}

/// Between the gateway and PostgreSQL: cuts the connection at the n-th `COMMIT`, before it arrives or before its answer.
async fn cutting(folder: std::path::PathBuf, cut: Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (folder, cut) = (folder.clone(), Arc::clone(&cut));
            tokio::spawn(async move {
                let mut server = UnixStream::connect(folder.join(".s.PGSQL.5432")).await.unwrap();
                let (mut up, mut down) = ([0; 65536], [0; 65536]);
                loop {
                    tokio::select! {
                        read = client.read(&mut up) => {
                            let Ok(read @ 1..) = read else { return };
                            let commits = up[..read].windows(8).any(|word| word == b"; COMMIT");
                            match if commits { cut.swap(0, Ordering::SeqCst) } else { 0 } {
                                1 => return,
                                2 => {
                                    server.write_all(&up[..read]).await.unwrap();
                                    let _ = server.read(&mut down).await;
                                    return;
                                }
                                _ => if server.write_all(&up[..read]).await.is_err() { return },
                            }
                        }
                        read = server.read(&mut down) => {
                            let Ok(read @ 1..) = read else { return };
                            if client.write_all(&down[..read]).await.is_err() { return }
                        }
                    }
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_which_nobody_knows_whether_it_holds_is_found_out() {
    let folder = apart(postgres::shared);
    let address = apart(|| postgres::database(folder));
    let house = House::new("http://127.0.0.1:9");
    let cut = Arc::new(AtomicUsize::new(0));
    let port = cutting(folder.to_owned(), Arc::clone(&cut)).await;
    let through = format!("postgres://shubbak@127.0.0.1:{port}/{}", address.rsplit('/').next().unwrap());
    std::fs::write(&house.config, on_postgres(&house.config, &through)).unwrap();
    let made = run(&house.config, &["init", "--json"]);
    assert!(made.status.success(), "{}", said(&made));
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let house = House { code: made["admins"][0]["code"].as_str().unwrap().to_owned(), ..house };
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let (_, case) = crate::house::writes(&served, &admin, "96550000001", "السلام عليكم").await;
    house.all_taken_in().await;
    let (mut answered, mut unanswered) = (0, 0);
    for n in 0..6 {
        let command =
            serde_json::json!([{"id": crate::house::uuid(), "kind": "add_note", "case": case, "text": n.to_string()}]);
        cut.store(1 + n % 2, Ordering::SeqCst);
        // What was cut is answered with neither yes nor no; the same again gets the one answer there is.
        let (first, _) = admin.commands(&command).await;
        if first == 200 {
            answered += 1
        } else {
            unanswered += 1
        }
        let answer = eventually("an answer", async || {
            let (status, answer) = admin.commands(&command).await;
            (status == 200).then_some(answer)
        })
        .await;
        assert!(answer[0]["accepted"].is_array(), "{answer}");
    }
    assert!(unanswered >= 4, "{unanswered} were cut, {answered} were answered: this showed nothing");
    assert_eq!(house.count("note_added"), 6);
    for n in 0..4 {
        let (id, known) = (wamid(), house.count("message_received"));
        cut.store(1 + n % 2, Ordering::SeqCst);
        eventually("200", async || {
            let status = deliver(&served.address, &text("96550000001", &id, "نعم")).await.unwrap();
            (status == 200).then_some(())
        })
        .await;
        eventually("the message", async || (house.count("message_received") > known).then_some(())).await;
    }
    house.all_taken_in().await;
    assert_eq!(house.count("message_received"), 5, "each once");
    // The records are those of the journal.
    let lines = admin.sync("0").await;
    assert_eq!(crate::house::entries(&lines, "note_added").len(), 6);
    served.stop().await;
    house.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_killed_under_load_and_nothing_that_was_answered_for_is_lost() {
    let own = apart(Own::start);
    let house = House::new("http://127.0.0.1:9");
    let database = apart(|| postgres::database(own.folder()));
    std::fs::write(&house.config, on_postgres(&house.config, &database)).unwrap();
    let made = run(&house.config, &["init", "--json"]);
    assert!(made.status.success(), "{}", said(&made));
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let house = House { code: made["admins"][0]["code"].as_str().unwrap().to_owned(), ..house };
    let program = Program::start(&house.config, "off", Stdio::inherit());
    let desk = Desk::sit_down(&program.address, &house.admin(&program.address).await).await;
    let promises = Arc::new(Promises::default());
    let mut kills = 0;
    while kills < 3 || promises.fewer_than(31, 4) {
        let load = Load::start(&program.address, &desk, &promises);
        tokio::time::sleep(Duration::from_millis(300 + kills % 3 * 150)).await;
        kills += 1;
        apart(|| own.kill());
        tokio::time::sleep(Duration::from_millis(200)).await;
        apart(|| own.start_again());
        eventually("it stores again", async || {
            let body = text("96550000001", &wamid(), "نعم");
            deliver(&program.address, &body).await.is_ok_and(|status| status == 200).then_some(())
        })
        .await;
        load.stop().await;
    }
    house.all_taken_in().await;
    program.kill();
    let (webhooks, notes) = promises.count();
    assert!(webhooks > 30 && notes > 3, "{webhooks} webhooks and {notes} notes were answered: this showed nothing");
    assert_eq!(promises.lost(&house), 0, "of {webhooks} webhooks and {notes} notes");
    house.verify();
}
