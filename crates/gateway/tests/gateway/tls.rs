//! TLS as configured: trusted by whoever knows the certificate, and by nobody else; one gateway for a folder.

use crate::house::{House, install_crypto};

#[tokio::test(flavor = "multi_thread")]
async fn it_speaks_tls_where_it_is_configured() {
    let house = House::new("http://127.0.0.1:9");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = house.folder.path();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let text = std::fs::read_to_string(&house.config).unwrap();
    // With TLS it may also be reached from other machines.
    let tls = text.replacen("127.0.0.1:0\"", "0.0.0.0:0\"\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"", 1);
    std::fs::write(&house.config, tls).unwrap();
    let served = house.serve().await;
    let port = served.address.rsplit_once(':').unwrap().1;
    assert!(served.address.starts_with("https://"), "{}", served.address);

    install_crypto();
    let certificate = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let knows = reqwest::Client::builder().tls_certs_only([certificate.clone()]).build().unwrap();
    let answer = knows.get(format!("https://localhost:{port}/readyz")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let stranger = reqwest::Client::new();
    assert!(stranger.get(format!("https://localhost:{port}/readyz")).send().await.is_err(), "an unknown certificate");
    assert!(knows.get(format!("https://127.0.0.1:{port}/readyz")).send().await.is_err(), "another host's name");
    assert!(knows.get(format!("http://localhost:{port}/readyz")).send().await.is_err(), "without TLS");
    let old = reqwest::Client::builder()
        .tls_certs_only([certificate])
        .tls_version_max(reqwest::tls::Version::TLS_1_1)
        .build();
    if let Ok(old) = old {
        assert!(old.get(format!("https://localhost:{port}/readyz")).send().await.is_err(), "TLS 1.1");
    }
    served.stop().await;

    // A key that belongs to another certificate is found before it serves.
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), other.signing_key.serialize_pem()).unwrap();
    let problems = gateway::config::load(&house.config).unwrap_err();
    assert!(problems.to_string().contains("Joining the certificate"), "{problems}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_gateway_on_the_same_folder_is_refused() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_shubbak-gateway"))
        .args(["serve", "--config"])
        .arg(&house.config)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("another gateway is serving this folder"), "{said}");
    served.stop().await;
    house.serve().await.stop().await;
}
