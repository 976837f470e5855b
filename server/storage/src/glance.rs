//! What an operator looks at from outside: whether the database answers, and how much waits in it. It takes no turn
//! among the transactions, so that it says how things are also while many of them wait. (On SQLite, with its one connection,
//! it waits for those that came before.)

use domain::{Timestamp, ports::StoreError};
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};

use crate::{SqlStore, error::store_error, value};

/// How things are in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// How many mails wait.
    pub mails: u64,
    /// Since when the oldest of them does.
    pub oldest_mail: Option<Timestamp>,
    /// How many people wait for a code that has waited for longer than it should.
    pub late_codes: u64,
    /// The number of the latest record of the trail, 0 for none.
    pub trail_head: u64,
}

/// The connections to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// How many are open.
    pub open: usize,
    /// How many of these nobody uses.
    pub idle: usize,
}

#[derive(FromQueryResult)]
struct Row {
    mails: i64,
    oldest_mail: Option<i64>,
    late_codes: i64,
    trail_head: Option<i64>,
}

/// What is read is found by an index: that of the mails that wait, and the trail's own.
fn look(late_since: Timestamp) -> String {
    format!(
        "SELECT waiting.mails, waiting.oldest_mail, waiting.late_codes, (SELECT MAX(number) FROM trail) AS trail_head FROM \
            (SELECT COUNT(*) AS mails, MIN(created_at) AS oldest_mail, \
                COUNT(DISTINCT CASE WHEN holds_code AND created_at < {} THEN owner END) AS late_codes \
            FROM outbox WHERE body IS NOT NULL) AS waiting",
        value::milliseconds(late_since)
    )
}

/// One record of the trail: that it can be read says that the tables are there.
const ASK: &str = "SELECT number FROM trail LIMIT 1";

impl SqlStore {
    /// Returns when the database has answered a small question.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn answers(&self) -> Result<(), StoreError> {
        let statement = Statement::from_string(self.backend(), ASK);
        self.aside().query_one_raw(statement).await.map(drop).map_err(store_error)
    }

    /// Looks how much waits. Of the mails with a code those are late that have waited since before a time.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn glance(&self, late_since: Timestamp) -> Result<Glance, StoreError> {
        let statement = Statement::from_string(self.backend(), look(late_since));
        let row = Row::find_by_statement(statement).one(self.aside()).await.map_err(store_error)?;
        let Row { mails, oldest_mail, late_codes, trail_head } =
            row.unwrap_or(Row { mails: 0, oldest_mail: None, late_codes: 0, trail_head: None });
        Ok(Glance {
            mails: mails.unsigned_abs(),
            oldest_mail: oldest_mail.map(|time| value::read_time(time, "outbox.created_at")).transpose()?,
            late_codes: late_codes.unsigned_abs(),
            trail_head: trail_head.unwrap_or_default().unsigned_abs(),
        })
    }

    /// The connections on which transactions take their turns.
    pub fn connections(&self) -> Connections {
        let (open, idle) = if self.backend() == DbBackend::Postgres {
            let pool = self.connection().get_postgres_connection_pool();
            (pool.size(), pool.num_idle())
        } else {
            let pool = self.connection().get_sqlite_connection_pool();
            (pool.size(), pool.num_idle())
        };
        Connections { open: open as usize, idle }
    }
}
