//! Disks that fail, and disks that are full.

use std::{
    collections::HashSet,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    disk_faults::DiskFaults,
    house::{House, deliver, eventually, http, text, wamid},
    program::Program,
};

/// Everything that the journal has received, each exactly once.
fn received(house: &House, data: &str) -> HashSet<String> {
    let conn = rusqlite::Connection::open(house.folder.path().join(data).join("mew/journal.db")).unwrap();
    let mut select =
        conn.prepare("SELECT json_extract(body, '$.wamid') FROM entries WHERE kind = 'message_received'").unwrap();
    let all: Vec<String> = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let once: HashSet<String> = all.iter().cloned().collect();
    assert_eq!(once.len(), all.len(), "a message is in the journal twice");
    once
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_fsync_that_fails_ends_the_gateway_and_nothing_is_answered_200_after_it() {
    let house = House::new("http://127.0.0.1:9");
    let Some(faults) = DiskFaults::new() else { return };
    let log = house.folder.path().join("log");
    let mut program = faults.start(&house, File::create(&log).unwrap().into());
    let mut answered = HashSet::new();
    for _ in 0..5 {
        let id = wamid();
        assert_eq!(deliver(&program.address, &text("96550000001", &id, "نعم")).await.unwrap(), 200);
        answered.insert(id);
    }
    eventually("the journal", async || (received(&house, "data").len() == 5).then_some(())).await;
    faults.fail_syncs();
    let senders: Vec<_> = (0..8)
        .map(|sender| {
            let address = program.address.clone();
            tokio::spawn(async move {
                deliver(&address, &text(&format!("9655000001{sender}"), &wamid(), "نعم")).await.ok()
            })
        })
        .collect();
    for sender in senders {
        assert_ne!(sender.await.unwrap(), Some(200), "answered after a failed fsync");
    }
    let code = eventually("its end", async || program.ended()).await;
    assert_eq!(code, gateway::sqlite::NOT_DURABLE);
    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(logged.contains("An fsync failed") && logged.contains("not_durable"), "{logged}");

    let program = Program::start(&house.config, "error", Stdio::inherit());
    eventually("ready", async || {
        let answer = http().get(format!("{}/readyz", program.address)).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
    let id = wamid();
    assert_eq!(deliver(&program.address, &text("96550000001", &id, "نعم")).await.unwrap(), 200);
    answered.insert(id);
    eventually("all of it", async || answered.is_subset(&received(&house, "data")).then_some(())).await;
    program.kill();
    house.verify();
}

/// A file system of its own, small enough to be filled.
struct Small(PathBuf);

impl Small {
    fn mount(path: &Path) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(path).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(path.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_answered_503_and_it_goes_on_once_there_is_room() {
    let house = House::new("http://127.0.0.1:9");
    let Some(small) = Small::mount(&house.folder.path().join("small")) else {
        println!("Skipped: a small file system cannot be mounted here");
        return;
    };
    std::fs::write(small.0.join("ballast"), vec![7; 4 << 20]).unwrap();
    house.configure("sqlite:data", "sqlite:small");
    house.configure("records = \"data\"", "records = \"small\"");
    let config = gateway::config::load(&house.config).unwrap();
    gateway::init::init(&config, house.clock.clone(), std::sync::Arc::new(domain::ids::System)).unwrap();
    let served = house.serve().await;
    let (mut answered, mut full) = (HashSet::new(), 0);
    let words = "انقطعت الكهرباء عن المنطقة كلها منذ الصباح ".repeat(8);
    for _ in 0..2000 {
        let id = wamid();
        match deliver(&served.address, &text("96550000001", &id, &words)).await.unwrap() {
            200 => {
                answered.insert(id);
            }
            503 => full += 1,
            other => panic!("answered {other}"),
        }
        if full >= 20 {
            break;
        }
    }
    assert!(full >= 20, "the disk was never full");
    assert!(answered.len() > 20, "{} were answered 200: this showed nothing", answered.len());

    std::fs::remove_file(small.0.join("ballast")).unwrap();
    eventually("room", async || {
        let id = wamid();
        let stored = deliver(&served.address, &text("96550000001", &id, "نعم")).await.unwrap() == 200;
        if !stored {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        stored.then(|| answered.insert(id))
    })
    .await;
    eventually("everything that was answered 200", async || {
        answered.is_subset(&received(&house, "small")).then_some(())
    })
    .await;
    assert_eq!(received(&house, "small"), answered, "what was answered 503 is in the journal all the same");
    served.stop().await;
}
