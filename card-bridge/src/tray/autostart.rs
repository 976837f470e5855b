//! Whether the bridge starts when the person signs in to the desktop, by the rules of the freedesktop.org autostart
//! specification: an entry of the person's own hides one of the same name for everybody, and `Hidden=true` in it means
//! that there is none.
//!
//! Linux only: elsewhere nothing is read or written, and the bridge starts as it was set up to.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The entry's name, in each directory.
const ENTRY: &str = "autostart/card-bridge.desktop";

/// The directories of autostart entries, and what is to be started.
#[derive(Clone, Debug)]
pub struct Autostart {
    /// The person's configuration: `$XDG_CONFIG_HOME`.
    pub own: PathBuf,
    /// Everybody's, the strongest first: `$XDG_CONFIG_DIRS`.
    pub everybodys: Vec<PathBuf>,
    /// The program and its arguments, for where no entry for everybody names them.
    pub command: Vec<String>,
}

impl Autostart {
    /// Whether it starts.
    pub fn is_on(&self) -> bool {
        is_on(&self.own.join(ENTRY)).or_else(|| self.for_everybody()).unwrap_or(false)
    }

    /// Has it start if it does not, and not start if it does.
    ///
    /// # Errors
    ///
    /// When the person's entry can't be written.
    pub fn toggle(&self) -> io::Result<()> {
        let own = self.own.join(ENTRY);
        let wanted = !self.is_on();
        match self.for_everybody() {
            // What everybody has is what is wanted: nothing of the person's own is needed.
            Some(there) if there == wanted => remove(&own),
            None if !wanted => remove(&own),
            _ => write(&own, &self.entry(wanted)),
        }
    }

    /// What everybody's entry says, if there is one.
    fn for_everybody(&self) -> Option<bool> {
        self.everybodys.iter().find_map(|directory| is_on(&directory.join(ENTRY)))
    }

    fn entry(&self, wanted: bool) -> String {
        let command: Vec<_> = self.command.iter().map(|argument| quoted(argument)).collect();
        format!(
            "[Desktop Entry]\nType=Application\nName=Card Bridge\nExec={}\nTerminal=false\nHidden={}\n",
            command.join(" "),
            !wanted
        )
    }
}

/// Whether an entry starts its program; nothing where there is no entry.
fn is_on(entry: &Path) -> Option<bool> {
    let text = fs::read_to_string(entry).ok()?;
    let says = |key: &str, value: &str| {
        let assignment =
            |line: &str| line.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
        text.lines().filter_map(assignment).any(|found| found == (key.to_owned(), value.to_owned()))
    };
    // The second is how GNOME's and other settings programs switch an entry off.
    Some(!says("Hidden", "true") && !says("X-GNOME-Autostart-enabled", "false"))
}

/// An argument as an Exec line has it: in double quotes, with what is special there escaped, and once more for the file.
fn quoted(argument: &str) -> String {
    let mut text = String::from("\"");
    for character in argument.chars() {
        match character {
            '"' | '`' | '$' => text.extend(['\\', '\\', character]),
            '\\' => text.push_str(r"\\\\"),
            '%' => text.push_str("%%"),
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

fn write(entry: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = entry.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(entry, text)
}

fn remove(entry: &Path) -> io::Result<()> {
    match fs::remove_file(entry) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    struct Desktop {
        _directory: TempDir,
        autostart: Autostart,
    }

    fn desktop() -> Desktop {
        let directory = tempfile::tempdir().unwrap();
        let [own, everybodys] = ["own", "everybodys"].map(|name| directory.path().join(name));
        let command = vec!["/opt/card bridge/card-bridge".to_owned(), "--config".to_owned(), "/a$b.toml".to_owned()];
        Desktop { _directory: directory, autostart: Autostart { own, everybodys: vec![everybodys], command } }
    }

    impl Desktop {
        fn install(&self, text: &str) {
            write(&self.autostart.everybodys[0].join(ENTRY), text).unwrap();
        }

        fn own(&self) -> Option<String> {
            fs::read_to_string(self.autostart.own.join(ENTRY)).ok()
        }
    }

    const INSTALLED: &str = "[Desktop Entry]\nType=Application\nName=Card Bridge\nExec=/usr/bin/card-bridge\n";

    #[test]
    fn without_a_package_the_person_has_an_entry_of_their_own() {
        let desktop = desktop();
        assert!(!desktop.autostart.is_on());
        desktop.autostart.toggle().unwrap();
        assert!(desktop.autostart.is_on());
        let entry = desktop.own().unwrap();
        assert!(entry.contains(r#"Exec="/opt/card bridge/card-bridge" "--config" "/a\\$b.toml""#), "{entry}");
        desktop.autostart.toggle().unwrap();
        assert!(!desktop.autostart.is_on());
        assert_eq!(desktop.own(), None);
    }

    #[test]
    fn everybodys_entry_is_hidden_by_one_of_the_persons_own() {
        let desktop = desktop();
        desktop.install(INSTALLED);
        assert!(desktop.autostart.is_on());
        desktop.autostart.toggle().unwrap();
        assert!(!desktop.autostart.is_on());
        assert!(desktop.own().unwrap().contains("\nHidden=true\n"));
        desktop.autostart.toggle().unwrap();
        assert!(desktop.autostart.is_on());
        assert_eq!(desktop.own(), None);
    }

    #[test]
    fn an_entry_that_other_programs_switched_off_is_off() {
        for switched_off in ["Hidden=true", "Hidden = true", "X-GNOME-Autostart-enabled=false"] {
            let desktop = desktop();
            desktop.install(INSTALLED);
            write(&desktop.autostart.own.join(ENTRY), &format!("{INSTALLED}{switched_off}\n")).unwrap();
            assert!(!desktop.autostart.is_on(), "{switched_off}");
            desktop.autostart.toggle().unwrap();
            assert!(desktop.autostart.is_on(), "{switched_off}");
        }
    }

    #[test]
    fn where_everybodys_is_switched_off_the_person_may_still_want_it() {
        let desktop = desktop();
        desktop.install(&format!("{INSTALLED}Hidden=true\n"));
        assert!(!desktop.autostart.is_on());
        desktop.autostart.toggle().unwrap();
        assert!(desktop.autostart.is_on());
        assert!(desktop.own().unwrap().contains("\nHidden=false\n"));
    }
}
