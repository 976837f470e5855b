//! Which other programs of this user may be holding a card: those that have loaded the library of the smartcard service.
//! The service itself does not tell who holds one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use card_protocol::CardFailure;

/// `libpcsclite.so.1` or `libpcsclite_real.so.1`, by whichever version.
const LIBRARY: &str = "/libpcsclite";

/// More names than these would help nobody.
const MOST_NAMES: usize = 5;

/// The failure of a card that another program did not let go of.
pub fn card_in_use() -> CardFailure {
    CardFailure::CardInUse { programs: with_library(Path::new("/proc")) }
}

/// Their names, as far as the system shows them: on Linux, without the bridge itself.
fn with_library(processes: &Path) -> Vec<String> {
    let own = std::process::id().to_string();
    let Ok(entries) = fs::read_dir(processes) else { return Vec::new() };
    let names: BTreeSet<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok() && name != own))
        .filter(|entry| fs::read_to_string(entry.path().join("maps")).is_ok_and(|maps| maps.contains(LIBRARY)))
        .filter_map(|entry| fs::read_to_string(entry.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    names.into_iter().take(MOST_NAMES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(processes: &Path, id: &str, name: &str, maps: &str) {
        let folder = processes.join(id);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("comm"), format!("{name}\n")).unwrap();
        fs::write(folder.join("maps"), maps).unwrap();
    }

    #[test]
    fn programs_with_the_library_are_named_once_and_the_bridge_is_not() {
        let library = "7f00-7f01 r-xp 00000000 08:01 42 /usr/lib/x86_64-linux-gnu/libpcsclite.so.1.0.0\n";
        let processes = tempfile::tempdir().unwrap();
        process(processes.path(), "4000001", "scdaemon", library);
        process(processes.path(), "4000002", "scdaemon", library);
        process(processes.path(), "4000003", "firefox", "7f00-7f01 r-xp 00000000 08:01 42 /usr/lib/libc.so.6\n");
        process(processes.path(), &std::process::id().to_string(), "card-bridge", library);
        process(processes.path(), "self", "card-bridge", library);
        assert_eq!(with_library(processes.path()), ["scdaemon"]);
        assert_eq!(with_library(&processes.path().join("nowhere")), Vec::<String>::new());
    }
}
