//! A browser: it keeps cookies, calls server functions, and notes how long each took.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::Full;
use hyper::{Request, StatusCode, body::Bytes, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{connections::Connections, figures::Figures};

/// How long a browser waits for an answer: longer than the service may take for one.
const PATIENCE: Duration = Duration::from_secs(40);

/// What browsers share.
pub struct Surroundings {
    /// The origin of the service, as its pages write it.
    pub origin: String,
    /// How its servers are reached.
    pub connections: Connections,
}

/// A browser with its cookies.
pub struct Browser {
    around: Arc<Surroundings>,
    figures: Arc<Figures>,
    cookies: BTreeMap<String, String>,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// What is sent, but for its body.
struct Sent<'a> {
    method: &'a str,
    path: &'a str,
    /// What it is noted as.
    name: &'static str,
    kind: &'a str,
    accepted: &'a str,
}

/// A request was not answered as it was meant to be.
#[derive(Debug)]
pub enum Fault {
    /// The service said that it cannot do it now (429, 503), and after how many seconds to ask again.
    Busy(Option<u64>),
    /// Anything else.
    Other(String),
}

impl Browser {
    /// One without cookies.
    pub fn new(around: Arc<Surroundings>, figures: Arc<Figures>) -> Self {
        Self { around, figures, cookies: BTreeMap::new() }
    }

    /// The origin of the service.
    pub fn origin(&self) -> &str {
        &self.around.origin
    }

    /// Opens a page.
    pub async fn open(&mut self, path: &'static str) -> Result<(), Fault> {
        self.send(Sent { method: "GET", path, name: path, kind: JSON, accepted: "text/html" }, Bytes::new())
            .await
            .map(drop)
    }

    /// Calls a server function.
    pub async fn call<T: DeserializeOwned>(&mut self, function: &'static str, arguments: &Value) -> Result<T, Fault> {
        let path = format!("/api/{function}");
        let sent = Sent { method: "POST", path: &path, name: function, kind: JSON, accepted: JSON };
        let body = self.send(sent, arguments.to_string().into()).await?;
        serde_json::from_slice(&body).map_err(|fault| Fault::Other(format!("{function}: {fault}")))
    }

    /// Posts a form, as a page with JavaScript does.
    pub async fn post(&mut self, function: &'static str, fields: &[(&str, &str)]) -> Result<(), Fault> {
        let path = format!("/api/{function}");
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let sent = Sent { method: "POST", path: &path, name: function, kind: FORM, accepted: JSON };
        self.send(sent, body.into()).await.map(drop)
    }

    async fn send(&mut self, sent: Sent<'_>, body: Bytes) -> Result<Bytes, Fault> {
        let Sent { method, path, name, kind, accepted } = sent;
        let host = self.origin().rsplit('/').next().unwrap_or_default();
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, host)
            .header(header::ORIGIN, self.origin())
            .header(header::ACCEPT, accepted)
            .header(header::CONTENT_TYPE, kind)
            .header(header::ACCEPT_ENCODING, "gzip, deflate, br")
            .header(header::COOKIE, cookies.join("; "))
            .body(Full::new(body))
            .map_err(|fault| Fault::Other(fault.to_string()))?;
        let began = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, self.around.connections.send(request)).await;
        let took = began.elapsed();
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(fault)) => return Err(Fault::Other(format!("{name}: {fault:#}"))),
            Err(_) => return Err(Fault::Other(format!("{name}: no answer in time"))),
        };
        self.figures.note(name, answer.status(), took);
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().ok().and_then(|cookie| cookie.split(';').next()?.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        match answer.status() {
            // A form that was taken leads to the next page.
            StatusCode::OK | StatusCode::FOUND => Ok(answer.into_body()),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                let after = answer.headers().get(header::RETRY_AFTER);
                Err(Fault::Busy(after.and_then(|after| after.to_str().ok()?.parse().ok())))
            }
            status => Err(Fault::Other(format!("{name}: {status} {}", String::from_utf8_lossy(answer.body())))),
        }
    }
}
