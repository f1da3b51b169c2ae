//! PostgreSQL beyond this machine: TLS, with a server that is who it says it is, and with no other.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::{
    house::{House, on_postgres, text, wamid},
    postgres::{self, Own, apart},
    tampering::{run, said},
};

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_server_with_the_right_certificate_and_name_is_spoken_to() {
    let own = apart(Own::start);
    let address = apart(|| postgres::database(own.folder()));
    let name = address.rsplit('/').next().unwrap();
    let (ours, another) = (authority("ours"), authority("another"));
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &ours).unwrap();
    let port = apart(|| own.speak_tls(&certificate.pem(), &key.serialize_pem()));

    let house = House::new("http://127.0.0.1:9");
    let write = |name: &str, text: String| std::fs::write(house.folder.path().join(name), text).unwrap();
    write("ca.pem", ours.pem());
    write("another.pem", another.pem());
    let on_files = std::fs::read_to_string(&house.config).unwrap();
    let with = |host: &str, mode: &str, ca: &str| {
        write("gateway.toml", on_files.clone());
        let moved = on_postgres(&house.config, &format!("postgres://shubbak@{host}:{port}/{name}{mode}"));
        let known = format!("key_file = \"server.key\"\n{ca}");
        write("gateway.toml", moved.replace("key_file = \"server.key\"", &known));
        run(&house.config, &["init", "--json"])
    };
    for (host, mode, ca, words) in [
        ("localhost", "?sslmode=require", "ca_file = \"another.pem\"", "UnknownIssuer"),
        // Those of the system do not know it either.
        ("localhost", "?sslmode=require", "", "UnknownIssuer"),
        ("127.0.0.1", "?sslmode=require", "ca_file = \"ca.pem\"", "not valid for name"),
        ("localhost", "", "ca_file = \"ca.pem\"", "no encryption"),
    ] {
        let refused = with(host, mode, ca);
        assert!(!refused.status.success() && said(&refused).contains(words), "{host} {ca}: {}", said(&refused));
    }
    let made = with("localhost", "?sslmode=require", "ca_file = \"ca.pem\"");
    assert!(made.status.success(), "{}", said(&made));

    let served = house.serve().await;
    served.deliver(&text("96550000001", &wamid(), "السلام عليكم")).await;
    house.all_taken_in().await;
    assert_eq!(house.count("message_received"), 1);
    let tls = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
               WHERE application_name = 'shubbak-gateway' AND NOT ssl";
    assert_eq!(house.number(tls), 0, "somebody speaks in the clear");
    served.stop().await;
}
