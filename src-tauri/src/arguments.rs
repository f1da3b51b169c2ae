//! The command line.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use sha2::{Digest, Sha256};

/// Answers citizens on WhatsApp, at the desk of a ministry.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Where this workstation keeps its data, instead of the system's folder for it. Each such folder has a window of
    /// its own
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Sign in with what stands in this TOML file (gateway, agency, username, password, code), so that nobody types:
    /// for demonstrations, training and tests
    #[arg(long, value_name = "FILE")]
    pub(crate) sign_in_from: Option<PathBuf>,
    /// Start in the tray
    #[arg(long)]
    pub(crate) hidden: bool,
}

impl Arguments {
    /// By what name a second start finds the first: the program's, and with a data folder of its own another one.
    pub(crate) fn identity(&self, program: &str) -> anyhow::Result<String> {
        let Some(data) = &self.data else { return Ok(program.to_owned()) };
        std::fs::create_dir_all(data).with_context(|| format!("Making {}", data.display()))?;
        let data = data.canonicalize().with_context(|| format!("Finding {}", data.display()))?;
        let digest = Sha256::digest(data.to_string_lossy().as_bytes());
        let short: String = data_encoding::HEXLOWER.encode(&digest).chars().take(16).collect();
        Ok(format!("{program}.at{short}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_data_folder_has_a_window_of_its_own() {
        let base = std::env::temp_dir().join("shubbak-identity");
        let identity = |arguments: &[&str]| {
            Arguments::parse_from([&["shubbak"], arguments].concat()).identity("org.shubbak.desk").unwrap()
        };
        let (one, other) = (base.join("one"), base.join("other"));
        let (one, other) = (one.to_str().unwrap(), other.to_str().unwrap());
        assert_eq!(identity(&[]), "org.shubbak.desk");
        assert_ne!(identity(&["--data", one]), identity(&["--data", other]));
        assert_eq!(identity(&["--data", one]), identity(&["--data", &format!("{other}/../one")]));
        std::fs::remove_dir_all(base).unwrap();
    }
}
