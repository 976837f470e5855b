//! What has to be done again and again: forgetting what is kept for a time only, and logging the head of the audit
//! trail, so that a trail that was cut off is found out by anybody who keeps the logs.

use std::{sync::Arc, time::Duration};

use domain::ports::{Clock, Store, StoreError};
use tokio::sync::watch;

/// How often it is done.
const EVERY: Duration = Duration::from_mins(10);

/// How long what has ended is kept. A challenge lives two minutes, a session twelve hours at most, the limit of code
/// mails counts an hour.
const KEPT: time::Duration = time::Duration::hours(24);

/// Does it.
#[derive(Clone)]
pub struct Housekeeping {
    /// Where the data are.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Housekeeping {
    /// Does it regularly until the service stops, and logs the trail's head a last time then.
    pub async fn run(self, mut stopping: watch::Receiver<()>) {
        loop {
            for ended in [self.log_trail_head().await, self.forget().await] {
                if let Err(fault) = ended {
                    tracing::error!(fault = &fault as &dyn std::error::Error, "housekeeping failed");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stopping.changed() => return,
            }
        }
    }

    /// Logs number and HMAC of the latest record of the trail, as `audit verify --expect` takes them.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn log_trail_head(&self) -> Result<(), StoreError> {
        if let Some(head) = self.store.begin().await?.trail_head().await? {
            tracing::info!(trail.head = %head.end(), "head of the audit trail");
        } else {
            tracing::info!("the audit trail is empty");
        }
        Ok(())
    }

    /// Forgets what nobody has used for a day.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn forget(&self) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        transaction.forget_before(self.clock.now() - KEPT).await?;
        transaction.commit().await
    }
}
