//! Many files at once: no more memory than a few take, and nothing that was taken is lost to the sweep.

use std::{collections::BTreeMap, process::Stdio};

use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    house::{House, Person, http, writes},
    media::{DAY, noise, sha256, status, upload, uploaded},
    program::Program,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_files_at_once_take_the_memory_of_a_few() {
    let house = House::new("http://127.0.0.1:9");
    house.configure("records = \"data\"", "records = \"data\"\nmedia = \"file:media\"");
    let program = Program::start(&house.config, "error", Stdio::inherit());
    let admin = house.admin(&program.address).await;
    let clerk = admin.add("clerk", &["agent"], &["customer-service"]).await;
    uploaded(&admin, &noise(0, 100)).await;
    let before = program.most_memory();
    let body = axum::body::Bytes::from(noise(1, 400_000));
    let mut asked = JoinSet::new();
    for n in 0..1000_u32 {
        let mut bytes = body.to_vec();
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        let person = if n % 2 == 0 { &admin } else { &clerk };
        let request = http().post(format!("{}/api/v1/media", program.address)).bearer_auth(&person.token).body(bytes);
        // Whoever is still sending when it is refused may see the connection break before the answer.
        asked.spawn(async move { request.send().await.map_or(503, |answer| answer.status().as_u16()) });
    }
    let mut answers = BTreeMap::<u16, usize>::new();
    while let Some(status) = asked.join_next().await {
        *answers.entry(status.unwrap()).or_default() += 1;
    }
    assert!(answers.keys().eq([&201, &503]), "{answers:?}");
    assert!(answers[&201] >= 20, "{answers:?}");
    let more = program.most_memory() - before;
    assert!(more < 50 << 10, "{more} KiB more");
    uploaded(&clerk, &noise(2, 400_000)).await;
    program.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_anew_while_it_is_swept_is_there() {
    const FILES: u64 = 150;
    let house = House::new("http://127.0.0.1:9");
    house.configure("records = \"data\"", "records = \"data\"\nmedia = \"file:media\"");
    let served = house.serve_with(|config| config.limits.commands_per_minute = 100_000).await;
    let admin = house.admin(&served.address).await;
    let clerk = admin.add("clerk", &["agent"], &["customer-service"]).await;
    let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    for n in 0..FILES {
        uploaded(&admin, &noise(n, 1000)).await;
    }
    house.clock.forward(31 * DAY);
    served.stop().await;
    // The sweep begins with the gateway.
    let served = house.serve_with(|config| config.limits.commands_per_minute = 100_000).await;
    let clerk = Person::at(&clerk, &served.address);
    let mut asked = JoinSet::new();
    for n in 0..FILES {
        let (clerk, case) = (clerk.clone(), case.clone());
        asked.spawn(async move {
            let bytes = noise(n, 1000);
            while upload(&clerk, &bytes, None).await.0 != 201 {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            let name = sha256(&bytes);
            clerk.must(json!({"kind": "add_note", "case": case, "text": "العداد", "media": [name]})).await;
            name
        });
    }
    let names = asked.join_all().await;
    let left = || house.journal().query_row("SELECT count(*) FROM uploads", [], |row| row.get::<_, i64>(0)).unwrap();
    crate::house::eventually("the old uploads are gone", async || {
        (left() == i64::try_from(FILES).unwrap()).then_some(())
    })
    .await;
    for name in names {
        assert_eq!(status(&clerk, &name).await, 200);
    }
    served.stop().await;
    house.verify();
}
