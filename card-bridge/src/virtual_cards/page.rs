//! The page that inserts, removes and locks virtual cards: `/cards`.
//!
//! It is the bridge's own. What changes a card is taken from this page only, whatever other page a browser shows.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Query, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, extract};
use card_protocol::CardFailure;
use serde::Deserialize;
use virtual_card::issuance;

use super::VirtualCards;
use crate::readers::Afterwards;
use crate::websocket::Shared;

/// No script, nothing from elsewhere, in no frame.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

#[derive(Clone)]
struct Page {
    shared: Arc<Shared>,
    cards: Arc<VirtualCards>,
}

/// The routes of the page.
pub(crate) fn router(shared: Arc<Shared>, cards: Arc<VirtualCards>) -> Router {
    let page = Page { shared, cards };
    Router::new()
        .route("/cards", get(show))
        .route("/cards/insert", post(insert))
        .route("/cards/remove", post(remove))
        .route("/cards/lock", post(lock))
        .layer(middleware::from_fn_with_state(page.clone(), guard))
        .with_state(page)
}

/// Own host only, and whatever changes something from the own page only.
async fn guard(State(page): State<Page>, request: extract::Request, next: Next) -> Response {
    let gatekeeper = &page.shared.gatekeeper;
    let may = match *request.method() {
        Method::GET | Method::HEAD => gatekeeper.is_own_host(request.headers()),
        _ => gatekeeper.is_own_page(request.headers()),
    };
    if !may {
        return (StatusCode::FORBIDDEN, "This page is used on its own machine and from itself only.").into_response();
    }
    answer(request, next).await
}

async fn answer(request: Request, next: Next) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, next.run(request).await).into_response()
}

#[derive(Template)]
#[template(path = "cards.html")]
struct CardsPage {
    cards: Vec<CardRow>,
    readers: Vec<(&'static str, Option<String>)>,
    problem: Option<String>,
    /// What was just done, where it shows nowhere else.
    done: Option<&'static str>,
}

struct CardRow {
    name: String,
    /// The reader that holds it.
    reader: Option<&'static str>,
}

/// What was just done.
#[derive(Deserialize)]
struct Done {
    locked: Option<String>,
}

async fn show(State(page): State<Page>, Query(done): Query<Done>) -> Response {
    let done = done.locked.map(|_| "The card is locked: it was given wrong passcodes until it took no more.");
    render(&page, StatusCode::OK, None, done)
}

fn render(page: &Page, status: StatusCode, problem: Option<String>, done: Option<&'static str>) -> Response {
    let names = match page.cards.names() {
        Ok(names) => names,
        Err(error) => return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    };
    let readers = page.cards.held();
    let row = |name: String| {
        let holds = |(_, held): &&(&str, Option<String>)| held.as_ref() == Some(&name);
        CardRow { reader: readers.iter().find(holds).map(|(reader, _)| *reader), name }
    };
    let html = CardsPage { cards: names.into_iter().map(row).collect(), readers: readers.clone(), problem, done };
    match html.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[derive(Deserialize)]
struct Insert {
    card: String,
    reader: Option<String>,
}

/// The reader that a button is about: the first where it doesn't say.
#[derive(Deserialize)]
struct In {
    reader: Option<String>,
}

async fn insert(State(page): State<Page>, Form(form): Form<Insert>) -> Response {
    answered(&page, "/cards", page.cards.insert(&form.card, form.reader.as_deref()).map_err(|error| error.to_string()))
}

async fn remove(State(page): State<Page>, Form(form): Form<In>) -> Response {
    answered(&page, "/cards", page.cards.remove(form.reader.as_deref()).map_err(|error| error.to_string()))
}

async fn lock(State(page): State<Page>, Form(form): Form<In>) -> Response {
    let lock = |card: &mut dyn piv::Card, _| issuance::lock(card).map_err(|_| CardFailure::UnsupportedCard);
    let locked = page.shared.worker.carry_out(form.reader, Afterwards::Reset, lock).await;
    let problem = |failure| match failure {
        CardFailure::NoCard => "Insert a card first.".to_owned(),
        CardFailure::Busy => "A website is using the card. Try again.".to_owned(),
        other => format!("The card was not locked: {other}."),
    };
    answered(&page, "/cards?locked", locked.map_err(problem))
}

fn answered(page: &Page, then: &str, result: Result<(), String>) -> Response {
    match result {
        Ok(()) => Redirect::to(then).into_response(),
        Err(problem) => render(page, StatusCode::CONFLICT, Some(problem), None),
    }
}
