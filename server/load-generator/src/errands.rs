//! What people come for: what the pages ask the service for, in their order.

pub mod changing;
pub mod desk;
mod registering;
mod unlocking;
