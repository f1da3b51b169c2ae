//! What a program's whole tree of processes takes, on Linux.

use std::{collections::BTreeMap, fs, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};

/// A process, and everything that it started, and what that started.
pub(crate) fn tree(root: u32) -> Result<Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").context("Listing processes, which this program can on Linux alone")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended meanwhile.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        children.entry(parent.unwrap_or_default()).or_default().push(pid);
    }
    let (mut found, mut next) = (vec![root], 0);
    while let Some(pid) = found.get(next).copied() {
        found.extend(children.get(&pid).into_iter().flatten());
        next += 1;
    }
    Ok(found)
}

/// The memory of processes, in MiB: what they share counts once, a part for each (PSS).
pub(crate) fn memory(pids: &[u32]) -> Result<f64> {
    let mut kib = 0.0;
    for pid in pids {
        let Ok(rollup) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else { continue };
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        // One that has ended and was not asked for yet has none.
        let Some(line) = line else { continue };
        kib += line.trim().trim_end_matches("kB").trim().parse::<f64>().context("Reading a process's memory")?;
    }
    ensure!(kib > 0.0, "No memory of {pids:?} could be read");
    Ok(kib / 1024.0)
}

/// The processor time that processes have had, in clock ticks (1/100 s).
pub(crate) fn processor_time(pids: &[u32]) -> u64 {
    let of = |pid: &u32| -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        Some(rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum())
    };
    pids.iter().filter_map(of).sum()
}

/// Asks a process to end, and waits until it is gone.
pub(crate) async fn end(pid: u32) -> Result<()> {
    let told = Command::new("kill").arg(pid.to_string()).status().context("Ending a process")?;
    ensure!(told.success(), "The process {pid} could not be told to end");
    for _ in 0..600 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z')) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("The process {pid} does not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tree_has_its_grandchildren_and_memory_and_ends() {
        let mut shell = Command::new("sh").args(["-c", "sh -c 'sleep 60; true'; true"]).spawn().unwrap();
        let mut found = Vec::new();
        for _ in 0..200 {
            found = tree(shell.id()).unwrap();
            if found.len() == 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!((found.len(), found[0]), (3, shell.id()));
        assert!(memory(&found).unwrap() > memory(&found[2..]).unwrap());
        for pid in found.into_iter().rev() {
            let _ = end(pid).await;
        }
        shell.wait().unwrap();
    }
}
