//! Which websites the person has allowed in the helper window, and the tokens of its questions and websockets.

use std::collections::HashSet;
use std::fmt::{self, Write as _};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::config::AllowedOrigin;
use crate::origin::Origin;

/// How long a token can be used: as long as somebody may look at the question.
const TOKEN_LIFE: Duration = Duration::from_mins(10);

/// How many tokens there are at most: a page that asks for more gets none.
const MOST_TOKENS: usize = 64;

/// A random text that stands for an origin, once.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

struct Issued {
    token: Token,
    origin: Arc<AllowedOrigin>,
    at: Instant,
}

/// What was allowed. Consent comes on top of the list of the configuration, never in place of it.
pub struct Consents {
    /// Where those are kept that are to be remembered: a line for each.
    file: Option<PathBuf>,
    allowed: Mutex<HashSet<String>>,
    tokens: Mutex<Vec<Issued>>,
}

impl Consents {
    /// Reads those that were remembered in a file; without one nothing outlives the bridge.
    pub fn read(file: Option<PathBuf>) -> Self {
        let text = file.as_deref().map(fs::read_to_string).and_then(Result::ok).unwrap_or_default();
        let allowed = text.lines().map(str::to_owned).collect();
        Self { file, allowed: Mutex::new(allowed), tokens: Mutex::default() }
    }

    /// Whether the person has allowed this website.
    pub fn is_allowed(&self, origin: &Origin) -> bool {
        self.allowed.lock().unwrap_or_else(PoisonError::into_inner).contains(origin.as_str())
    }

    /// The person has allowed it: until the bridge ends, or for good. That it can't be written down is logged, and counts
    /// until the bridge ends.
    pub fn allow(&self, origin: &Origin, for_good: bool) {
        self.allowed.lock().unwrap_or_else(PoisonError::into_inner).insert(origin.as_str().to_owned());
        if !for_good {
            return;
        }
        if let Err(fault) = self.remember(origin) {
            tracing::warn!(fault = &fault as &dyn std::error::Error, "what was allowed is not remembered");
        }
    }

    fn remember(&self, origin: &Origin) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut text = fs::read_to_string(file).or_else(|fault| match fault.kind() {
            io::ErrorKind::NotFound => Ok(String::new()),
            _ => Err(fault),
        })?;
        if text.lines().any(|line| line == origin.as_str()) {
            return Ok(());
        }
        let _ = writeln!(text, "{origin}");
        let new = file.with_extension("new");
        fs::write(&new, text)?;
        fs::rename(new, file)
    }

    /// Makes a token for an origin; nothing where there are too many.
    pub fn ask(&self, origin: &Arc<AllowedOrigin>) -> Option<Token> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).ok()?;
        let token = Token(bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }));
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|issued| issued.at.elapsed() < TOKEN_LIFE);
        if tokens.len() >= MOST_TOKENS {
            return None;
        }
        tokens.push(Issued { token: token.clone(), origin: Arc::clone(origin), at: Instant::now() });
        Some(token)
    }

    /// The origin of a token, which is used up.
    pub fn answered(&self, token: &Token) -> Option<Arc<AllowedOrigin>> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let at = tokens.iter().position(|issued| issued.token == *token && issued.at.elapsed() < TOKEN_LIFE)?;
        Some(tokens.swap_remove(at).origin)
    }
}

#[cfg(test)]
mod tests {
    use card_protocol::ServiceKey;

    use super::*;

    fn origin(url: &str) -> Arc<AllowedOrigin> {
        let url = url.to_owned().try_into().unwrap();
        Arc::new(AllowedOrigin { url, service_keys: vec![ServiceKey([5; 32])] })
    }

    #[test]
    fn a_token_works_once_and_for_its_origin() {
        let consents = Consents::read(None);
        let [first, second] = ["https://one.test", "https://two.test"].map(origin);
        let (one, two) = (consents.ask(&first).unwrap(), consents.ask(&second).unwrap());
        assert_eq!(consents.answered(&two).unwrap().url, second.url);
        assert_eq!(consents.answered(&one).unwrap().url, first.url);
        assert!(consents.answered(&one).is_none());
        assert!(consents.answered(&Token(String::new())).is_none());
    }

    #[test]
    fn there_are_only_so_many_tokens() {
        let consents = Consents::read(None);
        let listed = origin("https://one.test");
        for _ in 0..MOST_TOKENS {
            assert!(consents.ask(&listed).is_some());
        }
        assert!(consents.ask(&listed).is_none());
    }

    #[test]
    fn what_is_remembered_is_allowed_by_the_next_bridge_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("card-bridge/allowed-websites");
        let [kept, forgotten] = ["https://one.test", "https://two.test"].map(origin);
        let consents = Consents::read(Some(file.clone()));
        assert!(!consents.is_allowed(&kept.url));
        consents.allow(&kept.url, true);
        consents.allow(&kept.url, true);
        consents.allow(&forgotten.url, false);
        assert!(consents.is_allowed(&forgotten.url));
        let next = Consents::read(Some(file.clone()));
        assert!(next.is_allowed(&kept.url) && !next.is_allowed(&forgotten.url));
        assert_eq!(fs::read_to_string(file).unwrap(), "https://one.test\n");
    }
}
