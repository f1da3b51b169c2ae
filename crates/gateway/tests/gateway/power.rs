//! The power goes: whatever no fsync has made durable is taken back, and nothing that was answered for is missing.

use std::{process::Stdio, sync::Arc, time::Duration};

use serde_json::json;

use crate::{
    disk_faults::{DiskFaults, Image, Unsynced},
    extent::{chance, counted, times},
    house::House,
    load::{Desk, Load, Promises},
    program::Program,
};

/// Cuts the power so often under load; what was promised.
async fn cut(house: &House, faults: &DiskFaults, cuts: usize, fates: &[Unsynced]) -> Arc<Promises> {
    let mut chance = chance();
    let promises = Arc::new(Promises::default());
    let program = Program::start(&house.config, "error", Stdio::inherit());
    let desk = Desk::sit_down(&program.address, &house.admin(&program.address).await).await;
    program.kill();
    for n in 0..cuts {
        let before = Image::take(house);
        let program = faults.start(house, Stdio::inherit());
        let load = Load::start(&program.address, &desk, &promises);
        tokio::time::sleep(Duration::from_millis(chance.u64(50..400))).await;
        // Not before there is something to lose, however slow the machine.
        while n + 1 == cuts && promises.fewer_than(cuts + 1, 1) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        program.kill();
        load.stop().await;
        before.after_power_cut(faults, fates[n % fates.len()], &mut chance).put(house);
    }
    promises
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_for_survives_it() {
    let Some(faults) = DiskFaults::new() else { return };
    let house = House::new("http://127.0.0.1:9");
    let cuts = times(5, 50, 500);
    let promises = cut(&house, &faults, cuts, &[Unsynced::Lost, Unsynced::Torn, Unsynced::Kept]).await;
    let program = Program::start(&house.config, "error", Stdio::inherit());
    house.all_taken_in().await;
    program.kill();
    let (webhooks, notes) = promises.count();
    let lost = promises.lost(&house);
    counted(json!({"cuts": cuts, "webhooks": webhooks, "notes": notes, "lost": lost}));
    assert!(webhooks > cuts && notes > 0, "{webhooks} webhooks and {notes} notes were answered: this showed nothing");
    assert_eq!(lost, 0, "of {webhooks} webhooks and {notes} notes");
    house.verify();
}

/// The same against a disk that forgets each commit of the WAL, as a program with `synchronous=NORMAL` would have it: this
/// is how the test above is known to see a loss.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_syncs_it_would_not() {
    let Some(mut faults) = DiskFaults::new() else { return };
    faults.forget("-wal");
    let house = House::new("http://127.0.0.1:9");
    let promises = cut(&house, &faults, 1, &[Unsynced::Lost]).await;
    let (webhooks, notes) = promises.count();
    // What does not even serve any more has lost everything.
    let Some(program) = Program::try_start(&house.config, "error", Stdio::inherit(), &[]) else {
        counted(json!({"cuts": 1, "webhooks": webhooks, "notes": notes, "lost": webhooks + notes}));
        return;
    };
    house.all_taken_in().await;
    program.kill();
    let lost = promises.lost(&house);
    counted(json!({"cuts": 1, "webhooks": webhooks, "notes": notes, "lost": lost}));
    assert!(lost > 0, "{webhooks} webhooks and {notes} notes survived without any sync: the power was not cut");
}
