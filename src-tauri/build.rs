//! Reads `tauri.conf.json` and the capabilities, and embeds the interface.

fn main() {
    // So that the workspace compiles before the interface was built, and anew whenever it was.
    let interface = std::path::Path::new("../ui/dist");
    if let Err(error) = std::fs::create_dir_all(interface) {
        println!("cargo::error=Making the folder of the interface: {error}");
    }
    println!("cargo::rerun-if-changed=../ui/dist");
    let commands = tauri_build::AppManifest::new().commands(&["call"]);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(commands)) {
        println!("cargo::error=Reading the shell's configuration: {error:#}");
    }
}
