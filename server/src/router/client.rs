//! Who asks: the address of a client, as trusted proxies tell it, and how often one address may ask.
//!
//! A whole hospital can stand behind one address, so the limit is not one of people: what a person may do is counted by
//! registration, card and flow. It only keeps one source from taking all of the service.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use ipnet::IpNet;

use crate::config::ClientsSection;

/// Above this many addresses those that have not asked lately are forgotten.
const ADDRESSES: usize = 50_000;

/// How often each address may ask for something that is no page.
pub struct Clients {
    trusted_proxies: Vec<IpNet>,
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl Clients {
    /// Takes whom to believe, and the limits.
    pub fn new(section: &ClientsSection) -> Arc<Self> {
        let quota = Quota::per_second(section.posts_a_second).allow_burst(section.posts_at_once);
        let (trusted_proxies, clock) = (section.trusted_proxies.clone(), DefaultClock::default());
        Arc::new(Self { trusted_proxies, limiter: RateLimiter::dashmap_with_clock(quota, clock.clone()), clock })
    }

    /// The address of the client: the nearest one that is no trusted proxy. What stands further away in the header was
    /// written by the client itself.
    fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let is_trusted = |address: &IpAddr| self.trusted_proxies.iter().any(|network| network.contains(address));
        let mut address = peer.to_canonical();
        let told = headers.get_all("x-forwarded-for").iter().rev().filter_map(|value| value.to_str().ok());
        for hop in told.flat_map(|value| value.rsplit(',')) {
            if !is_trusted(&address) {
                break;
            }
            let Ok(next) = hop.trim().parse::<IpAddr>() else { break };
            address = next.to_canonical();
        }
        address
    }

    /// After how many seconds an address may ask again; nothing where it may now.
    fn wait(&self, address: IpAddr) -> Option<u64> {
        if self.limiter.len() > ADDRESSES {
            self.limiter.retain_recent();
        }
        let refused = self.limiter.check_key(&network(address)).err()?;
        Some(refused.wait_time_from(self.clock.now()).as_secs() + 1)
    }
}

/// One subscriber has a whole /64 of IPv6 (RFC 6177).
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 64)).into(),
    }
}

/// The address of the client, for the log.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// Lets an address ask only so often. Pages and files are not counted, nor is a request without a connection.
pub async fn limit(State(clients): State<Arc<Clients>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let Some(address) = peer.map(|peer| clients.address(peer, request.headers())) else {
        return next.run(request).await;
    };
    request.extensions_mut().insert(ClientAddress(address));
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match clients.wait(address) {
        None => next.run(request).await,
        Some(seconds) => {
            tracing::warn!(client = %address, "an address asks too often");
            let words = "Too many requests from this address. Try again in a moment.";
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds.to_string())], words).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn clients(trusted: &[&str], at_once: u32) -> Arc<Clients> {
        Clients::new(&ClientsSection {
            trusted_proxies: trusted.iter().map(|network| network.parse().unwrap()).collect(),
            posts_a_second: NonZeroU32::MIN,
            posts_at_once: NonZeroU32::new(at_once).unwrap(),
        })
    }

    fn forwarded(values: &[&'static str]) -> HeaderMap {
        values
            .iter()
            .map(|value| (header::HeaderName::from_static("x-forwarded-for"), value.parse().unwrap()))
            .collect()
    }

    fn address(clients: &Clients, peer: &str, values: &[&'static str]) -> String {
        clients.address(peer.parse().unwrap(), &forwarded(values)).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let none = clients(&[], 1);
        assert_eq!(address(&none, "198.51.100.7", &["203.0.113.1"]), "198.51.100.7");
        let one = clients(&["10.0.0.0/8"], 1);
        assert_eq!(address(&one, "10.0.0.1", &["203.0.113.1"]), "203.0.113.1");
        assert_eq!(address(&one, "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(address(&one, "198.51.100.7", &["203.0.113.1"]), "198.51.100.7");
    }

    #[test]
    fn what_a_client_writes_in_front_of_its_address_is_not_believed() {
        let clients = clients(&["10.0.0.0/8"], 1);
        for values in [&["192.0.2.66, 203.0.113.1"][..], &["192.0.2.66", "203.0.113.1"], &["10.9.9.9, 203.0.113.1"]] {
            assert_eq!(address(&clients, "10.0.0.1", values), "203.0.113.1", "{values:?}");
        }
        assert_eq!(address(&clients, "10.0.0.1", &["203.0.113.1, 10.0.0.2"]), "203.0.113.1");
        assert_eq!(address(&clients, "10.0.0.1", &["203.0.113.1, unknown"]), "10.0.0.1");
    }

    #[test]
    fn an_address_that_asks_too_often_waits_and_others_do_not() {
        let clients = clients(&[], 3);
        let (busy, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert_eq!([clients.wait(busy), clients.wait(busy), clients.wait(busy)], [None; 3]);
        assert!(clients.wait(busy).is_some_and(|seconds| (1..=2).contains(&seconds)));
        assert_eq!(clients.wait(other), None);
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one_address() {
        let clients = clients(&[], 1);
        assert_eq!(clients.wait("2001:db8:1:2::1".parse().unwrap()), None);
        assert!(clients.wait("2001:db8:1:2:ffff::9".parse().unwrap()).is_some());
        assert_eq!(clients.wait("2001:db8:1:3::1".parse().unwrap()), None);
    }
}
