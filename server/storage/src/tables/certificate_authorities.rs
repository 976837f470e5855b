//! The table `certificate_authorities`: one row at most, made when the first card is issued.

use domain::{authority::StoredAuthority, ports::VaultCiphertext};
use sea_orm::entity::prelude::*;

/// The id of the only row.
pub const THE_ONE: i32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "certificate_authorities")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    pub certificate: Vec<u8>,
    pub key: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&StoredAuthority> for Model {
    fn from(authority: &StoredAuthority) -> Self {
        Self { id: THE_ONE, certificate: authority.certificate.clone(), key: authority.key.0.clone() }
    }
}

impl From<Model> for StoredAuthority {
    fn from(row: Model) -> Self {
        Self { certificate: row.certificate, key: VaultCiphertext(row.key) }
    }
}
