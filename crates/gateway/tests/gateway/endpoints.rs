//! Webhook endpoints: each speaks for its own lines, by its own secrets, two while one is rotated.

use domain::ids::{Clock, System};
use serde_json::{Value, json};

use crate::house::{House, eventually, http, message, text, wamid};

const OTHER: &str = "200000000000001";

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_speaks_for_its_own_lines_by_its_own_secrets() {
    let house = House::new("http://127.0.0.1:9");
    house.add_agency("moci", OTHER);
    let write = |name: &str, text: &str| std::fs::write(house.folder.path().join(name), text).unwrap();
    write("new", "the new secret");
    write("old", "the old secret");
    let config = std::fs::read_to_string(&house.config).unwrap();
    let more = format!(
        "[[webhook]]\npath = \"/webhooks/moci\"\nkind = \"header\"\nheader = \"X-Agreed\"\n\
         secret_files = [\"new\", \"old\"]\nlines = [{OTHER:?}]\n"
    );
    std::fs::write(&house.config, config + &more).unwrap();
    let served = house.serve().await;
    let post = async |value: Option<&str>, body: &Value| {
        let mut request = http().post(format!("{}/webhooks/moci", served.address)).json(body);
        if let Some(value) = value {
            request = request.header("x-agreed", value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let theirs = || message(OTHER, "96550000001", &wamid(), System.now(), "text", &json!({"body": "شكوى"}));
    assert_eq!(post(None, &theirs()).await, 401);
    assert_eq!(post(Some("the app's secret"), &theirs()).await, 401, "another endpoint's secret");
    assert_eq!(post(Some("the new secret"), &theirs()).await, 200);
    assert_eq!(post(Some("the old secret"), &theirs()).await, 200);
    let moci = rusqlite::Connection::open(house.folder.path().join("data/moci/journal.db")).unwrap();
    let received = || -> i64 {
        moci.query_row("SELECT count(*) FROM entries WHERE kind = 'message_received'", [], |row| row.get(0)).unwrap()
    };
    eventually("both", async || (received() == 2).then_some(())).await;

    // Each for the other's line: kept, and never believed.
    assert_eq!(post(Some("the new secret"), &text("96550000002", &wamid(), "باسم غيري")).await, 200);
    served.deliver(&theirs()).await;
    let reasons = || -> Vec<String> {
        let conn = house.deliveries();
        let mut select = conn.prepare("SELECT reason FROM deliveries WHERE state = 'aside'").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let reasons = eventually("two set aside", async || Some(reasons()).filter(|reasons| reasons.len() == 2)).await;
    assert_eq!(reasons, ["the endpoint may not speak for the line"; 2]);
    assert_eq!((received(), house.count("message_received")), (2, 0));
    served.stop().await;
}
