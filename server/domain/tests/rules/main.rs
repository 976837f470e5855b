//! The rules of the domain, with a store in memory, a clock that can be advanced and a card in software.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod changes;
mod crowd;
mod desk;
mod erasure;
mod fakes;
mod forgery;
mod former_address;
mod freezing;
mod import;
mod issuing;
mod loading;
mod managers;
mod memory_store;
mod profiles;
mod recovery;
mod registration;
mod sign_in;
mod software_card;
mod trail;
mod unlock;
mod unlock_at_desk;
mod unlock_limits;
mod walk;
mod world;
