//! Section `site`: the files of the pages, as `cargo leptos build` wrote them.

use std::path::PathBuf;

use leptos::config::{Env, LeptosOptions};
use serde::Deserialize;

/// The name of the scripts and styles in the workspace's `[[workspace.metadata.leptos]]`.
const OUTPUT_NAME: &str = "service-centre";

/// The files of the pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteSection {
    /// The folder that holds them.
    pub root: PathBuf,
    /// The folder below it with the scripts and styles.
    pub pkg_dir: String,
    /// The file with the hashes in their names; where nothing is said, `hash.txt` beside the program. Where there is
    /// no such file, the names have no hashes.
    pub hash_file: Option<PathBuf>,
    /// The port on which `cargo leptos watch` tells pages to load again; in development only.
    #[serde(skip)]
    pub reload_port: Option<u16>,
}

impl Default for SiteSection {
    fn default() -> Self {
        Self { root: PathBuf::from("target/site"), pkg_dir: "pkg".to_owned(), hash_file: None, reload_port: None }
    }
}

impl SiteSection {
    /// As Leptos takes them.
    pub fn options(&self, listen: std::net::SocketAddr) -> LeptosOptions {
        let beside = || std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("hash.txt")));
        let hash_file = self.hash_file.clone().or_else(beside).filter(|file| file.exists());
        let options = LeptosOptions::builder()
            .output_name(OUTPUT_NAME)
            .site_root(self.root.to_string_lossy().into_owned())
            .site_pkg_dir(self.pkg_dir.clone())
            .site_addr(listen)
            .env(if self.reload_port.is_some() { Env::DEV } else { Env::PROD })
            .reload_port(u32::from(self.reload_port.unwrap_or_default()));
        match hash_file {
            // Leptos joins the path with the program's folder, which an absolute path overrides.
            Some(file) => options
                .hash_files(true)
                .hash_file(std::path::absolute(&file).unwrap_or(file).to_string_lossy().into())
                .build(),
            None => options.hash_files(false).build(),
        }
    }
}
