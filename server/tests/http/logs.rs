//! What the log says, and what it must not.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, Once, Weak},
};

use axum::{body::Body, extract::ConnectInfo};
use serde_json::{Value, json};

use crate::{
    browser::{Answer, Browser},
    registration::{begin, form, numbers, questions},
    servers::Servers,
    sign_in::janes_card,
    test_app::{ANSWERS, TestApp},
};

/// What is logged from its start on, by this test and by those that run beside it in the same process.
///
/// All of them share one subscriber. Where each test has its own, a span's parent is closed in the subscriber that the thread
/// has by then, which may be another's: a span of somebody else ends there, and the request that it belongs to panics.
pub struct Log(Arc<Mutex<Vec<u8>>>);

/// The logs into which it is written.
static LOGS: Mutex<Vec<Weak<Mutex<Vec<u8>>>>> = Mutex::new(Vec::new());

impl Log {
    /// A log that takes everything but what is logged by the `log` crate: what the tests themselves send is among that.
    pub fn start() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .with_writer(|| IntoLogs)
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        let log = Arc::default();
        LOGS.lock().unwrap().push(Arc::downgrade(&log));
        Self(log)
    }

    /// All that was logged.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// What was logged about one request: the lines with these words.
    pub fn lines(&self, answer: &Answer, words: &str) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| line.contains(answer.reference()) && line.contains(words));
        lines.map(str::to_owned).collect()
    }
}

struct IntoLogs;

impl io::Write for IntoLogs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut logs = LOGS.lock().unwrap();
        logs.retain(|log| log.strong_count() > 0);
        for log in logs.iter().filter_map(Weak::upgrade) {
            log.lock().unwrap().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_what_happened_and_not_to_whom() {
    let log = Log::start();
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
    let log = Log::start();
    let mut request = Browser::new(&app).request("GET", "/unlock").body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 5000))));
    let answer = Browser::new(&app).send(request).await;
    let answered = log.lines(&answer, "answered");
    assert_eq!(answered.len(), 1, "{answered:?}");
    assert!(answered[0].contains("client=192.0.2.7") && answered[0].contains("/unlock"), "{answered:?}");
}

/// A log that a machine reads: a request is found in it by what its answer says, with all that is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn as_json_each_line_is_an_object_and_a_request_is_found_in_it() {
    let app = TestApp::start().await;
    let unit = include_str!("../../package/service-centre.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    assert!(start.contains(" --log-format json "), "{start}");
    let mut server = Servers::start_logging(app.place(), &["--log-format", "json"]).await;
    let answer = server.browser(0).get("/nowhere").await;
    server.terminate();
    assert!(server.end_well().await);

    let log = server.log(0);
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let is_of_request = |line: &&Value| {
        let spans = line["spans"].as_array().into_iter().flatten();
        spans.into_iter().any(|span| span["reference"] == answer.reference())
    };
    let answered: Vec<&Value> = lines.iter().filter(is_of_request).collect();
    assert_eq!(answered.len(), 1, "{log}");
    let line = answered[0];
    assert_eq!(line["fields"]["message"], "answered", "{line}");
    assert_eq!((&line["level"], &line["fields"]["http.status"]), (&json!("INFO"), &json!(404)), "{line}");
    assert!(line["fields"]["milliseconds"].is_u64() && line["timestamp"].is_string(), "{line}");
}
