//! Section `tls`: the certificate, where no proxy in front of the service has one.

use std::path::PathBuf;

use serde::Deserialize;

/// The certificate with which the service speaks TLS itself. Both files are read again at SIGHUP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSection {
    /// The certificate, then those of the authorities between it and a root (PEM).
    pub certificate_file: PathBuf,
    /// Its private key (PEM).
    pub key_file: PathBuf,
}
