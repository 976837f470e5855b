//! The policy files by which browsers let pages of the listed origins reach this machine without asking the person.
//!
//! They are made from the configuration, never shipped, since only the configuration knows the origins. Chromium, Chrome
//! and Edge read every file of a directory, so each gets one that is the bridge's own. Firefox reads one file alone: it is
//! written only where there is none, or the one that is there is still as the bridge wrote it; a copy in [`RECORD`] tells.
//! An administrator's own is left as it is, and said to be.
//!
//! Loopback origins (`http://localhost`) need no policy and get none. Linux only: elsewhere policies are no files.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::origin::Origin;

/// The policy of Chromium and its relatives for requests from websites to this machine.
const LOOPBACK: &str = "LoopbackNetworkAllowedForUrls";
/// Its name for the local network as a whole, which older ones know instead.
const LOCAL_NETWORK: &str = "LocalNetworkAccessAllowedForUrls";
/// What was last written for Firefox.
const RECORD: &str = "var/lib/card-bridge/firefox-policies.json";
/// Where a directory that the bridge made, and is empty again, is not the bridge's to remove.
const NOT_OURS: [&str; 4] = ["", "etc", "etc/opt", "var/lib"];

/// A browser that reads policies from files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// Chromium, by Debian's place.
    Chromium,
    /// Google Chrome.
    Chrome,
    /// Microsoft Edge.
    Edge,
    /// Firefox and Firefox ESR.
    Firefox,
}

impl Browser {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Chromium, Self::Chrome, Self::Edge, Self::Firefox];

    /// As people know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Chrome => "Chrome",
            Self::Edge => "Edge",
            Self::Firefox => "Firefox",
        }
    }

    /// The file that the bridge writes for it, seen from the root directory.
    pub fn file(self) -> &'static str {
        match self {
            Self::Chromium => "etc/chromium/policies/managed/card-bridge.json",
            Self::Chrome => "etc/opt/chrome/policies/managed/card-bridge.json",
            Self::Edge => "etc/opt/edge/policies/managed/card-bridge.json",
            Self::Firefox => "etc/firefox/policies/policies.json",
        }
    }

    /// Whether it is installed: whether one of its programs is in a directory of `path`.
    pub fn is_installed(self, path: &[PathBuf]) -> bool {
        let programs: &[&str] = match self {
            Self::Chromium => &["chromium", "chromium-browser"],
            Self::Chrome => &["google-chrome", "google-chrome-stable"],
            Self::Edge => &["microsoft-edge", "microsoft-edge-stable"],
            Self::Firefox => &["firefox", "firefox-esr"],
        };
        path.iter().any(|directory| programs.iter().any(|program| directory.join(program).exists()))
    }

    /// What its file says for these origins.
    fn content(self, origins: &[&Origin]) -> Value {
        match self {
            Self::Chromium | Self::Chrome | Self::Edge => {
                json!({ LOOPBACK: origins.iter().map(|origin| origin.as_str()).collect::<Vec<_>>() })
            }
            Self::Firefox => {
                let domains: Vec<_> = origins.iter().map(|origin| origin.host()).collect();
                json!({ "policies": { "LocalNetworkAccess": { "SkipDomains": domains } } })
            }
        }
    }

    /// Whether the policies under `root` let a page of this origin in without a question, whoever wrote them. Patterns
    /// other than the origin itself are not understood, and count as no.
    pub fn allows(self, root: &Path, origin: &Origin) -> bool {
        match self {
            Self::Chromium | Self::Chrome | Self::Edge => {
                let directory = root.join(self.file()).parent().map(Path::to_owned).unwrap_or_default();
                let mut files: Vec<_> =
                    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
                files.sort();
                [LOOPBACK, LOCAL_NETWORK].into_iter().any(|policy| {
                    // Of several files that set one policy the last is taken.
                    let set = files.iter().rev().find_map(|file| read(file)?.get(policy).cloned());
                    set.is_some_and(|set| names(&set, origin.as_str()))
                })
            }
            Self::Firefox => read(&root.join(self.file()))
                .is_some_and(|file| names(&file["policies"]["LocalNetworkAccess"]["SkipDomains"], origin.host())),
        }
    }
}

/// What became of one browser's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It names the origins now.
    Written,
    /// There is no origin to name, or none was wanted: the bridge's file is gone.
    Removed,
    /// It is not the bridge's: it was left as it is.
    LeftAlone,
}

/// The files as [`write`] would write them: none where no origin needs one.
pub fn show(origins: &[Origin]) -> Vec<(Browser, String)> {
    let origins: Vec<&Origin> = origins.iter().filter(|origin| origin.needs_policy()).collect();
    if origins.is_empty() {
        return Vec::new();
    }
    Browser::ALL.into_iter().map(|browser| (browser, format!("{:#}", browser.content(&origins)))).collect()
}

/// Writes the files for these origins, or removes them where no origin needs one, and says what became of each.
///
/// # Errors
///
/// When a file can't be written.
pub fn write(root: &Path, origins: &[Origin]) -> io::Result<Vec<(Browser, Outcome)>> {
    let origins: Vec<&Origin> = origins.iter().filter(|origin| origin.needs_policy()).collect();
    Browser::ALL
        .into_iter()
        .map(|browser| {
            let content = (!origins.is_empty()).then(|| browser.content(&origins));
            Ok((browser, put(root, browser, content.as_ref())?))
        })
        .collect()
}

