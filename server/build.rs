//! Makes room for the pages, which are put into the program (`site.rs`), and tells Cargo that with other pages a release is
//! another program.

use std::{env, fs, io};

const PAGES: &str = "../target/site";

fn main() -> io::Result<()> {
    // `rust-embed` takes the folder as it is found here: of one that comes later a debug build would give out no file.
    fs::create_dir_all(PAGES)?;
    // A debug build reads them while it runs.
    let is_release = env::var_os("PROFILE").is_some_and(|profile| profile == "release");
    println!("cargo::rerun-if-changed={}", if is_release { PAGES } else { "build.rs" });
    Ok(())
}
