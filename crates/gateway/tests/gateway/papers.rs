//! `docs/protocol.md` names everything that is built.

use domain::{
    command::{Ask, Code},
    entry::KINDS,
};
use gateway::failure::Failure;

#[test]
fn the_protocol_names_every_kind_command_and_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    let text = std::fs::read_to_string(path).unwrap();
    let every = [KINDS, Ask::KINDS, Code::ALL, Failure::CODES].concat();
    let missing: Vec<_> = every.iter().filter(|name| !text.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/protocol.md does not name: {missing:?}");
    for path in [
        "/webhooks/whatsapp",
        "/api/v1/session",
        "/api/v1/sync",
        "/api/v1/live",
        "/api/v1/commands",
        "/api/v1/cases/{id}/entries",
        "/healthz",
        "/readyz",
    ] {
        assert!(text.contains(path), "docs/protocol.md does not name {path}");
    }
}

#[test]
fn the_limits_on_paper_are_those_in_force() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    let text = std::fs::read_to_string(path).unwrap();
    let block = text.split("\n[limits]").nth(1).unwrap().split("\n\n").next().unwrap();
    let lines: Vec<_> = block.lines().skip(1).collect();
    assert_eq!(lines.len(), 6, "{block}");
    let written: gateway::connections::Limits = toml::from_str(&lines.join("\n")).unwrap();
    assert_eq!(format!("{written:?}"), format!("{:?}", gateway::connections::Limits::default()));
}
