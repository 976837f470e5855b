//! Whose requests wait for whose: what is the desk's does not wait for everybody's, where an officer asks for it.

use app::{DeskFault, config::CookieKind, session_token};
use axum::http::HeaderMap;
use domain::{Services, ra::RaOfficer};

/// The use cases, in the share of the store that is whose.
#[derive(Clone)]
pub struct Shares {
    /// Of everybody.
    pub everybody: Services,
    /// Of officers who have been seen.
    pub officers: Services,
    /// How the session's cookie is called.
    pub cookies: CookieKind,
}

impl Shares {
    /// Those for a request. The officer's share has no room for whoever only asks for what is an officer's, so the first
    /// request of a session to a server waits with everybody's.
    pub fn of(&self, path: &str, headers: &HeaderMap) -> &Services {
        if is_desks(path) { self.of_session(headers) } else { &self.everybody }
    }

    /// The officer whose session a request has, which is for something of the desk's that is no page.
    ///
    /// # Errors
    ///
    /// [`DeskFault`]: nobody is signed in, or no officer, or the store failed.
    pub async fn officer(&self, headers: &HeaderMap) -> Result<RaOfficer, DeskFault> {
        let token = session_token(headers, self.cookies).ok_or(DeskFault::SignedOut)?;
        let services = self.of_session(headers);
        let signed_in = services.sign_in.session(&token).await?.ok_or(DeskFault::SignedOut)?;
        Ok(services.desk.officer(&signed_in)?)
    }

    fn of_session(&self, headers: &HeaderMap) -> &Services {
        let token = session_token(headers, self.cookies);
        if token.is_some_and(|token| self.officers.desk.has_seen(&token)) { &self.officers } else { &self.everybody }
    }
}

/// Whether it is something of the RA's desk.
fn is_desks(path: &str) -> bool {
    ["/ra", "/api/ra"]
        .iter()
        .any(|desk| path.strip_prefix(desk).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
