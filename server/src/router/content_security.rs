//! The Content-Security-Policy (CSP level 3).
//!
//! A page may load its own scripts (those with its nonce, and wasm), styles, images and fonts, and speak to this
//! service and to the card bridge. What is no page may do nothing. `upgrade-insecure-requests` must never be among it:
//! Firefox turns `ws:` into `wss:` by it, and the bridge is reached no more.

use app::config::PageConfig;
use axum::http::{HeaderValue, header::CONTENT_SECURITY_POLICY};
use leptos::{
    config::{Env, LeptosOptions},
    nonce::use_nonce,
};
use leptos_axum::ResponseOptions;

/// The policy of what is no page.
pub const NOTHING: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");

/// The policy of pages, but for the nonce.
#[derive(Clone)]
pub struct ContentSecurity {
    connect: String,
    /// What may be shown in a frame: the mails of a demonstration.
    frame: &'static str,
}

impl ContentSecurity {
    /// Settles whom pages may speak to. In development `cargo leptos watch` tells them to load again.
    pub fn new(config: &PageConfig, options: &LeptosOptions) -> Self {
        let own = format!("'self' ws://127.0.0.1:{}", config.bridge_port);
        let connect = match (&options.env, options.reload_port) {
            (Env::DEV, port) => format!("{own} ws://127.0.0.1:{port} ws://localhost:{port}"),
            (Env::PROD, _) => own,
        };
        let frame = if config.demonstration.is_some() { "'self'" } else { "'none'" };
        Self { connect, frame }
    }

    /// Sets the policy of the answer that is being made: a page where there is a nonce.
    pub fn set(&self, response: &ResponseOptions) {
        let policy = use_nonce().and_then(|nonce| HeaderValue::from_str(&self.of_page(&nonce)).ok()).unwrap_or(NOTHING);
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }

    fn of_page(&self, nonce: &str) -> String {
        let Self { connect, frame } = self;
        format!(
            "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
             img-src 'self' data:; font-src 'self'; connect-src {connect}; frame-src {frame}; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'; object-src 'none'"
        )
    }
}
