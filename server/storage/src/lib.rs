//! The domain's store on SQL: SQLite in a folder of its own, or PostgreSQL by URL.
//!
//! [`connect`] opens the database, brings its tables up to date and gives a [`SqlStore`], which is a
//! [`domain::ports::Store`]. No rule of registration or unlock stands here: rows go in and out as the domain made them,
//! under the constraints that hold for every use case (a card's key is known once, a card has one open unlock flow,
//! the trail only grows).
//!
//! What a deployment can break: the SQLite folder must be on a local disk (the write-ahead log needs shared memory),
//! and whoever may read it reads names, addresses and hashes.
//!
//! | | SQLite | PostgreSQL |
//! | --- | --- | --- |
//! | a transaction | `BEGIN IMMEDIATE`: one at a time, also among several processes | an advisory lock: one at a time, also among several servers |
//! | mails leave | in a transaction like any other | beside the others: row locks, and what another is taking is skipped |
//! | that waits too long | is unavailable, after 5 seconds | is unavailable, after 10; a server that has stopped within one loses it after 5 |
//! | durable at commit | write-ahead log with `synchronous = FULL` | the server's `synchronous_commit`; `off` is refused |
//! | several start at once | bring the tables up to date one after another | as well |
//! | erased is gone | `secure_delete`, and the log is emptied after a mail or a person was erased, where nobody reads an earlier state | by its vacuum, in time |

pub mod backup;
mod connect;
mod copy;
mod error;
mod glance;
mod migrations;
mod observer;
mod sqlite;
mod store;
mod tables;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;
mod value;

pub use connect::{ConnectError, Location, NotALocation, connect};
pub use copy::{CopiedTable, CopyError, DatabaseCopy};
pub use glance::{Connections, Glance};
pub use observer::{Observer, TransactionEnd};
pub use store::SqlStore;
pub use transaction::SqlTransaction;
