//! The files of an import on their way from the page to the service: digested piece by piece, and then sent as one form. A
//! file is never in memory as a whole. And small texts out of files.

use std::fmt::Write;

use leptos::{html, prelude::*};
use sha2::{Digest, Sha256};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FormData, RequestInit, Response};

use card_protocol::CardProof;

use crate::server_fns::{
    LogReference,
    importing::{Extent, ImportOrderText},
    ra::DeskFault,
};

/// Where the files are sent.
const PATH: &str = "/api/ra/import/upload";

/// How much of a file is read at once, in bytes.
const PIECE: u32 = 4 * 1024 * 1024;

/// The fields of the page, and what its officer signs for.
#[derive(Clone, Copy)]
pub struct ImportForm {
    /// The file of people.
    pub people: NodeRef<html::Input>,
    /// The file of cards.
    pub cards: NodeRef<html::Input>,
    /// What is kept where a row is refused.
    pub extent: RwSignal<Option<Extent>>,
    order: StoredValue<Option<ImportOrderText>>,
}

impl ImportForm {
    /// Makes it, with nothing chosen.
    pub fn new() -> Self {
        Self {
            people: NodeRef::new(),
            cards: NodeRef::new(),
            extent: RwSignal::new(None),
            order: StoredValue::new(None),
        }
    }

    /// Whether a file is chosen in a field.
    pub fn is_chosen(field: NodeRef<html::Input>) -> bool {
        chosen(field).is_some()
    }

    /// How large both files are together.
    pub fn size(self) -> f64 {
        [self.people, self.cards].into_iter().filter_map(chosen).map(|file| file.size()).sum()
    }

    /// Digests what is chosen.
    ///
    /// # Errors
    ///
    /// [`DeskFault::NotReceived`] where a file cannot be read (any more).
    pub async fn digest(self) -> Result<(), DeskFault> {
        let extent = self.extent.get_untracked().ok_or(DeskFault::NotReceived)?;
        let (people, cards) = (digest(self.people).await?, digest(self.cards).await?);
        self.order.set_value(Some(ImportOrderText { people, cards, extent }));
        Ok(())
    }

    /// What the officer signs for.
    ///
    /// # Errors
    ///
    /// [`DeskFault::NotReceived`] where nothing was digested.
    pub fn order(self) -> Result<ImportOrderText, DeskFault> {
        self.order.get_value().ok_or(DeskFault::NotReceived)
    }

    /// Sends order, proof and files.
    ///
    /// # Errors
    ///
    /// [`DeskFault`].
    pub async fn send(self, proof: &CardProof) -> Result<(), DeskFault> {
        let order = self.order()?;
        let (people, cards) = chosen(self.people).zip(chosen(self.cards)).ok_or(DeskFault::NotReceived)?;
        let json = |value: Result<String, serde_json::Error>| {
            value.map_err(|_| DeskFault::Unavailable(LogReference::default()))
        };
        let (order, proof) = (json(serde_json::to_string(&order))?, json(serde_json::to_string(proof))?);
        let form = FormData::new().and_then(|form| {
            form.append_with_str("order", &order)?;
            form.append_with_str("proof", &proof)?;
            form.append_with_blob_and_filename("people", &people, "people.csv")?;
            form.append_with_blob_and_filename("cards", &cards, "cards.csv.age")?;
            Ok(form)
        });
        let form = form.map_err(|_| DeskFault::NotReceived)?;
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&form);
        let sent = JsFuture::from(window().fetch_with_str_and_init(PATH, &init)).await;
        let response: Response = sent.and_then(JsCast::dyn_into).map_err(|_| DeskFault::Unreachable)?;
        if response.ok() {
            return Ok(());
        }
        let text = read_text(&response).await.unwrap_or_default();
        Err(serde_json::from_str(&text).unwrap_or_else(|_| DeskFault::Unavailable(LogReference::default())))
    }
}

/// The text of a small file; nothing where none is chosen, it is longer than `longest` bytes, or it cannot be read.
pub async fn text_of(field: NodeRef<html::Input>, longest: u32) -> Option<String> {
    let file = chosen(field).filter(|file| file.size() <= f64::from(longest))?;
    JsFuture::from(file.text()).await.ok()?.as_string()
}

fn chosen(field: NodeRef<html::Input>) -> Option<File> {
    field.get_untracked()?.files()?.get(0)
}

async fn digest(field: NodeRef<html::Input>) -> Result<String, DeskFault> {
    let file = chosen(field).ok_or(DeskFault::NotReceived)?;
    let mut digest = Sha256::new();
    let mut from = 0.0;
    while from < file.size() {
        let until = from + f64::from(PIECE);
        let piece = read(&file, from, until).await.map_err(|_| DeskFault::NotReceived)?;
        digest.update(&piece);
        from = until;
    }
    let mut text = String::new();
    for byte in digest.finalize() {
        // A string takes what is written to it.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

async fn read(file: &File, from: f64, until: f64) -> Result<Vec<u8>, JsValue> {
    let piece = file.slice_with_f64_and_f64(from, until)?;
    let bytes = JsFuture::from(piece.array_buffer()).await?;
    Ok(js_sys::Uint8Array::new(&bytes).to_vec())
}

async fn read_text(response: &Response) -> Option<String> {
    JsFuture::from(response.text().ok()?).await.ok()?.as_string()
}
