//! Commands: answered once and for ever; two people never own one case.

use serde_json::json;

use crate::house::{House, entries, uuid, writes};

crate::postgres::on_both_homes! {
    the_same_command_gets_the_same_answer,
    two_who_claim_at_once_do_not_both_get_it,
    case_numbers_are_dense,
}

async fn the_same_command_gets_the_same_answer() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let agent = admin.add("agent1", &["agent"], &["customer-service"]).await;

    let note = json!({"id": uuid(), "kind": "add_note", "case": case, "text": "اتصلت به"});
    let first = agent.must(note.clone()).await;
    let mut same = vec![];
    for _ in 0..5 {
        same.push(agent.ask(note.clone()).await);
    }
    assert!(same.iter().all(|again| *again == first), "{first} {same:?}");
    let both = agent.commands(&json!([note, note])).await.1;
    assert_eq!(both, json!([first, first]));
    assert_eq!(house.count("note_added"), 1);

    let mut other = note.clone();
    other["text"] = "شيء آخر".into();
    assert_eq!(agent.ask(other).await["refused"]["code"], "id_reused");
    // What a command makes bears its id, so nobody else's may have it.
    assert_eq!(admin.ask(note.clone()).await["refused"]["code"], "id_reused");

    // A refusal is an answer too, and stays one when it would be decided otherwise by now.
    let reopen = json!({"id": uuid(), "kind": "reopen_case", "case": case});
    let refused = agent.ask(reopen.clone()).await;
    assert_eq!(refused["refused"]["code"], "not_closed");
    agent.must(json!({"kind": "close_case", "case": case, "outcome": "done"})).await;
    assert_eq!(agent.ask(reopen.clone()).await, refused);

    served.stop().await;
    let served = house.serve().await;
    let agent = crate::house::sign_in(
        &served.address,
        &json!({"agency": "mew", "username": "agent1", "password": crate::house::PASSWORD, "device": "another"}),
    )
    .await;
    assert_eq!(agent.ask(note).await, first, "a restart changes no answer");
    assert_eq!(agent.ask(reopen).await, refused);
    assert_eq!(house.count("note_added"), 1);
    served.stop().await;
    house.verify();
}

async fn two_who_claim_at_once_do_not_both_get_it() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let mut people = vec![];
    for name in ["one", "two", "three", "four"] {
        people.push(admin.add(name, &["agent"], &["customer-service"]).await);
    }
    for round in 0..10 {
        let (_, case) = writes(&served, &admin, &format!("9655000000{round}"), "مرحبا").await;
        let claims = people.iter().map(|person| {
            let (person, case) = (person.clone(), case.clone());
            tokio::spawn(async move { (person.id.clone(), person.ask(json!({"kind": "claim", "case": case})).await) })
        });
        let mut owners = vec![];
        for claim in claims.collect::<Vec<_>>() {
            let (who, answer) = claim.await.unwrap();
            if answer["accepted"].is_array() {
                owners.push(who);
            } else {
                assert_eq!(answer["refused"]["code"], "owned", "{answer}");
            }
        }
        assert_eq!(owners.len(), 1, "round {round}: {owners:?}");
        let lines = admin.sync("0").await;
        let assigned: Vec<_> =
            entries(&lines, "case_assigned").into_iter().filter(|entry| entry["body"]["case"] == case).collect();
        assert_eq!(assigned.len(), 1);
        assert_eq!(assigned[0]["body"]["staff"], owners[0]);
    }
    served.stop().await;
    house.verify();
}

async fn case_numbers_are_dense() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let writers = (0..20).map(|n| {
        let address = served.address.clone();
        tokio::spawn(async move {
            let body = crate::house::text(&format!("965510000{n:02}"), &crate::house::wamid(), "مرحبا");
            crate::house::deliver(&address, &body).await.unwrap()
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        assert_eq!(writer.await.unwrap(), 200);
    }
    let numbers = crate::house::eventually("twenty cases", async || {
        let lines = admin.sync("0").await;
        let numbers: Vec<String> =
            entries(&lines, "case_opened").iter().map(|entry| entry["body"]["number"].to_string()).collect();
        (numbers.len() == 20).then_some(numbers)
    })
    .await;
    for (number, place) in numbers.iter().zip(1..) {
        assert!(number.ends_with(&format!("-{place:06}\"")), "{numbers:?}");
    }
    served.stop().await;
}
