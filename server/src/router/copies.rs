//! `/ra/reports.csv` and `/ra/trail.csv`: what the desk's pages show, as files; and `/ra/cards/request.pem`: what a card asks
//! another certification authority for. The cookie of the session says who asks.
//!
//! A cell that a spreadsheet would take for a formula begins with an apostrophe instead. The copy of the trail is written
//! while it is read, so that it takes no more memory when it is long.

use app::{
    DeskFault,
    desk::{ReportParameters, RequestParameters, TrailParameters},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use card_protocol::Slot;
use domain::{
    Timestamp,
    figure::Figure,
    ports::StoreError,
    ra::{Bucket, Desk, TrailCopy, TrailLine},
};
use time::format_description::well_known::{Iso8601, Rfc3339};

use super::Shares;

const CSV: &str = "text/csv; charset=utf-8";

const TRAIL_HEADER: [&str; 13] = [
    "number",
    "time",
    "event",
    "outcome",
    "person_trail_name",
    "user_number",
    "name",
    "card",
    "officer_trail_name",
    "officer_user_number",
    "reason",
    "check",
    "reference",
];

/// The routes.
pub fn routes<S: Clone + Send + Sync + 'static>(shares: Shares) -> Router<S> {
    Router::new()
        .route("/ra/reports.csv", get(reports))
        .route("/ra/trail.csv", get(trail))
        .route("/ra/cards/request.pem", get(request))
        .with_state(shares)
}

async fn reports(
    State(shares): State<Shares>,
    headers: HeaderMap,
    Query(parameters): Query<ReportParameters>,
) -> Response {
    let report = async {
        let officer = shares.officer(&headers).await?;
        let desk = &shares.officers.desk;
        let wanted = parameters.read(desk.today())?;
        Ok::<_, DeskFault>(desk.report(&officer, wanted.days, wanted.step, &wanted.whose).await?)
    };
    let report = match report.await {
        Ok(report) => report,
        Err(fault) => return refused(&fault),
    };
    let mut table = String::new();
    let figures = Figure::ALL.map(Figure::as_str);
    let counts = |bucket: &Bucket| Figure::ALL.map(|figure| bucket.of(figure).to_string());
    if parameters.is_by_organisation() {
        row(&mut table, ["organisation"].into_iter().chain(figures));
        for (organisation, bucket) in &report.organisations {
            let name = organisation.as_ref().map(|organisation| organisation.as_str().to_owned()).unwrap_or_default();
            row(&mut table, [name].into_iter().chain(counts(bucket)));
        }
    } else {
        row(&mut table, ["from"].into_iter().chain(figures));
        for line in &report.lines {
            let first = line.first.format(&Iso8601::DATE).unwrap_or_default();
            row(&mut table, [first].into_iter().chain(counts(&line.bucket)));
        }
    }
    attachment("report.csv", CSV, Body::from(table))
}

async fn trail(
    State(shares): State<Shares>,
    headers: HeaderMap,
    Query(parameters): Query<TrailParameters>,
) -> Response {
    let desk = shares.officers.desk.clone();
    let copy = async {
        let officer = shares.officer(&headers).await?;
        Ok::<_, DeskFault>(desk.copy_trail(&officer, &parameters.read()?).await?)
    };
    let copy = match copy.await {
        Ok(copy) => copy,
        Err(fault) => return refused(&fault),
    };
    let mut head = String::new();
    row(&mut head, TRAIL_HEADER);
    let rows = futures::stream::try_unfold((desk, copy), more);
    let table = futures::StreamExt::chain(futures::stream::once(async { Ok(Bytes::from(head)) }), rows);
    attachment("trail.csv", CSV, Body::from_stream(table))
}

