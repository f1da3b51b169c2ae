//! The rules of the house, which no compiler knows: who may name whom, where the window system is named, how long a
//! file may be.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at once")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Who may name whom. What stands on the right never names what stands on the left.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("records", &["domain"]),
    ("whatsapp", &["domain"]),
    ("gateway", &["domain", "records", "whatsapp"]),
    ("simulator", &["domain", "whatsapp"]),
    ("desk", &["domain", "records"]),
    ("development-host", &["desk", "domain"]),
    ("shubbak", &["desk", "domain"]),
    ("bench", &["domain", "whatsapp"]),
    ("xtask", &[]),
];
const MOST_LINES: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Each crate of the workspace, with the names of everything it depends on, for whatever purpose.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = |list: &serde_json::Value| -> Vec<(String, serde_json::Value)> {
        list.as_array().unwrap().iter().map(|one| (one["name"].as_str().unwrap().to_owned(), one.clone())).collect()
    };
    names(&metadata["packages"])
        .into_iter()
        .map(|(name, package)| (name, names(&package["dependencies"]).into_iter().map(|(name, _)| name).collect()))
        .collect()
}

/// Our own sources under a folder, with one of these endings; nothing that was installed, built or written by a program.
fn sources(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    const NOT_OURS: &[&str] = &["target", "node_modules", "dist", "gen", "output", "coverage"];
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && !NOT_OURS.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) && !name.contains(".generated.") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "No sources are found in {}", root().display());
    found
}

/// Where a source names the window system in its code.
fn names_the_window_system(path: &Path) -> Vec<String> {
    let words: &[&str] = if path.extension().is_some_and(|ending| ending == "rs") {
        &[concat!("tau", "ri::"), concat!("tau", "ri_")]
    } else {
        &[concat!("@tau", "ri-apps"), concat!("__TAU", "RI")]
    };
    let text = fs::read_to_string(path).unwrap();
    let hits = text.lines().enumerate().filter(|(_, line)| words.iter().any(|word| line.contains(word)));
    hits.map(|(number, _)| format!("{}:{}", path.display(), number + 1)).collect()
}

#[test]
fn a_crate_names_only_whom_it_may() {
    let dependencies = dependencies();
    let rules: BTreeMap<&str, &[&str]> = MAY_NAME.iter().copied().collect();
    let ours: BTreeSet<&String> = dependencies.keys().collect();
    assert!(ours.len() >= 9, "The crates of the workspace are not found: {ours:?}");
    for (name, names) in &dependencies {
        let Some(allowed) = rules.get(name.as_str()) else {
            panic!("Say in MAY_NAME, in {}, whom the crate {name} may name", file!());
        };
        let forbidden: Vec<_> = names
            .iter()
            .filter(|other| ours.contains(other) && *other != name && !allowed.contains(&other.as_str()))
            .collect();
        assert!(forbidden.is_empty(), "The crate {name} may not name {forbidden:?}");
    }
}

#[test]
fn the_window_system_is_named_by_the_shell_alone() {
    for (name, names) in dependencies() {
        let window_system: Vec<_> =
            names.iter().filter(|other| other.starts_with(concat!("tau", "ri")) || *other == "wry").collect();
        assert_eq!(name == "shubbak", !window_system.is_empty(), "The crate {name} names {window_system:?}");
    }
    let shell = root().join("src-tauri");
    let bridge = root().join("ui/src/lib/host");
    let rust = sources(root(), &[".rs"]).into_iter().filter(|path| !path.starts_with(&shell));
    let interface = sources(&root().join("ui/src"), &[".ts", ".js", ".svelte"])
        .into_iter()
        .filter(|path| !path.starts_with(&bridge));
    let named: Vec<String> = rust.chain(interface).flat_map(|path| names_the_window_system(&path)).collect();
    assert!(named.is_empty(), "The window system is named outside src-tauri and ui/src/lib/host: {named:#?}");
    let by_the_shell: Vec<String> =
        sources(&shell, &[".rs"]).iter().flat_map(|path| names_the_window_system(path)).collect();
    assert!(!by_the_shell.is_empty(), "This test does not see where the window system is named");
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = sources(root(), &[".rs", ".ts", ".svelte", ".mjs"])
        .into_iter()
        .filter_map(|path| {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            (lines > MOST_LINES).then(|| format!("{} has {lines} lines", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "Files of more than {MOST_LINES} lines hold more than one idea: {long:#?}");
}
