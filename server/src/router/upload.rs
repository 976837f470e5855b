//! `/api/ra/import/upload`: the files of an import, sent by a manager's page as one form. First the order and the proof of
//! the officer's card, and then the files; the session, the order and the proof are checked before a file is taken, and
//! before that the server keeps a megabyte at most.
//!
//! What holds for every request holds here too (Host, origin, how often an address asks), but for the size of the body and
//! the time of the answer, which have limits of their own. What follows when the files are there goes on without the
//! request: the page asks for its outcome.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use app::{DeskFault, LogReference};
use axum::{
    Json, Router,
    body::{Body, BodyDataStream, Bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use card_protocol::CardProof;
use domain::{
    import::{ImportRun, RunEnd},
    ra::{ImportOrder, RaOfficer, Task},
};
use futures::{Stream, StreamExt};
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio::time::{Instant, timeout, timeout_at};

use super::Shares;
use crate::import::upload::{Received, Uploads};

/// Where files are sent.
pub const PATH: &str = "/api/ra/import/upload";

/// How large both files may be together. Larger ones are for the command line, on the server itself.
pub const UPLOAD_LIMIT: u64 = 256 * 1024 * 1024;

/// How large order and proof may each be.
const FIELD_LIMIT: u64 = 8 * 1024;

/// How long the next piece may take to arrive.
const PIECE_WITHIN: Duration = Duration::from_secs(20);

/// How long all of it may take.
const ALL_WITHIN: Duration = Duration::from_mins(30);

/// How often it is noted that files still arrive.
const NOTED_EVERY: Duration = Duration::from_secs(30);

/// What the route needs.
#[derive(Clone)]
pub struct UploadState {
    /// What imports need.
    pub uploads: Uploads,
    /// Who looks up whoever asks.
    pub shares: Shares,
}

/// The route.
pub fn routes<S: Clone + Send + Sync + 'static>(state: UploadState) -> Router<S> {
    Router::new().route(PATH, post(upload)).with_state(state)
}

/// Whether the limits of others do not hold for a request.
pub fn is_upload(request: &Request) -> bool {
    request.uri().path() == PATH
}

async fn upload(State(state): State<UploadState>, request: Request) -> Response {
    match begin(&state, request).await {
        Ok(()) => (StatusCode::ACCEPTED, Json(())).into_response(),
        Err(fault) => {
            let status = match fault {
                DeskFault::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            (status, Json(fault)).into_response()
        }
    }
}

/// Takes order, proof and files. What goes on afterwards does so by itself, and so does the rest of this where whoever
/// asked goes away.
async fn begin(state: &UploadState, request: Request) -> Result<(), DeskFault> {
    let officer = state.shares.officer(request.headers()).await?;
    officer.may_do(Task::Import)?;
    if state.uploads.key.is_none() {
        return Err(DeskFault::NoImportKey);
    }
    let gate = Gate::default();
    let mut form = form(request, &gate)?;
    let deadline = Instant::now() + ALL_WITHIN;
    let order: ImportOrder = json(&mut form, "order").await?;
    let proof: CardProof = json(&mut form, "proof").await?;
    let uploads = state.uploads.clone();
    tokio::spawn(async move { receive(uploads, officer, order, proof, (form, gate), deadline).await })
        .await
        .map_err(|_| DeskFault::Unavailable(LogReference::default()))?
}

async fn receive(
    uploads: Uploads,
    officer: RaOfficer,
    order: ImportOrder,
    proof: CardProof,
    (mut form, gate): (Multipart<'static>, Gate),
    deadline: Instant,
) -> Result<(), DeskFault> {
    let mut run = uploads.services.desk.begin_import(&officer, &order, &proof).await?;
    gate.open();
    let received = timeout_at(deadline, receive_both(&uploads, &mut run, &mut form)).await;
    let Ok(Ok((people, cards))) = received else {
        tracing::warn!("the files of an import did not arrive");
        uploads.end(&mut run, RunEnd::NotReceived).await;
        return Err(DeskFault::NotReceived);
    };
    tokio::spawn(uploads.run(run, order, people, cards));
    Ok(())
}

async fn receive_both(
    uploads: &Uploads,
    run: &mut ImportRun,
    form: &mut Multipart<'static>,
) -> Result<(Received, Received), DeskFault> {
    let people = receive_file(uploads, run, form, "people").await?;
    let cards = receive_file(uploads, run, form, "cards").await?;
    Ok((people, cards))
}

async fn receive_file(
    uploads: &Uploads,
    run: &mut ImportRun,
    form: &mut Multipart<'static>,
    name: &str,
) -> Result<Received, DeskFault> {
    let mut field = next(form, name).await?;
    let receiving = uploads.receive();
    let mut noted = Instant::now();
    while let Some(piece) = in_time(field.chunk()).await? {
        receiving.piece(piece).await;
        if noted.elapsed() >= NOTED_EVERY {
            uploads.services.desk.import_goes_on(run).await?;
            noted = Instant::now();
        }
    }
    receiving.end().await.map_err(|fault| {
        tracing::error!(fault = &fault as &dyn std::error::Error, "a file of an import cannot be kept");
        DeskFault::Unavailable(LogReference::default())
    })
}

/// How much is let in before an officer has signed for it: a header of a part is kept in memory as a whole.
const BEFORE_SIGNATURE: u64 = 1024 * 1024;

/// Lets little of a body in before it is opened.
#[derive(Clone, Default)]
struct Gate {
    is_open: Arc<AtomicBool>,
}

impl Gate {
    fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }

    fn guard(&self, body: BodyDataStream) -> impl Stream<Item = Result<Bytes, axum::Error>> + Send + use<> {
        let (gate, mut taken) = (self.clone(), 0);
        body.map(move |piece| {
            let piece = piece?;
            taken += piece.len() as u64;
            if taken > BEFORE_SIGNATURE && !gate.is_open.load(Ordering::SeqCst) {
                return Err(axum::Error::new("too much before the signature"));
            }
            Ok(piece)
        })
    }
}

fn form(request: Request<Body>, gate: &Gate) -> Result<Multipart<'static>, DeskFault> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let boundary = kind.and_then(|kind| multer::parse_boundary(kind).ok()).ok_or(DeskFault::NotReceived)?;
    // What stands around the files is little.
    let sizes = SizeLimit::new()
        .whole_stream(UPLOAD_LIMIT + 4 * FIELD_LIMIT)
        .for_field("order", FIELD_LIMIT)
        .for_field("proof", FIELD_LIMIT);
    let constraints = Constraints::new().allowed_fields(vec!["order", "proof", "people", "cards"]).size_limit(sizes);
    Ok(Multipart::with_constraints(gate.guard(request.into_body().into_data_stream()), boundary, constraints))
}

async fn json<T: serde::de::DeserializeOwned>(form: &mut Multipart<'static>, name: &str) -> Result<T, DeskFault> {
    let field = next(form, name).await?;
    let text = in_time(field.text()).await?;
    serde_json::from_str(&text).map_err(|_| DeskFault::NotReceived)
}

/// The next field, which has to be this one.
async fn next(form: &mut Multipart<'static>, name: &str) -> Result<Field<'static>, DeskFault> {
    let field = in_time(form.next_field()).await?;
    field.filter(|field| field.name() == Some(name)).ok_or(DeskFault::NotReceived)
}

async fn in_time<T>(piece: impl Future<Output = multer::Result<T>>) -> Result<T, DeskFault> {
    timeout(PIECE_WITHIN, piece).await.ok().and_then(Result::ok).ok_or(DeskFault::NotReceived)
}
