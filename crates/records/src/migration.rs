//! Schema versions, kept in SQLite's `user_version`. Migrations only ever go forward, each in one transaction with the
//! step of the version, so a crash leaves the old schema or the new one and never half; a file from a newer program is
//! refused. (`rusqlite_migration` would do the same, but follows SQLCipher's releases too late for the SQLite version
//! that we require.)

use rusqlite::Connection;

use crate::Error;

/// Brings a file to the last of `steps`. Released steps are never edited; new ones are added at the end.
pub fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), Error> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let found = usize::try_from(found).map_err(|_| Error::Version { found, newest: steps.len() })?;
    if found > steps.len() {
        return Err(Error::Version { found: i64::try_from(found).unwrap_or(i64::MAX), newest: steps.len() });
    }
    for (index, step) in steps.iter().enumerate().skip(found) {
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.execute_batch(&format!("PRAGMA user_version = {}", index + 1))?;
        transaction.commit()?;
    }
    Ok(())
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
    fn a_newer_file_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("PRAGMA user_version = 9").unwrap();
        assert!(matches!(migrate(&mut connection, &["SELECT 1"]), Err(Error::Version { found: 9, newest: 1 })));
    }
}
