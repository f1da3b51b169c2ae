//! `--steered`: a test tells the stage what to do, a line each on standard input, and gets a JSON line for each. When
//! the input ends, because the test has ended in whatever way, so does the stage.

use std::io;

use anyhow::{Result, bail};
use serde_json::json;

use crate::stage::Stage;

/// Obeys until the input ends.
pub(crate) fn obey(stage: &mut Stage) -> Result<()> {
    for line in io::stdin().lines() {
        let line = line?;
        match follow(stage, line.trim()) {
            Ok(()) => println!("{}", json!({"done": line})),
            Err(error) => println!("{}", json!({"error": format!("{error:#}")})),
        }
    }
    Ok(())
}

fn follow(stage: &mut Stage, line: &str) -> Result<()> {
    match line {
        "gateway stop" => stage.stop_gateway(),
        "gateway kill" => stage.kill_gateway()?,
        "gateway start" => stage.start_gateway()?,
        _ => bail!("Not an order: {line:?}"),
    }
    Ok(())
}
