//! What the log says, and what it must not.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{body::Body, extract::ConnectInfo};
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    browser::Browser,
    registration::{begin, form, numbers, questions},
    sign_in::janes_card,
    test_app::{ANSWERS, TestApp},
};

/// A log in memory.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// All that was logged.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// A log that takes everything.
    pub fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_what_happened_and_not_to_whom() {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.subscriber()).unwrap();

    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    begin(&mut browser, &card).await;
    let name = form(&mut browser, "Questions").await;
    browser.post("register/questions", &questions(&name, &numbers())).await;
    let name = form(&mut browser, "Email").await;
    browser.post("register/email", &[("form", &name), ("email", "jane.canary@nhs.net")]).await;
    let mail = app.mail().await;
    browser.get("/nobody/jane.canary?code=KTRWMGBD").await;

    let log = log.text();
    assert!(log.contains("http.request.answer") && log.contains("/api/register/email"), "{log}");
    assert!(log.contains("outbox.mail.send") && log.contains("ja…@nhs.net"), "{log}");
    let code = mail.code();
    let mut secrets = vec!["jane.canary", "Jane Smith", "KTRWMGBD", code.as_str()];
    secrets.extend(ANSWERS.map(|(_, answer)| answer));
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_from_which_address_and_by_what_a_request_is_found() {
    let app = TestApp::start().await;
    let log = Log::default();
    let logging = tracing::subscriber::set_default(log.subscriber());
    let mut request = Browser::new(&app).request("GET", "/unlock").body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 5000))));
    let answer = Browser::new(&app).send(request).await;
    drop(logging);
    let answered = log.text().lines().find(|line| line.contains("answered")).map(str::to_owned).unwrap();
    assert!(answered.contains("client=192.0.2.7") && answered.contains("/unlock"), "{answered}");
    assert!(answered.contains(answer.reference()), "{answered}");
}
