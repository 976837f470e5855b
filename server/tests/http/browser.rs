//! A browser: it keeps cookies, and says where its requests come from.

use std::{collections::BTreeMap, net::SocketAddr, time::Instant};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, Request, StatusCode, Uri, header, response},
};
use card_protocol::Challenge;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::test_app::{ORIGIN, TestApp};

/// The longest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;

/// A browser with its cookies. A clone has them too: as another request of the same browser at the same time.
#[derive(Clone)]
pub struct Browser {
    service: Service,
    cookies: BTreeMap<String, String>,
}

/// Where a browser's requests go.
#[derive(Clone)]
enum Service {
    InProcess(Router),
    Process(SocketAddr),
}

/// What the service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What a server function gave.
    pub fn value<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or_else(|fault| panic!("{fault}: {}", self.body))
    }

    /// The error of a server function. Of one that is to be found in the log it is the name: its reference is that of this
    /// answer.
    pub fn fault(&self) -> Value {
        assert!(!self.status.is_success(), "{}", self.body);
        let fault: Value = serde_json::from_str(&self.body).unwrap_or_else(|fault| panic!("{fault}: {}", self.body));
        for name in ["Refused", "Unavailable"] {
            if let Some(reference) = fault.get(name) {
                assert_eq!(reference, self.reference());
                return name.into();
            }
        }
        fault
    }

    /// By what it is found in the log.
    pub fn reference(&self) -> &str {
        let reference = self.header("x-request-id");
        assert!(reference.starts_with("LOG-") && reference.len() == 13, "{reference}");
        reference
    }
}

impl Browser {
    pub fn new(app: &TestApp) -> Self {
        Self { service: Service::InProcess(app.router()), cookies: BTreeMap::new() }
    }

    /// A browser that speaks to a process.
    pub fn of_process(address: SocketAddr) -> Self {
        Self { service: Service::Process(address), cookies: BTreeMap::new() }
    }

    /// The same browser, whose next requests another process is to answer.
    pub fn through(&self, address: SocketAddr) -> Self {
        Self { service: Service::Process(address), cookies: self.cookies.clone() }
    }

    /// Has it hold a cookie that the service did not give it.
    pub fn invent(&mut self, cookie: &str, value: &str) {
        self.cookies.insert(cookie.to_owned(), value.to_owned());
    }

    /// The same browser after the service was restarted.
    pub fn reconnect(&mut self, app: &TestApp) {
        self.service = Service::InProcess(app.router());
    }

    /// Calls a server function as a page does.
    pub async fn call(&mut self, function: &str, arguments: &Value) -> Answer {
        self.try_call(function, arguments).await.expect("the service answers")
    }

    /// The same; nothing where the service did not live to answer.
    pub async fn try_call(&mut self, function: &str, arguments: &Value) -> Option<Answer> {
        let request = self
            .request("POST", &format!("/api/{function}"))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin")
            .header(header::ORIGIN, ORIGIN);
        self.try_to_send(request.body(Body::from(arguments.to_string())).unwrap()).await
    }

    /// Calls a server function without arguments that gives a challenge.
    pub async fn challenge(&mut self, function: &str) -> Challenge {
        self.call(function, &json!({})).await.value()
    }

    /// Posts a form from a page with JavaScript.
    pub async fn post(&mut self, function: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_accepting("application/json", function, fields).await
    }

    /// Posts a form as a browser without JavaScript does.
    pub async fn submit(&mut self, function: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_accepting("text/html,application/xhtml+xml", function, fields).await
    }

    async fn post_accepting(&mut self, accept: &str, function: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.form(accept, function, fields);
        self.send(request).await
    }

    fn form(&self, accept: &str, function: &str, fields: &[(&str, &str)]) -> Request<Body> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .request("POST", &format!("/api/{function}"))
            .header(header::ACCEPT, accept)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::CONTENT_LENGTH, body.len())
            .header(header::REFERER, format!("{ORIGIN}/somewhere"))
            .header(header::ORIGIN, ORIGIN);
        request.body(Body::from(body)).unwrap()
    }

    /// Posts a form from a page with JavaScript; nothing where the service did not live to answer.
    pub async fn try_to_post(&mut self, function: &str, fields: &[(&str, &str)]) -> Option<Answer> {
        let request = self.form("application/json", function, fields);
        self.try_to_send(request).await
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.request("GET", path).header(header::ACCEPT, "text/html").body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// The beginning of a request with this browser's cookies.
    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder().method(method).uri(path).header(header::HOST, "localhost:3000");
        if cookies.is_empty() { request } else { request.header(header::COOKIE, cookies.join("; ")) }
    }

    /// Sends a request and keeps the cookies of its answer.
    pub async fn send(&mut self, request: Request<Body>) -> Answer {
        self.try_to_send(request).await.expect("the service answers")
    }

    async fn try_to_send(&mut self, request: Request<Body>) -> Option<Answer> {
        let asked = format!("{} {}", request.method(), request.uri().path());
        let began = Instant::now();
        let (parts, body) = match &self.service {
            Service::InProcess(router) => {
                let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
                (parts, to_bytes(body, ANSWER_LIMIT).await.unwrap())
            }
            Service::Process(address) => send_to(*address, request).await?,
        };
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if parts.status == StatusCode::SERVICE_UNAVAILABLE {
            // Whether it ended at once or hung: it is read where a test fails.
            println!("{asked}: 503 after {:?}", began.elapsed());
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        Some(Answer { status: parts.status, headers: parts.headers, body })
    }
}

/// Sends a request over a connection of its own; nothing where that broke.
async fn send_to(address: SocketAddr, request: Request<Body>) -> Option<(response::Parts, Bytes)> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().unwrap().clone();
    parts.uri = Uri::builder().scheme("http").authority(address.to_string()).path_and_query(path).build().unwrap();
    let body = to_bytes(body, ANSWER_LIMIT).await.unwrap().to_vec();
    let send = move || {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        let response = ureq::Agent::new_with_config(config).run(Request::from_parts(parts, body)).ok()?;
        let (parts, mut body) = response.into_parts();
        Some((parts, body.read_to_vec().ok()?.into()))
    };
    tokio::task::spawn_blocking(send).await.unwrap()
}
