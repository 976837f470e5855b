//! The table `card_keys`: the pinned keys of both slots of every card. The fingerprint is its key, so a public key is
//! known once, whichever card or slot it is in.

use card_protocol::Slot;
use domain::{card::CardPublicKey, ports::StoreError};
use sea_orm::entity::prelude::*;

use crate::error::unreadable;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "card_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub fingerprint: Vec<u8>,
    pub card: Uuid,
    pub slot: String,
    pub public_key: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(super) fn new(card: Uuid, slot: Slot, key: &CardPublicKey) -> Self {
        Self {
            fingerprint: key.fingerprint().to_vec(),
            card,
            slot: slot_name(slot).to_owned(),
            public_key: key.as_der().to_vec(),
        }
    }

    pub(super) fn is_in(&self, slot: Slot) -> bool {
        self.slot == slot_name(slot)
    }

    pub(super) fn read(&self) -> Result<CardPublicKey, StoreError> {
        CardPublicKey::from_der(&self.public_key).map_err(unreadable("card_keys.public_key"))
    }
}

/// The key reference of SP 800-73-4 part 1, table 4b.
fn slot_name(slot: Slot) -> &'static str {
    match slot {
        Slot::Authentication => "9A",
        Slot::CardAuthentication => "9E",
    }
}
