//! TLS as configured: a certificate chain and its key, both PEM.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use domain::ids::Millis;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// Until when a certificate holds.
pub fn valid_until(cert: &Path) -> Result<Millis> {
    let doing = || format!("Reading how long the certificate {} holds", cert.display());
    let first = CertificateDer::from_pem_file(cert).with_context(doing)?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&first).with_context(doing)?;
    Ok(certificate.validity().not_after.timestamp().saturating_mul(1000))
}

/// Reads a certificate chain and its key, and checks that they belong together.
pub fn read(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("Reading the certificate {}", cert.display()))?;
    let secret = PrivateKeyDer::from_pem_file(key).with_context(|| format!("Reading the key {}", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("Choosing the versions of TLS")?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .with_context(|| format!("Joining the certificate {} and the key {}", cert.display(), key.display()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