async fn request(
    State(shares): State<Shares>,
    headers: HeaderMap,
    Query(RequestParameters { card, key }): Query<RequestParameters>,
) -> Response {
    let request = async {
        let officer = shares.officer(&headers).await?;
        let guid = card.parse().map_err(|_| DeskFault::Unknown)?;
        Ok::<_, DeskFault>((guid, shares.officers.desk.certificate_request(&officer, &guid, key).await?))
    };
    match request.await {
        Ok((guid, request)) => {
            let name = match key {
                Slot::Authentication => "9A",
                Slot::CardAuthentication => "9E",
            };
            let text = pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", request));
            attachment(&format!("{guid}-{name}.pem"), "application/x-pem-file", Body::from(text))
        }
        Err(fault) => refused(&fault),
    }
}

/// The next rows of a copy. Where the store fails the download breaks off, so that nobody takes a part for the whole.
async fn more((desk, mut copy): (Desk, TrailCopy)) -> Result<Option<(Bytes, (Desk, TrailCopy))>, StoreError> {
    let lines = desk.continue_copy(&mut copy).await.inspect_err(|fault| {
        tracing::error!(fault = fault as &dyn std::error::Error, "a copy of the trail broke off");
    })?;
    if lines.is_empty() {
        return Ok(None);
    }
    let mut rows = String::new();
    for line in &lines {
        row(&mut rows, cells(line));
    }
    Ok(Some((Bytes::from(rows), (desk, copy))))
}

fn cells(line: &TrailLine) -> [String; 13] {
    let TrailLine { number, entry, person, card, officer } = line;
    let word = |value: Option<serde_json::Value>| match value {
        Some(serde_json::Value::String(word)) => word,
        _ => String::new(),
    };
    let by = entry.by.as_ref();
    [
        number.to_string(),
        time(entry.at),
        entry.event.name(),
        word(serde_json::to_value(entry.outcome).ok()),
        entry.person.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(),
        person.as_ref().map(|person| person.user_number.to_string()).unwrap_or_default(),
        person.as_ref().map(|person| person.name.clone()).unwrap_or_default(),
        card.map(|guid| guid.to_string()).unwrap_or_default(),
        by.map(|by| by.officer.as_str().to_owned()).unwrap_or_default(),
        officer.as_ref().map(|officer| officer.user_number.to_string()).unwrap_or_default(),
        word(by.and_then(|by| serde_json::to_value(by.reason?).ok())),
        word(by.and_then(|by| serde_json::to_value(by.check?).ok())),
        entry.reference.as_ref().map(|reference| reference.as_str().to_owned()).unwrap_or_default(),
    ]
}

fn time(at: Timestamp) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

fn attachment(name: &str, kind: &str, file: Body) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], file).into_response()
}

/// Says why there is no file, where the browser would have saved one.
fn refused(fault: &DeskFault) -> Response {
    match fault {
        DeskFault::SignedOut => (StatusCode::SEE_OTHER, [(header::LOCATION, "/sign-in?over")]).into_response(),
        DeskFault::NoOfficer | DeskFault::Role => (StatusCode::FORBIDDEN, fault.words()).into_response(),
        DeskFault::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, fault.words()).into_response(),
        _ => (StatusCode::UNPROCESSABLE_ENTITY, fault.words()).into_response(),
    }
}

/// Writes a row (RFC 4180).
fn row(table: &mut String, cells: impl IntoIterator<Item = impl AsRef<str>>) {
    for (position, text) in cells.into_iter().enumerate() {
        if position > 0 {
            table.push(',');
        }
        cell(table, text.as_ref());
    }
    table.push_str("\r\n");
}

fn cell(table: &mut String, text: &str) {
    // What spreadsheets read as the beginning of a formula (OWASP, CSV injection).
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
    if text.contains([',', '"', '\r', '\n', '\'']) || !guard.is_empty() {
        table.push('"');
        table.push_str(guard);
        table.push_str(&text.replace('"', "\"\""));
        table.push('"');
    } else {
        table.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_and_no_formula() {
        let mut table = String::new();
        row(&mut table, ["plain", "a,b", "say \"hi\"", "=1+1", "-2", "@x", "+3", "a=b", "\tx", ""]);
        assert_eq!(table, "plain,\"a,b\",\"say \"\"hi\"\"\",\"'=1+1\",\"'-2\",\"'@x\",\"'+3\",a=b,\"'\tx\",\r\n");
    }
}
