//! A browser: it keeps cookies, calls server functions, and notes how long each took.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::{connections::Connections, figures::Figures};

/// How long a browser waits for an answer: longer than the service may take for one.
const PATIENCE: Duration = Duration::from_secs(40);

/// What browsers share.
pub struct Surroundings {
    /// The origin of the service, as its pages write it.
    pub origin: String,
    /// How its servers are reached, by those who have no connections of their own.
    pub connections: Arc<Connections>,
    /// The address of the pages' style, once a browser has loaded files.
    pub style: OnceCell<String>,
}

/// A browser with its cookies.
pub struct Browser {
    around: Arc<Surroundings>,
    figures: Arc<Figures>,
    connections: Arc<Connections>,
    /// How many more it makes for the files of a page.
    others: usize,
    cookies: BTreeMap<String, String>,
}

const JSON: &str = "application/json";
const ENCODINGS: &str = "gzip, deflate, br";
const FORM: &str = "application/x-www-form-urlencoded";

/// What the name of the pages' style ends with.
const STYLE: &str = ".css";

/// How long the connections of a browser are kept when nobody uses it any more, if the service does not close them.
const LINGERS: Duration = Duration::from_mins(1);

/// What is sent, but for its body.
struct Sent<'a> {
    method: &'a str,
    path: &'a str,
    /// What it is noted as.
    name: &'static str,
    kind: &'a str,
    accepted: &'a str,
    /// How its answer may be compressed.
    encodings: &'static str,
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
    /// One without cookies; with so many connections of its own, or those of everybody.
    pub fn new(around: Arc<Surroundings>, figures: Arc<Figures>, connections: Option<NonZeroUsize>) -> Self {
        let others = connections.map_or(0, |count| count.get() - 1);
        let connections =
            connections.map_or_else(|| Arc::clone(&around.connections), |_| Arc::new(around.connections.of_one()));
        Self { around, figures, connections, others, cookies: BTreeMap::new() }
    }

    /// The origin of the service.
    pub fn origin(&self) -> &str {
        &self.around.origin
    }

    /// Opens a page; on connections that are its own also files.
    pub async fn open(&mut self, path: &'static str) -> Result<(), Fault> {
        let sent = Sent { method: "GET", path, name: path, kind: JSON, accepted: "text/html", encodings: ENCODINGS };
        self.send(sent, Bytes::new()).await?;
        if self.others == 0 {
            return Ok(());
        }
        let style = self.around.style.get_or_try_init(|| self.find_style(path)).await?;
        try_join_all((0..self.others).map(|_| self.load(style))).await.map(drop)
    }

    /// Looks where the style of a page is, which is read as it is written for that.
    async fn find_style(&self, path: &'static str) -> Result<String, Fault> {
        let sent = Sent { method: "GET", path, name: path, kind: JSON, accepted: "text/html", encodings: "identity" };
        let page = self.in_time(&sent, self.connections.send(self.request(&sent, Bytes::new())?)).await?;
        let page = String::from_utf8_lossy(page.body());
        let style = page.split("href=\"").find_map(|rest| rest.split('"').next()?.strip_suffix(STYLE));
        style.map(|name| format!("{name}{STYLE}")).ok_or_else(|| Fault::Other(format!("no style in {path}")))
    }

    /// Loads a file on a connection that is made for it.
    async fn load(&self, path: &str) -> Result<(), Fault> {
        let sent = Sent { method: "GET", path, name: "a file", kind: JSON, accepted: "*/*", encodings: ENCODINGS };
        let loading = self.connections.send_on_another(self.request(&sent, Bytes::new())?);
        match self.in_time(&sent, loading).await?.status() {
            StatusCode::OK => Ok(()),
            status => Err(Fault::Other(format!("{path}: {status}"))),
        }
    }

    /// Is used no more. Its connections stay open for a time, as those of browsers do.
    pub fn leave(self) {
        tokio::spawn(async move {
            tokio::time::sleep(LINGERS).await;
            drop(self.connections);
        });
    }

    /// Calls a server function.
    pub async fn call<T: DeserializeOwned>(&mut self, function: &'static str, arguments: &Value) -> Result<T, Fault> {
        let path = format!("/api/{function}");
        let sent =
            Sent { method: "POST", path: &path, name: function, kind: JSON, accepted: JSON, encodings: ENCODINGS };
        let body = self.send(sent, arguments.to_string().into()).await?;
        serde_json::from_slice(&body).map_err(|fault| Fault::Other(format!("{function}: {fault}")))
    }

    /// Posts a form, as a page with JavaScript does.
    pub async fn post(&mut self, function: &'static str, fields: &[(&str, &str)]) -> Result<(), Fault> {
        let path = format!("/api/{function}");
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let sent =
            Sent { method: "POST", path: &path, name: function, kind: FORM, accepted: JSON, encodings: ENCODINGS };
        self.send(sent, body.into()).await.map(drop)
    }

    async fn send(&mut self, sent: Sent<'_>, body: Bytes) -> Result<Bytes, Fault> {
        let name = sent.name;
        let answer = self.in_time(&sent, self.connections.send(self.request(&sent, body)?)).await?;
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

    fn request(&self, sent: &Sent<'_>, body: Bytes) -> Result<Request<Full<Bytes>>, Fault> {
        let host = self.origin().rsplit('/').next().unwrap_or_default();
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Request::builder()
            .method(sent.method)
            .uri(sent.path)
            .header(header::HOST, host)
            .header(header::ORIGIN, self.origin())
            .header(header::ACCEPT, sent.accepted)
            .header(header::CONTENT_TYPE, sent.kind)
            .header(header::ACCEPT_ENCODING, sent.encodings)
            .header(header::COOKIE, cookies.join("; "))
            .body(Full::new(body))
            .map_err(|fault| Fault::Other(fault.to_string()))
    }

    /// Waits for an answer, and notes how long it took.
    async fn in_time(
        &self,
        sent: &Sent<'_>,
        answer: impl Future<Output = anyhow::Result<Response<Bytes>>>,
    ) -> Result<Response<Bytes>, Fault> {
        let name = sent.name;
        let began = Instant::now();
        let answer = match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(fault)) => return Err(Fault::Other(format!("{name}: {fault:#}"))),
            Err(_) => return Err(Fault::Other(format!("{name}: no answer in time"))),
        };
        self.figures.note(name, answer.status(), began.elapsed());
        Ok(answer)
    }
}
