//! TLS by the service itself: what browsers are shown, and how another certificate takes its place.

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, routing};
use rcgen::{CertificateParams, CertifiedKey, KeyPair};
use server::{
    config::TlsSection,
    listener::{Limits, serve_tls},
    tls::Tls,
};
use tempfile::TempDir;
use time::macros::datetime;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName},
    },
};

use crate::{
    admin::get,
    servers::{Servers, free_address},
    test_app::TestApp,
};

const REQUEST: &[u8] = b"GET /help HTTP/1.1\r\nhost: localhost:3000\r\n\r\n";

/// How often it is looked whether another certificate is shown.
const POLL: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(10);

/// Certificate and key where the service reads them.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new(made: &CertifiedKey<KeyPair>) -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        files.write(&made.cert.pem(), &made.signing_key.serialize_pem());
        files
    }

    fn write(&self, certificate: &str, key: &str) {
        fs::write(self.certificate(), certificate).unwrap();
        fs::write(self.key(), key).unwrap();
        fs::set_permissions(self.key(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    fn section(&self) -> TlsSection {
        TlsSection { certificate_file: self.certificate(), key_file: self.key() }
    }
}

fn made() -> CertifiedKey<KeyPair> {
    made_until(2040)
}

/// One that expires when this year begins.
fn made_until(year: i32) -> CertifiedKey<KeyPair> {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    let signing_key = KeyPair::generate().unwrap();
    CertifiedKey { cert: params.self_signed(&signing_key).unwrap(), signing_key }
}

/// Connects as a browser that trusts one certificate; nothing where it is shown another.
async fn connect(address: SocketAddr, trusted: &CertifiedKey<KeyPair>) -> Option<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(trusted.cert.der().to_vec())).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let socket = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, socket).await.ok()
}

