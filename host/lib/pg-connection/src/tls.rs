//! The TLS settings of a connection: which certificates of a server are accepted, by the rules of libpq
//! (<https://www.postgresql.org/docs/current/libpq-ssl.html>).

use crate::settings::SYSTEM;
use crate::{Settings, SslMode};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{self, CryptoProvider};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, client,
};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificates of authorities cannot be used.
    #[error("`sslrootcert`: {0}")]
    Root(String),
    /// The settings do not fit together.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// The TLS settings for `settings`.
pub(crate) fn config(settings: &Settings) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(crypto::ring::default_provider());
    let verifier = Verifier::new(settings, &provider)?;
    let setup = |error: Error| TlsError::Setup(error.to_string());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(setup)?;
    let config = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
    Ok(Arc::new(config))
}

/// The parts of a certificate that are verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verified {
    Nothing,
    Authority,
    AuthorityAndHost,
}

#[derive(Debug)]
struct Verifier {
    verified: Verified,
    provider: Arc<CryptoProvider>,
    /// The authorities; none if nothing is verified.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// The certificates of the authorities, any of which a server may use itself.
    roots: Vec<CertificateDer<'static>>,
}

impl Verifier {
    fn new(settings: &Settings, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let roots = settings.root_certificate.as_deref();
        let verified = match (settings.ssl_mode, roots) {
            (SslMode::VerifyFull, Some(_)) => Verified::AuthorityAndHost,
            (SslMode::VerifyCa, Some(_)) | (SslMode::Require, Some(_)) => Verified::Authority,
            (SslMode::VerifyFull | SslMode::VerifyCa, None) => {
                let reason = "none is given, and there is no ~/.postgresql/root.crt; give a file with the certificate of the \
                              authority, or `system`";
                return Err(TlsError::Root(reason.to_owned()));
            }
            _ => Verified::Nothing,
        };
        let roots = match roots.filter(|_| verified != Verified::Nothing) {
            Some(path) => certificates(path)?,
            None => Vec::new(),
        };
        let authorities = (verified != Verified::Nothing).then(|| authorities(&roots, provider)).transpose()?;
        Ok(Self { verified, provider: Arc::clone(provider), authorities, roots })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = if path == Path::new(SYSTEM) {
        rustls_native_certs::load_native_certs().certs
    } else {
        let failed = |error: &dyn std::fmt::Display| TlsError::Root(format!("{}: {error}", path.display()));
        let found = CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))?;
        found.collect::<Result<_, _>>().map_err(|error| failed(&error))?
    };
    if found.is_empty() { Err(TlsError::Root(format!("{}: it has no certificate", path.display()))) } else { Ok(found) }
}

fn authorities(
    roots: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().cloned());
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
    builder.build().map_err(|error| TlsError::Root(error.to_string()))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authorities) = &self.authorities else { return Ok(ServerCertVerified::assertion()) };
        // A server that signs its certificate itself is its own authority, which the verifier of authorities refuses.
        if self.roots.iter().any(|root| root.as_ref() == certificate.as_ref()) {
            if self.verified == Verified::AuthorityAndHost {
                client::verify_server_name(&ParsedCertificate::try_from(certificate)?, host)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        match authorities.verify_server_cert(certificate, others, host, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.verified == Verified::Authority => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
