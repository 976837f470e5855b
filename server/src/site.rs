//! The files of the pages: scripts, bundles, style. A release has them inside the program, as `make pages` made them; while
//! developing they are read from `target/site`.

use std::{borrow::Cow, fs, io, net::SocketAddr};

use axum::{
    body::Bytes,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos::config::{Env, LeptosOptions};
use rust_embed::{Embed, EmbeddedFile};
use tempfile::TempDir;

/// The name of the scripts and styles in the workspace's `[[workspace.metadata.leptos]]`.
const OUTPUT_NAME: &str = "service-centre";

/// What the folder of scripts and styles begins with: the rest is made of what is in it (`.make/name-pages`).
const PACKAGE_PREFIX: &str = "pkg-";

/// The folder while it is built; `cargo leptos watch` leaves it at that.
const DEVELOPED: &str = "pkg";

/// In which of them it stands which bundles a page needs.
const MANIFEST: &str = "__wasm_split_manifest.json";

/// How a file may be compressed beforehand, the smaller first: as browsers ask for it, and what its name ends with then.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

#[derive(Embed)]
#[folder = "../target/site"]
struct Files;

/// The files, ready to be served.
pub struct Site {
    package: String,
    /// Leptos reads the manifest from a folder, once, with the first page.
    folder: TempDir,
}

impl Site {
    /// Finds them.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when the folder that Leptos reads from cannot be made.
    pub fn open(reload_port: Option<u16>) -> io::Result<Self> {
        let package = if reload_port.is_some() { None } else { package() };
        let package = package.unwrap_or_else(|| DEVELOPED.to_owned());
        let folder = tempfile::Builder::new().prefix("service-centre-").tempdir()?;
        if let Some(manifest) = Files::get(&format!("{package}/{MANIFEST}")) {
            fs::create_dir(folder.path().join(&package))?;
            fs::write(folder.path().join(&package).join(MANIFEST), manifest.data)?;
        }
        Ok(Self { package, folder })
    }

    /// Whether there are any: a program that was built before its pages has none.
    pub fn is_there(&self) -> bool {
        self.package != DEVELOPED
    }

    /// As Leptos takes them.
    pub fn options(&self, listen: SocketAddr, reload_port: Option<u16>) -> LeptosOptions {
        LeptosOptions::builder()
            .output_name(OUTPUT_NAME)
            .site_root(self.folder.path().to_string_lossy().into_owned())
            .site_pkg_dir(self.package.clone())
            .site_addr(listen)
            .env(if reload_port.is_some() { Env::DEV } else { Env::PROD })
            .reload_port(u32::from(reload_port.unwrap_or_default()))
            .build()
    }
}

fn package() -> Option<String> {
    let folders = Files::iter().filter_map(|file| Some(file.split_once('/')?.0.to_owned()));
    folders.filter(|folder| folder.starts_with(PACKAGE_PREFIX)).max()
}

/// Answers with a file, where the address is that of one.
pub async fn answer_with_file(request: Request, next: Next) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    match file(path, request.headers()).filter(|_| [Method::GET, Method::HEAD].contains(request.method())) {
        Some(answer) => answer,
        None => next.run(request).await,
    }
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let kind = kind(path)?;
    let plain = || Files::get(path).map(|file| (file, None));
    let (EmbeddedFile { data, metadata, .. }, encoding) = compressed(path, headers).or_else(plain)?;
    // Of what is sent: each of the encodings is another representation (RFC 9110, 8.8.3).
    let tag =
        HeaderValue::try_from(format!("\"{}\"", base16ct::lower::encode_string(&metadata.sha256_hash()[..16]))).ok()?;
    let known = headers.get(header::IF_NONE_MATCH) == Some(&tag);
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { bytes(data).into_response() };
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.insert(header::ETAG, tag);
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    answer.insert(header::CACHE_CONTROL, lifetime(path));
    if let Some(encoding) = encoding {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

/// What a file holds. It stays inside the program: a thousand browsers that take it slowly need no more memory than one.
fn bytes(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => data.into(),
    }
}

/// The smallest of the representations that a browser takes.
fn compressed(path: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = headers.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    let is_accepted = |encoding: &str| {
        accepted.split(',').any(|range| {
            let (name, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight: f32 = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()).unwrap_or(0.0);
            name.trim() == encoding && weight > 0.0
        })
    };
    let mut wanted = ENCODINGS.into_iter().filter(|(encoding, _)| is_accepted(encoding));
    wanted.find_map(|(encoding, ending)| Some((Files::get(&[path, ending].concat())?, Some(encoding))))
}

/// The media type of a file by its name; nothing where none of ours is called so.
fn kind(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml; charset=utf-8",
        "wasm" => "application/wasm",
        _ => return None,
    })
}

/// A file in a folder that is named after what is in it never changes (RFC 8246); others are asked for again each time.
fn lifetime(path: &str) -> HeaderValue {
    let never_changes = path.starts_with(PACKAGE_PREFIX);
    HeaderValue::from_static(if never_changes { "public, max-age=31536000, immutable" } else { "no-cache" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_after_its_content_is_kept_for_good() {
        assert_eq!(lifetime("pkg-0123456789abcdef/service-centre.css"), "public, max-age=31536000, immutable");
        assert_eq!(lifetime("favicon.svg"), "no-cache");
        assert_eq!(lifetime("pkg/service-centre.css"), "no-cache");
    }

    #[test]
    fn the_style_and_the_manifest_are_no_pages_of_their_own() {
        assert_eq!(kind("pkg/service-centre.css"), Some("text/css; charset=utf-8"));
        assert_eq!(kind("pkg/__wasm_split_manifest.json"), None);
        assert_eq!(kind("unlock"), None);
    }
}