fn put(root: &Path, browser: Browser, content: Option<&Value>) -> io::Result<Outcome> {
    let file = root.join(browser.file());
    if browser == Browser::Firefox {
        let record = root.join(RECORD);
        let there = read_text(&file)?;
        if there.is_some() && there != read_text(&record)? {
            remove(root, &record)?;
            return Ok(Outcome::LeftAlone);
        }
        match content {
            Some(content) => replace(&record, content)?,
            None => remove(root, &record)?,
        }
    }
    match content {
        Some(content) => replace(&file, content).map(|()| Outcome::Written),
        None => remove(root, &file).map(|()| Outcome::Removed),
    }
}

/// Puts a file in place whole, so that a browser never reads half of it.
fn replace(file: &Path, content: &Value) -> io::Result<()> {
    let directory = file.parent().ok_or(ErrorKind::InvalidInput)?;
    fs::create_dir_all(directory)?;
    let mut new = NamedTempFile::new_in(directory)?;
    writeln!(new, "{content:#}")?;
    for_everybody(new.as_file())?;
    new.persist(file)?;
    Ok(())
}

#[cfg(unix)]
fn for_everybody(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same as on Unix")]
fn for_everybody(_: &fs::File) -> io::Result<()> {
    Ok(())
}

/// Removes a file, and the directories that are empty then.
fn remove(root: &Path, file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    let not_ours = NOT_OURS.map(|path| root.join(path));
    for directory in file.ancestors().skip(1) {
        if not_ours.iter().any(|kept| kept == directory) || fs::remove_dir(directory).is_err() {
            break;
        }
    }
    Ok(())
}

fn read_text(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(file: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(file).ok()?).ok()
}

fn names(list: &Value, wanted: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|named| named == wanted || named == "*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(texts: &[&str]) -> Vec<Origin> {
        texts.iter().map(|text| Origin::try_from((*text).to_owned()).unwrap()).collect()
    }

    fn files(root: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![root.to_owned()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
                found.push(entry.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
                if entry.is_dir() {
                    open.push(entry);
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn each_browser_is_told_the_origins_that_are_not_of_this_machine() {
        let root = tempfile::tempdir().unwrap();
        let listed = origins(&["https://a.test", "https://b.test:8443", "http://localhost:3000"]);
        let outcomes = write(root.path(), &listed).unwrap();
        assert!(outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Written), "{outcomes:?}");
        for browser in [Browser::Chromium, Browser::Chrome, Browser::Edge] {
            let written = read(&root.path().join(browser.file())).unwrap();
            assert_eq!(written, json!({ "LoopbackNetworkAllowedForUrls": ["https://a.test", "https://b.test:8443"] }));
        }
        let written = read(&root.path().join(Browser::Firefox.file())).unwrap();
        assert_eq!(written, json!({ "policies": { "LocalNetworkAccess": { "SkipDomains": ["a.test", "b.test"] } } }));
        for browser in Browser::ALL {
            assert!(listed[..2].iter().all(|origin| browser.allows(root.path(), origin)), "{browser:?}");
            assert!(!browser.allows(root.path(), &origins(&["https://c.test"])[0]), "{browser:?}");
        }
    }

    #[test]
    fn nothing_is_left_when_no_origin_needs_one() {
        let root = tempfile::tempdir().unwrap();
        for kept in ["etc/opt", "var/lib"] {
            fs::create_dir_all(root.path().join(kept)).unwrap();
        }
        let before = files(root.path());
        write(root.path(), &origins(&["https://a.test"])).unwrap();
        write(root.path(), &origins(&["http://localhost:3000"])).unwrap();
        assert_eq!(files(root.path()), before);
        // And again, where there is nothing.
        write(root.path(), &[]).unwrap();
        assert_eq!(files(root.path()), before);
    }

    #[test]
    fn a_file_of_an_administrators_own_is_left_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        let firefox = root.path().join(Browser::Firefox.file());
        let neighbour = root.path().join("etc/chromium/policies/managed/organisation.json");
        for file in [&firefox, &neighbour] {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "{}").unwrap();
        }
        for listed in [&["https://a.test"][..], &[]] {
            let outcomes = write(root.path(), &origins(listed)).unwrap();
            assert_eq!(outcomes.last(), Some(&(Browser::Firefox, Outcome::LeftAlone)));
            assert_eq!(fs::read_to_string(&firefox).unwrap(), "{}");
            assert_eq!(fs::read_to_string(&neighbour).unwrap(), "{}");
        }
        // What was the bridge's and is changed is the administrator's from then on.
        fs::remove_file(&firefox).unwrap();
        write(root.path(), &origins(&["https://a.test"])).unwrap();
        fs::write(&firefox, "{ }").unwrap();
        write(root.path(), &[]).unwrap();
        assert_eq!(fs::read_to_string(&firefox).unwrap(), "{ }");
    }

    #[test]
    fn the_last_file_that_sets_a_policy_counts() {
        let root = tempfile::tempdir().unwrap();
        let origin = &origins(&["https://a.test"])[0];
        write(root.path(), std::slice::from_ref(origin)).unwrap();
        let later = root.path().join("etc/chromium/policies/managed/later.json");
        fs::write(&later, r#"{"LoopbackNetworkAllowedForUrls": ["https://b.test"]}"#).unwrap();
        assert!(!Browser::Chromium.allows(root.path(), origin));
        fs::write(&later, r#"{"LocalNetworkAccessAllowedForUrls": ["https://a.test"]}"#).unwrap();
        assert!(Browser::Chromium.allows(root.path(), origin));
    }
}
