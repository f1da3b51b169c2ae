//! How SQLite goes about what is asked all the time: nothing of it may read the whole history.

use domain::ids::StaffId;
use rusqlite::Connection;
use uuid::Uuid;

use crate::{
    Records,
    list::{self, Order, Which},
    outgoing, standing,
};

#[test]
fn nothing_asked_all_the_time_reads_the_whole_history() {
    let records = Records::open(Connection::open_in_memory().unwrap()).unwrap();
    let me = StaffId(Uuid::nil());
    let mut asked = vec![list::COUNTS.to_owned(), outgoing::OUTGOING.to_owned(), outgoing::UNDER_WAY.to_owned()];
    asked.extend([standing::PENDING, standing::FIRST, standing::LAST, standing::RECEIVED].map(str::to_owned));
    asked.extend(
        [Which::Mine(me), Which::Unassigned, Which::Team(me), Which::Waiting, Which::Closing(0, 1), Which::Open]
            .into_iter()
            .flat_map(|which| [Order::Latest, Order::Longest].map(|order| list::sql(which, order))),
    );
    for sql in asked {
        let mut explain = records.connection().prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        // Unbound parameters are NULL.
        let mut found = explain.raw_query();
        while let Some(row) = found.next().unwrap() {
            let step: String = row.get(3).unwrap();
            // These hold what needs attention and what is under way; `t` are the teams of one person; conversations are counted in an index alone, and a
            // subquery is what another step has found.
            let small = [
                "INDEX cases_needing",
                "INDEX messages_outgoing",
                "INDEX messages_under_way",
                "SCAN (subquery",
                "SCAN t VIRTUAL TABLE",
                "SCAN conversations USING COVERING INDEX",
            ];
            let reads_all = step.starts_with("SCAN") && !small.iter().any(|small| step.contains(small));
            assert!(!reads_all, "{step} for {sql}");
        }
    }
}
