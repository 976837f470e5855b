//! TLS without a proxy: the certificate that browsers are shown, and how another takes its place while the service runs.
//!
//! TLS 1.2 and 1.3 with the suites that rustls thinks safe; HTTP/1.1 above it.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

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
    present: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub fn load(section: &TlsSection) -> Result<Self, TlsError> {
        let present = Arc::new(RwLock::new(Arc::new(read(section)?)));
        Ok(Self { section: section.clone(), present })
    }

    /// Reads both again. Connections that are open go on; the next ones are shown what was read.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: then everybody is shown the certificate that there was.
    pub fn reload(&self) -> Result<(), TlsError> {
        let next = Arc::new(read(&self.section)?);
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Begins TLS on a connection.
    pub(crate) async fn accept(&self, socket: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let present = Arc::clone(&self.present.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(present).accept(socket).await
    }
}

fn read(section: &TlsSection) -> Result<ServerConfig, TlsError> {
    let TlsSection { certificate_file, key_file } = section;
    let chain =
        certificates(certificate_file).map_err(|fault| TlsError::Certificate(certificate_file.clone(), fault))?;
    let key = private_file::read(key_file).map_err(|fault| TlsError::KeyFile(key_file.clone(), fault))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|fault| TlsError::Key(key_file.clone(), fault))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsError::Unfit)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
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
    fn a_key_that_everybody_can_read_is_refused() {
        let (certificate, key) = made();
        let (_folder, section) = section(&certificate, &key);
        fs::set_permissions(&section.key_file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        assert!(matches!(Tls::load(&section).err(), Some(TlsError::KeyFile(_, PrivateFileError::Exposed { .. }))));
    }
}
