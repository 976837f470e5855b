//! The secure element that the card application runs on: the published firmware service with the operating system's
//! randomness and the card's two image files as storage.

use littlefs2_core::path;
use piv_authenticator::{Authenticator, Options};
use rand_core::OsRng;
use trussed::{
    ClientImplementation,
    pipe::{ServiceEndpoint, TrussedChannel},
    platform,
    service::Service,
    types::CoreContext,
    virt::{Store, UserInterface},
};

use super::dispatch::{BACKENDS, Dispatcher, Part, PartContext};
use crate::manifest::PasscodeTries;

/// The card application of one power session.
pub type Application<'a> = Authenticator<ClientImplementation<'a, InPlace<'a>, Dispatcher>>;

/// Starts the card application on the card's storage. The channel outlives it: it is what application and firmware
/// speak through.
///
/// Returns `None` when the channel is already in use.
pub fn start<'a>(
    channel: &'a TrussedChannel,
    store: Store<'a>,
    passcode_tries: PasscodeTries,
) -> Option<Application<'a>> {
    let (requester, responder) = channel.split()?;
    let context = CoreContext::new(path!("piv").into());
    let in_place = InPlace {
        service: Service::with_dispatch(
            Platform { random: OsRng, store, ui: UserInterface::new() },
            Dispatcher::new(passcode_tries),
        ),
        endpoints: [ServiceEndpoint::new(responder, context, BACKENDS)],
    };
    let client = ClientImplementation::new(requester, in_place, None);
    Some(Authenticator::new(client, Options::new().label(b"Virtual PIV card").url(b"")))
}

/// Answers the application's requests at once and on its own thread. The firmware's own test platform has a thread
/// that looks for requests every millisecond, and a constant random seed.
pub struct InPlace<'a> {
    service: Service<Platform<'a>, Dispatcher>,
    endpoints: [ServiceEndpoint<'a, Part, PartContext>; 1],
}

impl platform::Syscall for InPlace<'_> {
    fn syscall(&mut self) {
        self.service.process(&mut self.endpoints);
    }
}

struct Platform<'a> {
    random: OsRng,
    store: Store<'a>,
    ui: UserInterface,
}

impl<'a> platform::Platform for Platform<'a> {
    type R = OsRng;
    type S = Store<'a>;
    type UI = UserInterface;

    fn rng(&mut self) -> &mut OsRng {
        &mut self.random
    }

    fn store(&self) -> Store<'a> {
        self.store
    }

    fn user_interface(&mut self) -> &mut UserInterface {
        &mut self.ui
    }
}
