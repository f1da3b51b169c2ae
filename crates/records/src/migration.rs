//! Schema versions, kept in SQLite's `user_version`. Migrations only ever go forward, each in one transaction with the
//! step of the version, so a crash leaves the old schema or the new one and never half; a file from a newer program is
//! refused. (`rusqlite_migration` would do the same, but follows SQLCipher's releases too late for the SQLite version
//! that we require.)

use rusqlite::{Connection, TransactionBehavior};

use crate::Error;

/// Brings a file to the last of `steps`. Released steps are never edited; new ones are added at the end.
pub fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), Error> {
    // Most files are up to date, and then nobody who writes has to be waited for.
    while version(connection, steps)? < steps.len() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another program may have taken the step while this one waited for the lock.
        let done = version(&transaction, steps)?;
        if let Some(step) = steps.get(done) {
            transaction.execute_batch(step)?;
            transaction.execute_batch(&format!("PRAGMA user_version = {}", done + 1))?;
        }
        transaction.commit()?;
    }
    Ok(())
}

fn version(connection: &Connection, steps: &[&str]) -> Result<usize, Error> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let newer = Error::Version { found, newest: steps.len() };
    usize::try_from(found).ok().filter(|version| *version <= steps.len()).ok_or(newer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_step_is_taken_whole_or_not_at_all() {
        let mut connection = Connection::open_in_memory().unwrap();
        let good = "CREATE TABLE a (x INTEGER) STRICT";
        assert!(migrate(&mut connection, &[good, "CREATE TABLE b (x INTEGER) STRICT; nonsense"]).is_err());
        assert_eq!(version(&connection), 1);
        assert!(connection.execute_batch("SELECT * FROM b").is_err(), "half a step was kept");
        migrate(&mut connection, &[good, "CREATE TABLE b (x INTEGER) STRICT"]).unwrap();
        assert_eq!(version(&connection), 2);
    }

    #[test]
    fn two_that_open_a_file_at_once_take_each_step_once() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..20 {
            let path = folder.path().join(format!("{round}.db"));
            let steps: Vec<String> = (0..10).map(|n| format!("CREATE TABLE t{n} (x INTEGER) STRICT")).collect();
            let open = || {
                let mut connection = Connection::open(&path).unwrap();
                connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
                migrate(&mut connection, &steps.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
                assert_eq!(version(&connection), 10);
            };
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(open);
                }
            });
        }
    }

    #[test]
    fn a_newer_file_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("PRAGMA user_version = 9").unwrap();
        assert!(matches!(migrate(&mut connection, &["SELECT 1"]), Err(Error::Version { found: 9, newest: 1 })));
    }
}