/// Waits until a certificate is shown.
async fn until_shown(address: SocketAddr, wanted: &CertifiedKey<KeyPair>) {
    let shown = async {
        while connect(address, wanted).await.is_none() {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(PATIENCE, shown).await.expect("it is shown");
}

/// Asks on a connection that is kept; gives the first line of the answer.
async fn ask(connection: &mut TlsStream<TcpStream>) -> String {
    connection.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    let (mut head, mut length) = (None, 0);
    while head.is_none_or(|head| answer.len() < head + length) {
        assert!(connection.read_buf(&mut answer).await.unwrap() > 0, "the connection ended");
        head = answer.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        let text = String::from_utf8_lossy(&answer[..head.unwrap_or_default()]).to_ascii_lowercase();
        length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or_default();
        // A page comes in pieces, the last of which is empty.
        if text.contains("transfer-encoding: chunked") {
            length = if answer.ends_with(b"\r\n0\r\n\r\n") { 0 } else { usize::MAX / 2 };
        }
    }
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

/// What makes the service of a test one behind https.
fn variables(app: &TestApp, files: &Files) -> Vec<(&'static str, String)> {
    let secret = |name: &str| app.folder().join("secrets").join(name).to_str().unwrap().to_owned();
    vec![
        ("SERVICE_CENTRE_PUBLIC_URL", "https://localhost:3000".to_owned()),
        ("SERVICE_CENTRE_RA__TELEPHONE", "0123 456".to_owned()),
        ("SERVICE_CENTRE_RA__EMAIL", "desk@example.net".to_owned()),
        ("SERVICE_CENTRE_SECRETS__VAULT_KEY_FILES__1", secret("vault-key-1")),
        ("SERVICE_CENTRE_SECRETS__PEPPER_FILES__1", secret("pepper-1")),
        ("SERVICE_CENTRE_SECRETS__CHALLENGE_KEY_FILE", secret("challenge-key")),
        ("SERVICE_CENTRE_SECRETS__TRAIL_KEY_FILE", secret("trail-key")),
        ("SERVICE_CENTRE_SECRETS__SERVICE_KEY_FILE", secret("service-key")),
        ("SERVICE_CENTRE_TLS__CERTIFICATE_FILE", files.certificate().to_str().unwrap().to_owned()),
        ("SERVICE_CENTRE_TLS__KEY_FILE", files.key().to_str().unwrap().to_owned()),
    ]
}

async fn start(app: &TestApp, files: &Files) -> Servers {
    let variables = variables(app, files);
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Servers::start_with(app.place(), 1, &variables).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_connections_are_shown_the_new_certificate_and_open_ones_go_on() {
    let app = TestApp::start().await;
    let (first, second) = (made(), made());
    let files = Files::new(&first);
    let servers = start(&app, &files).await;
    let address = servers.address(0);
    let mut open = connect(address, &first).await.expect("the first certificate is shown");
    assert_eq!(open.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(ask(&mut open).await, "HTTP/1.1 200 OK");
    assert!(connect(address, &second).await.is_none());

    files.write(&second.cert.pem(), &second.signing_key.serialize_pem());
    servers.reload();
    until_shown(address, &second).await;
    assert!(connect(address, &first).await.is_none());
    assert_eq!(ask(&mut open).await, "HTTP/1.1 200 OK");
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_when_the_certificate_expires_that_is_shown() {
    let app = TestApp::start().await;
    let files = Files::new(&made_until(2031));
    let admin = free_address().to_string();
    let mut variables = variables(&app, &files);
    variables.push(("SERVICE_CENTRE_ADMIN__LISTEN", admin.clone()));
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let servers = Servers::start_with(app.place(), 1, &variables).await;
    let expires = async || {
        let (_, figures) = get(admin.parse().unwrap(), "/metrics").await.unwrap();
        let name = "service_centre_certificate_expires_timestamp_seconds ";
        figures.lines().find_map(|line| line.strip_prefix(name)?.parse::<i64>().ok()).unwrap()
    };
    assert_eq!(expires().await, datetime!(2031-01-01 00:00 UTC).unix_timestamp());
    let next = made_until(2032);
    files.write(&next.cert.pem(), &next.signing_key.serialize_pem());
    servers.reload();
    until_shown(servers.address(0), &next).await;
    let told = async {
        while expires().await != datetime!(2032-01-01 00:00 UTC).unix_timestamp() {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("it is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_certificate_takes_nobodys_place_and_is_logged() {
    let app = TestApp::start().await;
    let (first, second) = (made(), made());
    let files = Files::new(&first);
    let servers = start(&app, &files).await;
    let address = servers.address(0);
    // Half of a renewal: the key is still the former one's.
    files.write(&second.cert.pem(), &first.signing_key.serialize_pem());
    servers.reload();
    let logged = async {
        while !servers.log(0).contains("certificate and key do not fit") {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(PATIENCE, logged).await.expect("it is logged");
    let mut open = connect(address, &first).await.expect("the first certificate is shown");
    assert_eq!(ask(&mut open).await, "HTTP/1.1 200 OK");

    files.write(&second.cert.pem(), &second.signing_key.serialize_pem());
    servers.reload();
    until_shown(address, &second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_a_certificate_of_its_own_lives_on_when_it_is_told_to_read_it_again() {
    let app = TestApp::start().await;
    let servers = Servers::start(app.place(), 1).await;
    servers.reload();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let browser = &mut servers.browser(0);
    assert_eq!(browser.get("/help").await.status, 200);
}

/// A service of one page.
async fn serving(limits: Limits) -> (SocketAddr, CertifiedKey<KeyPair>, watch::Sender<()>, Files) {
    let certificate = made();
    let files = Files::new(&certificate);
    let tls = Tls::load(&files.section()).unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, stopping) = watch::channel(());
    let router = Router::new().route("/help", routing::get(|| async { "a page" }));
    tokio::spawn(serve_tls(socket, router, limits, tls, stopping));
    (address, certificate, stop, files)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_no_tls_hears_nothing_of_the_pages() {
    let (address, certificate, _stop, _files) = serving(Limits::default()).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
    let mut open = connect(address, &certificate).await.unwrap();
    assert_eq!(ask(&mut open).await, "HTTP/1.1 200 OK");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_begins_tls_keeps_nobody_elses_place() {
    let [short, long] = [Duration::from_secs(2), Duration::from_hours(1)];
    // They are cut off after a time, or give way.
    for (head, idle) in [(short, long), (long, short)] {
        let limits = Limits { head, idle, connections: 1, ..Limits::default() };
        let (address, certificate, _stop, _files) = serving(limits).await;
        let _silent = TcpStream::connect(address).await.unwrap();
        let next = async { connect(address, &certificate).await.unwrap() };
        let mut next = tokio::time::timeout(PATIENCE, next).await.expect("the silent one has gone");
        assert_eq!(ask(&mut next).await, "HTTP/1.1 200 OK");
    }
}
