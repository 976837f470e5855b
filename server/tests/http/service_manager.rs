//! What the service manager is told of a start and of an end.

use std::{os::unix::net::UnixDatagram, time::Duration};

use crate::{servers::Servers, test_app::TestApp};

/// How long somebody waits to be told.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_is_told_when_somebody_is_listened_to_and_when_it_ends() {
    let app = TestApp::start().await;
    let path = app.folder().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let told = || {
        let mut message = [0; 256];
        let length = socket.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..length]).trim().to_owned()
    };
    let mut server = Servers::spawn_with(app.place(), 1, &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    assert_eq!(told(), "READY=1");
    tokio::net::TcpStream::connect(server.address(0)).await.expect("it listens");
    server.terminate();
    assert_eq!(told(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=45000000");
    assert!(server.end_well().await);
}
