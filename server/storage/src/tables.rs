//! The tables: each file has one table's row and, where the domain asks for it, its port; `enrolling`, `forgetting` and `erasing` are
//! ports over several.

mod card_keys;
mod cards;
mod certificate_authorities;
mod code_mails;
mod daily_counts;
mod enrolling;
mod erasing;
mod forgetting;
mod handled_forms;
mod import_runs;
mod issuances;
mod key_rings;
mod outbox;
pub(crate) mod people;
mod references_shown;
mod registration_flows;
mod registrations;
mod sessions;
mod trail;
mod unlock_flows;
mod unlock_keys;
mod used_challenges;
