//! How long files stay: when nobody uses them, when their citizen is erased, and after a restore.

use serde_json::{Value, json};

use super::{DAY, Place, noise, status, uploaded};
use crate::{
    house::{House, Person, entries, eventually, writes},
    program::Program,
    restoring::{backup, elsewhere},
    s3::files,
    tampering::{run, said},
};

pub(super) mod what_nobody_uses_goes_after_thirty_days {
    use super::*;

    pub(in super::super) async fn holds(place: Place<'_>) {
        let served = place.house.serve().await;
        let admin = place.house.admin(&served.address).await;
        let clerk = admin.add("clerk", &["agent"], &["customer-service"]).await;
        let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
        let mut names = vec![];
        for n in 0..5 {
            names.push(uploaded(&clerk, &noise(n, 100)).await);
        }
        let [unused, used, renewed, anothers, young] = &names[..] else { panic!() };
        clerk.must(json!({"kind": "add_note", "case": case, "text": "العداد", "media": [used]})).await;
        place.house.clock.forward(20 * DAY);
        uploaded(&clerk, &noise(2, 100)).await;
        uploaded(&admin, &noise(3, 100)).await;
        uploaded(&admin, &noise(4, 100)).await;
        place.house.clock.forward(11 * DAY);
        served.stop().await;
        let served = place.house.serve().await;
        let left = |names: &[&String]| {
            let mut left: Vec<_> = names.iter().map(|name| format!("mew/{name}")).collect();
            left.sort();
            left
        };
        let expected = left(&[used, renewed, anothers, young]);
        eventually("it is swept", async || (place.kept().await == expected).then_some(())).await;
        let rows = async |count| eventually("rows", async || (place.uploads() == count).then_some(())).await;
        rows(3).await;
        let clerk = Person::at(&clerk, &served.address);
        let admin = Person::at(&admin, &served.address);
        for (name, clerks, admins) in [(unused, 404, 404), (used, 200, 200), (renewed, 200, 404), (anothers, 404, 200)]
        {
            assert_eq!((status(&clerk, name).await, status(&admin, name).await), (clerks, admins));
        }
        // What is gone can be sent again.
        uploaded(&clerk, &noise(0, 100)).await;
        assert_eq!(status(&clerk, unused).await, 200);
        place.house.clock.forward(31 * DAY);
        served.stop().await;
        let served = place.house.serve().await;
        let expected = left(&[used]);
        eventually("the rest is swept", async || (place.kept().await == expected).then_some(())).await;
        rows(0).await;
        assert_eq!(status(&Person::at(&admin, &served.address), used).await, 200, "as long as the case has it");
        served.stop().await;
        place.house.verify();
    }
}

pub(super) mod who_is_erased_takes_their_files_along {
    use super::*;

    pub(in super::super) async fn holds(place: Place<'_>) {
        let served = place.house.serve().await;
        let admin = place.house.admin(&served.address).await;
        let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
        let (_, another) = writes(&served, &admin, "96550000002", "السلام عليكم").await;
        let (theirs, shared) = (uploaded(&admin, &noise(1, 100)).await, uploaded(&admin, &noise(2, 100)).await);
        for (case, media) in [(&case, json!([theirs, shared])), (&another, json!([shared]))] {
            admin.must(json!({"kind": "add_note", "case": case, "text": "العداد", "media": media})).await;
        }
        let lines = admin.sync("0").await;
        let opened = entries(&lines, "case_opened").into_iter().find(|entry| entry["body"]["case"] == case).unwrap();
        let contact = opened["body"]["contact"].clone();
        let kept = tempfile::tempdir().unwrap();
        let from = kept.path().join("backup");
        let (config, to) = (place.house.config.clone(), from.clone());
        tokio::task::spawn_blocking(move || backup(&config, &to)).await.unwrap();

        admin.must(json!({"kind": "erase_contact", "contact": contact, "reason": "1447/12"})).await;
        let expected = [format!("mew/{shared}")];
        eventually("their file is gone", async || (place.kept().await == expected).then_some(())).await;
        assert_eq!((status(&admin, &theirs).await, status(&admin, &shared).await), (404, 200));
        served.stop().await;
        place.house.verify();

        // A backup from before does not bring it back, though the file does come back with its own.
        if place.s3.is_none() {
            let (folder, config) = elsewhere(&place.house);
            if place.house.storage().ledger().is_none() {
                let ledger = "erasures.jsonl";
                std::fs::copy(place.house.folder.path().join(ledger), folder.path().join(ledger)).unwrap();
            }
            let media = folder.path().join("media/mew");
            std::fs::create_dir_all(&media).unwrap();
            std::fs::write(media.join(&theirs), noise(1, 100)).unwrap();
            std::fs::write(media.join(&shared), noise(2, 100)).unwrap();
            let output = run(&config, &["restore", "--json", "--from", from.to_str().unwrap()]);
            assert!(output.status.success(), "{}", said(&output));
            assert_eq!(files(&folder.path().join("media")), expected);
            let restored: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(restored["missing_media"], 0);
            let program = Program::start(&config, "error", std::process::Stdio::inherit());
            let (clock, code) = (place.house.clock.clone(), place.house.code.clone());
            let house = House { folder, config, clock, code };
            let left = || (house.number("SELECT count(*) FROM erasing"), house.number("SELECT count(*) FROM uploads"));
            eventually("their upload is forgotten", async || (left() == (0, 1)).then_some(())).await;
            program.kill();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_tells_which_files_are_missing() {
    let place = Place::in_a_folder();
    let served = place.house.serve().await;
    let admin = place.house.admin(&served.address).await;
    let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let mut names = vec![];
    for n in 0..3 {
        names.push(uploaded(&admin, &noise(n, 100)).await);
    }
    uploaded(&admin, &noise(9, 100)).await;
    admin.must(json!({"kind": "add_note", "case": case, "text": "العداد", "media": names})).await;
    served.stop().await;
    let kept = tempfile::tempdir().unwrap();
    backup(&place.house.config, &kept.path().join("backup"));
    let (folder, config) = elsewhere(&place.house);
    std::fs::create_dir_all(folder.path().join("media/mew")).unwrap();
    let file = |folder: &std::path::Path, name: &str| folder.join("media/mew").join(name);
    std::fs::copy(file(place.house.folder.path(), &names[1]), file(folder.path(), &names[1])).unwrap();
    let from = kept.path().join("backup");
    let output = run(&config, &["restore", "--json", "--from", from.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    let restored: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(restored["missing_media"], 2, "what nobody uses is not missed");
}
