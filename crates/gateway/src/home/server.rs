//! A server of PostgreSQL: its address, and how it is spoken to.

use std::{fmt, net::IpAddr, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use postgres::{
    Client, Config,
    config::{Host, SslMode, TargetSessionAttrs},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The oldest version that this program is tested with.
const OLDEST: u32 = 150_000;

/// A server of PostgreSQL, and a database on it.
pub struct Server {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Server {
    /// Reads an address (`postgres://USER@HOST:PORT/DATABASE`), which bears no password. Beyond this machine only TLS
    /// is spoken, and only with a server whose certificate is good: by the authorities in `ca`, or those of the system.
    pub fn new(address: &str, password: Option<&str>, ca: Option<&Path>) -> Result<Self> {
        let mut config: Config = address.parse().ok().context("It is not of the form postgres://USER@HOST/DATABASE")?;
        ensure!(config.get_password().is_none(), "It bears a password: give password_file or password_env instead");
        ensure!(config.get_user().is_some(), "It names no user: postgres://USER@HOST/DATABASE");
        ensure!(config.get_dbname().is_some(), "It names no database: postgres://USER@HOST/DATABASE");
        ensure!(!config.get_hosts().is_empty(), "It names no host: postgres://USER@HOST/DATABASE");
        let here = config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        ensure!(
            here || !address.contains("sslmode=disable"),
            "It is on another machine and says sslmode=disable: what citizens write would travel in the clear"
        );
        if !here {
            config.ssl_mode(SslMode::Require);
        } else if config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(SslMode::Disable);
        }
        if let Some(password) = password {
            config.password(password);
        }
        // Whoever cannot be reached is given up soon: what waits is repeated by those who sent it.
        config.connect_timeout(Duration::from_secs(5)).tcp_user_timeout(Duration::from_secs(20));
        config.keepalives_idle(Duration::from_secs(10)).keepalives_interval(Duration::from_secs(3));
        config.keepalives_retries(3).application_name("shubbak-gateway");
        // Of several hosts the one that may be written to: after a failover that is another.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let tls = if config.get_ssl_mode() == SslMode::Disable { RootCertStore::empty() } else { roots(ca)? };
        Ok(Self { config, tls: with_roots(tls)? })
    }

    /// A new connection, with its statements in a schema.
    pub(super) fn connect(&self, schema: &str, read_only: bool) -> Result<Client, postgres::Error> {
        let mut client = self.config.connect(self.tls.clone())?;
        let idle = if read_only { "5min" } else { "10s" };
        // `on` waits for the disk here, and that of synchronous standbys; `remote_apply` for more. Whatever else the
        // server, the database or the role was set up with would acknowledge what a power cut takes away. A
        // transaction in which nothing happens is ended by the server, since it holds the head's lock.
        client.batch_execute(&format!(
            "SELECT set_config('synchronous_commit', 'on', false)
                 WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');
             SET search_path TO \"{schema}\"; SET lock_timeout TO '10s'; SET statement_timeout TO '30s';
             SET idle_in_transaction_session_timeout TO '{idle}'; SET default_transaction_read_only TO {read_only};
             SET client_min_messages TO warning"
        ))?;
        Ok(client)
    }

    /// Whether what this server has committed is on disk, and is text as we mean it.
    pub(super) fn must_be_sound(&self, client: &mut Client) -> Result<()> {
        let mut setting = |name: &str| -> Result<String, postgres::Error> {
            Ok(client.query_one("SELECT current_setting($1)", &[&name])?.get(0))
        };
        for name in ["fsync", "full_page_writes", "synchronous_commit"] {
            let set = setting(name)?;
            ensure!(
                set == "on" || set == "remote_apply",
                "The server runs with {name} = {set}: a power cut would take away what was acknowledged"
            );
        }
        let version = setting("server_version_num")?;
        ensure!(
            version.parse::<u32>().is_ok_and(|version| version >= OLDEST),
            "The server is older than PostgreSQL 15"
        );
        let encoding = setting("server_encoding")?;
        ensure!(encoding == "UTF8", "The database has the encoding {encoding}, and Arabic needs UTF8");
        Ok(())
    }
}

/// Names no user: this is logged.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts: Vec<_> = hosts.collect();
        write!(f, "the database {} on {}", self.config.get_dbname().unwrap_or_default(), hosts.join(", "))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let Some(ca) = ca else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        ensure!(!roots.is_empty(), "The system has no authorities for TLS: give ca_file");
        return Ok(roots);
    };
    let doing = || format!("Reading the authorities {}", ca.display());
    for certificate in CertificateDer::pem_file_iter(ca).with_context(doing)? {
        roots.add(certificate.with_context(doing)?).with_context(doing)?;
    }
    ensure!(!roots.is_empty(), "{}: there is none", doing());
    Ok(roots)
}

fn with_roots(roots: RootCertStore) -> Result<MakeRustlsConnect> {
    let config = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .context("Choosing the versions of TLS")?;
    Ok(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth()))
}
