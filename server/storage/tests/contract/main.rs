//! The contract of `domain::ports::Store`, run on SQLite, each test on a fresh data folder, and on PostgreSQL, each on a
//! schema of its own.
//!
//! The suite itself (`suite/`) knows only the ports. To hold another store to it: include the modules, and give each
//! function an empty store. What only SQLite must hold stands in `sqlite/`, what only PostgreSQL in `postgres/`.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail by panicking, as tests do")]

/// The suite.
mod suite {
    pub mod changes;
    pub mod concurrency;
    pub mod conflicts;
    pub mod desk;
    pub mod enrolling;
    pub mod erasing;
    pub mod fixtures;
    pub mod outbox;
    pub mod references;
    pub mod reports;
    pub mod round_trips;
    pub mod trail;
}

mod observed;

mod shares;

/// What only SQLite must hold.
mod sqlite {
    mod file;
    mod processes;

    use std::{path::PathBuf, sync::Arc};

    use storage::{Location, SqlStore, connect};
    use tempfile::TempDir;

    use crate::suite::fixtures::Shared;

    pub async fn open(folder: &TempDir) -> SqlStore {
        connect(&Location::folder(data(folder))).await.unwrap()
    }

    pub fn data(folder: &TempDir) -> PathBuf {
        folder.path().join("made").join("data")
    }

    pub fn shared(store: &SqlStore) -> Shared {
        Arc::new(store.clone())
    }
}

/// Servers of two versions on one database.
mod releases;

/// What only PostgreSQL must hold.
mod postgres {
    mod copies;
    mod servers;
    mod tables;

    use std::sync::Arc;

    use sea_orm::sqlx::{Connection, PgConnection};
    use storage::{connect, testing::TestSchema};

    use crate::suite::fixtures::Shared;

    pub async fn open(schema: &TestSchema) -> Shared {
        Arc::new(connect(&schema.location()).await.unwrap())
    }

    /// Opens the database past the store.
    async fn open_past(schema: &TestSchema) -> PgConnection {
        PgConnection::connect(&schema.url()).await.unwrap()
    }
}

/// Runs functions of the suite as tests, each on both databases.
macro_rules! hold_to_contract {
    ($($module:ident: $($test:ident),+ $(,)?;)+) => {
        $(mod $module {
            mod on_sqlite {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let folder = tempfile::tempdir().unwrap();
                    let store = crate::sqlite::open(&folder).await;
                    crate::suite::$module::$test(&crate::sqlite::shared(&store)).await;
                })+
            }

            mod on_postgres {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let schema = storage::testing::TestSchema::make().await;
                    crate::suite::$module::$test(&crate::postgres::open(&schema).await).await;
                })+
            }
        })+
    };
}

hold_to_contract! {
    round_trips:
        a_person_comes_back,
        a_card_comes_back_with_both_keys,
        the_cards_of_a_person_come_in_the_order_of_their_guids,
        a_card_is_found_by_either_key,
        every_state_of_a_card_comes_back,
        every_state_of_a_key_ring_comes_back,
        an_unlock_key_comes_back,
        every_step_of_an_issuance_comes_back,
        the_authority_comes_back,
        every_standing_of_a_registration_comes_back,
        an_ended_registration_comes_back,
        every_step_of_a_registration_flow_comes_back,
        every_step_of_an_unlock_flow_comes_back,
        a_session_comes_back,
        a_used_challenge_comes_back,
        a_handled_form_comes_back;
    changes:
        what_is_not_committed_never_was,
        what_was_saved_is_a_version_later,
        a_touch_changes_the_time_and_not_the_version,
        a_flow_of_a_session_is_replaced,
        a_saved_unlock_flow_is_found_by_its_new_token_only,
        a_session_gets_a_new_cookie,
        other_sessions_of_the_person_are_ended,
        unlock_keys_are_listed_by_id_and_sealed_anew,
        issuances_are_found_by_person,
        issuances_are_listed_by_guid,
        the_authority_is_sealed_anew,
        old_challenges_are_forgotten,
        old_sessions_and_flows_are_forgotten,
        old_code_mails_are_forgotten_and_mails_that_wait_are_not,
        code_mails_are_counted_from_a_time,
        the_unlocks_of_a_card_are_counted_from_a_time;
    conflicts:
        a_stale_card_is_refused,
        a_stale_key_ring_is_refused,
        a_stale_issuance_is_refused,
        there_is_one_authority,
        a_stale_registration_is_refused,
        a_stale_registration_flow_is_refused,
        a_stale_unlock_flow_is_refused,
        a_replaced_registration_flow_is_refused,
        what_is_not_there_cannot_be_saved,
        nothing_is_added_twice,
        a_key_is_known_once_over_all_cards_and_slots,
        a_card_has_one_open_unlock_flow,
        ended_unlock_flows_are_as_many_as_there_were;
    trail:
        records_come_in_order,
        records_about_a_person_come_newest_first,
        a_number_is_taken_once;
    outbox:
        due_mails_come_oldest_first,
        a_mail_with_a_code_comes_before_others,
        a_claimed_mail_is_nobody_elses_until_its_lease_ends,
        a_mail_put_off_comes_again_with_one_attempt_more,
        a_mail_that_is_done_with_comes_no_more,
        how_far_a_mail_is_can_be_asked,
        the_mails_of_a_person_come_newest_first,
        two_claimers_never_get_one_mail;
    references:
        a_row_of_nobody_is_refused_at_the_commit,
        the_order_in_which_rows_are_added_does_not_matter;
    enrolling:
        people_at_once_come_back_and_are_found_among_others,
        cards_at_once_come_back_with_all_that_is_theirs,
        registrations_are_found_among_others,
        of_nothing_at_once_there_is_nothing,
        nothing_is_added_twice_at_once;
    erasing:
        every_row_of_a_person_goes_and_is_counted_and_other_peoples_stay,
        the_trail_and_mails_that_wait_stay,
        an_erasure_that_is_not_committed_never_was,
        of_nobody_there_is_nothing,
        who_was_erased_can_be_taken_in_again;
    desk:
        people_are_found_by_all_that_stands_for_them,
        people_come_in_the_order_of_their_names_and_no_more_than_are_wanted,
        a_name_is_searched_from_its_beginning_whatever_its_letters,
        a_role_and_an_address_are_changed_and_nothing_else,
        a_registration_is_removed_in_the_version_that_was_read;
    reports:
        counts_are_summed_by_day,
        counts_are_summed_by_organisation,
        what_is_counted_and_not_committed_never_was,
        the_trail_is_searched_by_all_that_an_entry_tells,
        the_trail_comes_page_by_page_also_where_records_have_one_time,
        people_are_found_by_their_names_on_the_trail,
        people_who_move_keep_the_rest,
        an_import_comes_back_as_it_was_saved;
    concurrency:
        attempts_at_once_are_all_counted,
        trail_records_at_once_are_all_kept_without_a_gap,
        one_of_two_open_flows_wins;
}
