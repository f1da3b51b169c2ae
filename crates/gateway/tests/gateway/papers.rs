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
        "/metrics",
        "/api/v1/openapi.json",
    ] {
        assert!(text.contains(path), "docs/protocol.md does not name {path}");
    }
}

#[test]
fn the_limits_on_paper_are_those_in_force() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    let text = std::fs::read_to_string(path).unwrap();
    let block = |section: &str| {
        let block = text.split(&format!("\n{section}")).nth(1).unwrap().split("\n\n").next().unwrap();
        let lines: Vec<_> = block.lines().skip(1).collect();
        assert_eq!(lines.len(), 6, "{block}");
        lines.join("\n")
    };
    let written: gateway::connections::Limits = toml::from_str(&block("[limits]")).unwrap();
    assert_eq!(format!("{written:?}"), format!("{:?}", gateway::connections::Limits::default()));
    let written: gateway::alarms::Thresholds = toml::from_str(&block("[alarms]")).unwrap();
    assert_eq!(written, gateway::alarms::Thresholds::default());
}

#[test]
fn the_operators_page_names_every_metric_and_alarm() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap();
    let (page, source) = (read("../../docs/operations.md"), read("src/signs.rs"));
    let metrics: std::collections::BTreeSet<&str> =
        source.split("\"shubbak_").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(metrics.len() > 20, "{metrics:?}");
    let metrics = metrics.iter().map(|name| format!("`shubbak_{name}`"));
    let alarms = gateway::alarms::Alarm::NAMES.iter().map(|name| format!("| `{name}` |"));
    let missing: Vec<_> = metrics.chain(alarms).filter(|name| !page.contains(name)).collect();
    assert!(missing.is_empty(), "docs/operations.md does not name: {missing:?}");
}
