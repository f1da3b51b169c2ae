//! `X-Hub-Signature-256`: HMAC-SHA256 of the app's secret over the bytes as they came.
//!
//! Meta signs the body with its escapes (`\u00e4`), so it must be verified before any decoding, and never over JSON that
//! was written again. Source: Meta's page webhooks/create-webhook-endpoint.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// The header's name.
pub const HEADER: &str = "x-hub-signature-256";

/// Whether `header` signs `body` with one of `secrets`: two are live while one is being replaced. Takes the same time
/// whichever fits. No secret, or an empty one, signs nothing.
pub fn verify(header: &str, body: &[u8], secrets: &[impl AsRef<[u8]>]) -> bool {
    let Some(given) = header.strip_prefix("sha256=").and_then(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok())
    else {
        return false;
    };
    let fits = secrets.iter().fold(Choice::from(0), |found, secret| {
        let secret = secret.as_ref();
        found | (digest(secret, body).ct_eq(&given) & Choice::from(u8::from(!secret.is_empty())))
    });
    fits.into()
}

/// The header's value for a body.
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    format!("sha256={}", HEXLOWER.encode(&digest(secret, body)))
}

fn digest(secret: &[u8], body: &[u8]) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(mac) => mac.chain_update(body).finalize().into_bytes().to_vec(),
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"name":"\u0641\u0627\u0637\u0645\u0629"}"#;

    #[test]
    fn the_digest_is_the_one_that_other_tools_give() {
        // printf '%s' '{"name":"\u0641\u0627\u0637\u0645\u0629"}' | openssl dgst -sha256 -hmac secret
        assert_eq!(sign(b"secret", BODY), "sha256=6a5dad420aa0864127063b2e1577dd8282b4b332ec9f386c034d5df4a0949b17");
    }

    #[test]
    fn any_live_secret_verifies() {
        let header = sign(b"old", BODY);
        assert!(verify(&header, BODY, &["old"]));
        assert!(verify(&header, BODY, &["new", "old"]));
        assert!(verify(&header.to_uppercase().replace("SHA256", "sha256"), BODY, &["old"]));
        assert!(!verify(&header, BODY, &["new"]));
        assert!(!verify(&header, BODY, &[] as &[&str]));
        assert!(!verify(&sign(b"", BODY), BODY, &[""]), "an empty secret would let everybody in");
    }

    #[test]
    fn the_bytes_are_signed_and_not_their_meaning() {
        let header = sign(b"secret", BODY);
        assert!(!verify(&header, "{\"name\":\"فاطمة\"}".as_bytes(), &["secret"]));
    }

    #[test]
    fn malformed_headers_are_refused() {
        let good = sign(b"secret", BODY);
        let bare = good.replace("sha256=", "");
        let mut short = good.clone();
        short.truncate(good.len() - 2);
        for header in ["", "sha256=", "sha256=zz", &bare, &short, &format!("{good}00")] {
            assert!(!verify(header, BODY, &["secret"]), "{header:?}");
        }
    }
}
