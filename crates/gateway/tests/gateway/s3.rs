//! A stand-in for S3, for as long as a test runs.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::house::{House, http};

const BUCKET: &str = "shubbak";

pub(crate) struct S3 {
    child: Child,
    address: String,
}

/// Where `cargo xtask test` puts it.
fn server() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let folder = cache.expect("neither XDG_CACHE_HOME nor HOME is set").join("shubbak/s3-server");
    let (program, wanted) = (folder.join("bin/moto_server"), include_str!("../s3-server.txt"));
    let installed = std::fs::read_to_string(folder.join(".installed")).unwrap_or_default();
    assert!(
        program.exists() && installed == wanted,
        "The stand-in for S3 is missing or not the one that is wanted. `cargo xtask test --only nextest` \
         installs it into {}",
        folder.display()
    );
    program
}

impl S3 {
    pub(crate) async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(server())
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let s3 = Self { child, address: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "the stand-in for S3 does not listen");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(http().put(s3.bucket("")).send().await.unwrap().status(), 200);
        s3
    }

    fn bucket(&self, query: &str) -> String {
        format!("{}/{BUCKET}{query}", self.address)
    }

    /// A gateway that keeps its files here, under a prefix of its own.
    pub(crate) fn house(&self, prefix: &str) -> House {
        let house = House::new("http://127.0.0.1:9");
        keep_in(&house, &self.address, prefix);
        house
    }

    /// What is kept under a prefix, and what was begun and neither finished nor given up.
    pub(crate) async fn kept(&self, prefix: &str) -> Vec<String> {
        let listed = self.bucket(&format!("?list-type=2&prefix={prefix}/"));
        let listed = http().get(listed).send().await.unwrap().text().await.unwrap();
        let begun = http().get(self.bucket("?uploads")).send().await.unwrap().text().await.unwrap();
        let all = |text: &str, tag: &str| -> Vec<String> {
            let tag = format!("<{tag}>");
            let parts = text.split(&tag).skip(1);
            parts.map(|part| part.split('<').next().unwrap().to_owned()).collect()
        };
        let mut kept: Vec<_> =
            all(&listed, "Key").iter().map(|key| key.replacen(&format!("{prefix}/"), "", 1)).collect();
        kept.extend(all(&begun, "UploadId"));
        kept.sort();
        kept
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Configures a gateway to keep its files in S3.
pub(crate) fn keep_in(house: &House, address: &str, prefix: &str) {
    let secret = |name: &str| std::fs::write(house.folder.path().join(name), "testing\n").unwrap();
    secret("access-key");
    secret("secret-key");
    let media = format!("records = \"data\"\nmedia = \"s3://{BUCKET}/{prefix}\"");
    house.configure("records = \"data\"", &media);
    let more = format!(
        "[storage.s3]\nendpoint = {address:?}\npath_style = true\nallow_http = true\n\
         access_key_file = \"access-key\"\nsecret_key_file = \"secret-key\"\n[whatsapp]"
    );
    house.configure("[whatsapp]", &more);
}

/// Every file under a folder, by its path from there.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}
