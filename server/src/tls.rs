//! TLS without a proxy: the certificate that browsers are shown, and how another takes its place while the service runs.
//!
//! TLS 1.2 and 1.3 with the suites that rustls thinks safe; HTTP/1.1 above it.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use domain::Timestamp;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject},
        },
    },
    server::TlsStream,
};
use x509_cert::{Certificate, der::Decode};

use crate::{
    config::TlsSection,
    private_file::{self, PrivateFileError},
};

/// What is spoken above TLS.
const PROTOCOL: &[u8] = b"http/1.1";

/// A certificate that cannot be shown to anybody.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of the certificate cannot be read, or holds none.
    #[error("tls.certificate_file: {} holds no certificates", .0.display())]
    Certificate(PathBuf, #[source] pem::Error),
    /// What stands in the file is no certificate that browsers read.
    #[error("tls.certificate_file: {} holds a certificate that cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] x509_cert::der::Error),
    /// The file of the key cannot be read, or others can read it too.
    #[error("tls.key_file: {} is not read", .0.display())]
    KeyFile(PathBuf, #[source] PrivateFileError),
    /// The file of the key holds none.
    #[error("tls.key_file: {} holds no private key", .0.display())]
    Key(PathBuf, #[source] pem::Error),
    /// The key is another's, or of a kind that is not taken.
    #[error("tls: certificate and key do not fit")]
    Unfit(#[source] rustls::Error),
}

/// The certificate that is shown at present. A clone shows the same.
#[derive(Clone)]
pub struct Tls {
    section: TlsSection,
    present: Arc<RwLock<Shown>>,
}

/// A certificate with its key, as it is shown.
#[derive(Clone)]
struct Shown {
    config: Arc<ServerConfig>,
    expires: Timestamp,
}

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub fn load(section: &TlsSection) -> Result<Self, TlsError> {
        let present = Arc::new(RwLock::new(read(section)?));
        Ok(Self { section: section.clone(), present })
    }

    /// Reads both again. Connections that are open go on; the next ones are shown what was read.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: then everybody is shown the certificate that there was.
    pub fn reload(&self) -> Result<(), TlsError> {
        let next = read(&self.section)?;
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Until when browsers take the certificate that is shown.
    pub fn expires(&self) -> Timestamp {
        self.shown().expires
    }

    /// Begins TLS on a connection.
    pub(crate) async fn accept(&self, socket: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.shown().config).accept(socket).await
    }

    fn shown(&self) -> Shown {
        self.present.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn read(section: &TlsSection) -> Result<Shown, TlsError> {
    let TlsSection { certificate_file, key_file } = section;
    let chain =
        certificates(certificate_file).map_err(|fault| TlsError::Certificate(certificate_file.clone(), fault))?;
    let expires = expiry(&chain[0]).map_err(|fault| TlsError::Unreadable(certificate_file.clone(), fault))?;
    let key = private_file::read(key_file).map_err(|fault| TlsError::KeyFile(key_file.clone(), fault))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|fault| TlsError::Key(key_file.clone(), fault))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsError::Unfit)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(Shown { config: Arc::new(config), expires })
}

fn expiry(certificate: &[u8]) -> Result<Timestamp, x509_cert::der::Error> {
    let certificate = Certificate::from_der(certificate)?;
    let since_1970 = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    Ok(Timestamp::UNIX_EPOCH + since_1970)
}

/// All certificates of a file, which are one at least.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    let found: Vec<_> = CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?;
    if found.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn section(certificate: &str, key: &str) -> (tempfile::TempDir, TlsSection) {
        let folder = tempfile::tempdir().unwrap();
        let (certificate_file, key_file) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        fs::write(&certificate_file, certificate).unwrap();
        fs::write(&key_file, key).unwrap();
        fs::set_permissions(&key_file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        (folder, TlsSection { certificate_file, key_file })
    }

    fn made() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn fault(certificate: &str, key: &str) -> TlsError {
        let (_folder, section) = section(certificate, key);
        Tls::load(&section).err().expect("nothing is wrong")
    }

    #[test]
    fn what_is_no_certificate_with_its_key_is_told_apart() {
        let ((certificate, key), (_, other)) = (made(), made());
        let (_folder, good) = section(&certificate, &key);
        assert!(Tls::load(&good).is_ok());
        assert!(matches!(fault("", &key), TlsError::Certificate(..)));
        assert!(matches!(fault(&certificate[..certificate.len() / 2], &key), TlsError::Certificate(..)));
        assert!(matches!(fault(&certificate, ""), TlsError::Key(..)));
        assert!(matches!(fault(&certificate, &certificate), TlsError::Key(..)));
        assert!(matches!(fault(&certificate, &other), TlsError::Unfit(_)));
    }

    #[test]
    fn it_is_known_until_when_browsers_take_the_first_certificate_of_the_file() {
        let until = |time| {
            let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
            params.not_after = time;
            let key = rcgen::KeyPair::generate().unwrap();
            (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
        };
        let soon = time::macros::datetime!(2027-02-28 12:30:15 UTC);
        let ((first, key), (above, _)) = (until(soon), until(time::macros::datetime!(2040-01-01 00:00 UTC)));
        let (_folder, section) = section(&format!("{first}{above}"), &key);
        assert_eq!(Tls::load(&section).unwrap().expires(), soon);
    }

    #[test]
    fn a_key_that_everybody_can_read_is_refused() {
        let (certificate, key) = made();
        let (_folder, section) = section(&certificate, &key);
        fs::set_permissions(&section.key_file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        assert!(matches!(Tls::load(&section).err(), Some(TlsError::KeyFile(_, PrivateFileError::Exposed { .. }))));
    }
}
