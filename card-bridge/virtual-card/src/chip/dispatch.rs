//! Which part of the secure-element firmware answers which request: passcodes, sealed keys and files, RSA.

use trussed::{
    backend::{Backend, BackendId},
    platform::Platform,
    serde_extensions::{ExtensionDispatch, ExtensionId, ExtensionImpl},
    service::ServiceResources,
    types::Context,
};
use trussed_auth::{AuthExtension, AuthRequest};
use trussed_auth_backend::{AuthBackend, AuthContext, FilesystemLayout};
use trussed_chunked::ChunkedExtension;
use trussed_core::{
    Error,
    api::{Reply, Request, reply, request},
    serde_extensions::Extension as _,
    types::Location,
};
use trussed_hpke::HpkeExtension;
use trussed_rsa_alloc::SoftwareRsa;
use trussed_staging::{StagingBackend, StagingContext};
use trussed_wrap_key_to_file::WrapKeyToFileExtension;

use crate::manifest::PasscodeTries;

/// The order in which the backends are asked.
pub const BACKENDS: &[BackendId<Part>] =
    &[BackendId::Custom(Part::Rsa), BackendId::Custom(Part::Staging), BackendId::Custom(Part::Auth), BackendId::Core];

/// A backend beside the firmware's core.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// Passcode and unlock key, with their counters.
    Auth,
    /// RSA keys.
    Rsa,
    /// Long files, keys sealed to a public key, keys wrapped to a file.
    Staging,
}

/// What the backends remember of their client within a power session.
#[derive(Default)]
pub struct PartContext {
    auth: AuthContext,
    staging: StagingContext,
}

/// A set of requests beside the core's.
#[derive(Clone, Copy, Debug)]
pub enum Extension {
    Auth,
    Chunked,
    Hpke,
    WrapKeyToFile,
}

impl From<Extension> for u8 {
    fn from(extension: Extension) -> Self {
        match extension {
            Extension::Auth => 0,
            Extension::Chunked => 1,
            Extension::Hpke => 2,
            Extension::WrapKeyToFile => 3,
        }
    }
}

impl TryFrom<u8> for Extension {
    type Error = Error;

    fn try_from(id: u8) -> Result<Self, Error> {
        match id {
            0 => Ok(Self::Auth),
            1 => Ok(Self::Chunked),
            2 => Ok(Self::Hpke),
            3 => Ok(Self::WrapKeyToFile),
            _ => Err(Error::InternalError),
        }
    }
}

/// Passes each request to the backend that knows it.
pub struct Dispatcher {
    auth: AuthBackend,
    rsa: SoftwareRsa,
    staging: StagingBackend,
    passcode_tries: PasscodeTries,
}

/// The card application's name for the passcode.
const PASSCODE: u8 = 0;

impl Dispatcher {
    /// The passcode will be given so many tries, whatever the card application asks for.
    pub fn new(passcode_tries: PasscodeTries) -> Self {
        Self {
            passcode_tries,
            auth: AuthBackend::new(Location::Internal, FilesystemLayout::V1),
            rsa: SoftwareRsa,
            staging: StagingBackend::new(),
        }
    }
}

impl ExtensionDispatch for Dispatcher {
    type BackendId = Part;
    type Context = PartContext;
    type ExtensionId = Extension;

    fn core_request<P: Platform>(
        &mut self,
        part: &Part,
        context: &mut Context<PartContext>,
        request: &Request,
        resources: &mut ServiceResources<P>,
    ) -> Result<Reply, Error> {
        match part {
            Part::Rsa => self.rsa.request(&mut context.core, &mut (), request, resources),
            Part::Auth | Part::Staging => Err(Error::RequestNotAvailable),
        }
    }

    fn extension_request<P: Platform>(
        &mut self,
        part: &Part,
        extension: &Extension,
        context: &mut Context<PartContext>,
        request: &request::SerdeExtension,
        resources: &mut ServiceResources<P>,
    ) -> Result<reply::SerdeExtension, Error> {
        let core = &mut context.core;
        let auth = &mut context.backends.auth;
        let staging = &mut context.backends.staging;
        match (part, extension) {
            (Part::Auth, Extension::Auth) => {
                let mut request = AuthExtension::deserialize_request(request)?;
                let tries = match &mut request {
                    AuthRequest::SetPin(set) if set.id == PASSCODE.into() => Some(&mut set.retries),
                    AuthRequest::SetPinWithKey(set) if set.id == PASSCODE.into() => Some(&mut set.retries),
                    _ => None,
                };
                if let Some(tries) = tries {
                    *tries = Some(self.passcode_tries.count());
                }
                let reply = self.auth.extension_request(core, auth, &request, resources)?;
                AuthExtension::serialize_reply(&reply)
            }
            (Part::Staging, Extension::Chunked) => ExtensionImpl::<ChunkedExtension>::extension_request_serialized(
                &mut self.staging,
                core,
                staging,
                request,
                resources,
            ),
            (Part::Staging, Extension::Hpke) => ExtensionImpl::<HpkeExtension>::extension_request_serialized(
                &mut self.staging,
                core,
                staging,
                request,
                resources,
            ),
            (Part::Staging, Extension::WrapKeyToFile) => {
                ExtensionImpl::<WrapKeyToFileExtension>::extension_request_serialized(
                    &mut self.staging,
                    core,
                    staging,
                    request,
                    resources,
                )
            }
            _ => Err(Error::RequestNotAvailable),
        }
    }
}

impl ExtensionId<AuthExtension> for Dispatcher {
    type Id = Extension;
    const ID: Extension = Extension::Auth;
}

impl ExtensionId<ChunkedExtension> for Dispatcher {
    type Id = Extension;
    const ID: Extension = Extension::Chunked;
}

impl ExtensionId<HpkeExtension> for Dispatcher {
    type Id = Extension;
    const ID: Extension = Extension::Hpke;
}

impl ExtensionId<WrapKeyToFileExtension> for Dispatcher {
    type Id = Extension;
    const ID: Extension = Extension::WrapKeyToFile;
}
