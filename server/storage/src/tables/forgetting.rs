//! The rows of several tables that are kept for a time only.

use async_trait::async_trait;
use domain::{
    Timestamp,
    milestone::{Milestone, StageEnd},
    ports::{Forgetting, StoreError, Transaction},
    registration::RegistrationFlow,
    unlock::UnlockFlow,
};
use sea_orm::{ExprTrait, QuerySelect, QueryTrait, entity::prelude::*};

use super::{code_mails, handled_forms, outbox, registration_flows, sessions, unlock_flows, used_challenges};
use crate::{SqlTransaction, value};

#[async_trait]
impl Forgetting for SqlTransaction {
    async fn forget_before(&mut self, time: Timestamp) -> Result<(), StoreError> {
        let time = value::milliseconds(time);
        self.erased();
        self.delete(used_challenges::Entity::delete_many().filter(used_challenges::Column::UsedAt.lt(time))).await?;
        self.delete(sessions::Entity::delete_many().filter(sessions::Column::LastActive.lt(time))).await?;
        let old_unlocks = unlock_flows::Column::LastActive.lt(time);
        // Also what this version cannot read is forgotten.
        let left_open = old_unlocks.clone().and(unlock_flows::Column::Open.eq(true));
        for left in self.list(unlock_flows::Entity::find().filter(left_open)).await? {
            let expired = |flow: UnlockFlow| Milestone::unlock_ended(&flow.step, StageEnd::Expired);
            self.count_milestone(UnlockFlow::try_from(left).ok().and_then(expired));
        }
        self.delete(unlock_flows::Entity::delete_many().filter(old_unlocks)).await?;
        let old_flows = registration_flows::Column::LastActive.lt(time);
        for left in self.list(registration_flows::Entity::find().filter(old_flows.clone())).await? {
            let expired = |flow: RegistrationFlow| Milestone::registration_ended(&flow.step, StageEnd::Expired);
            self.count_milestone(RegistrationFlow::try_from(left).ok().and_then(expired));
        }
        self.delete(registration_flows::Entity::delete_many().filter(old_flows)).await?;
        // A form has no time of its own: it goes when its flow has gone.
        let flows = registration_flows::Entity::find().select_only().column(registration_flows::Column::Id);
        let forms = handled_forms::Column::Flow.not_in_subquery(flows.into_query());
        self.delete(handled_forms::Entity::delete_many().filter(forms)).await?;
        self.delete(code_mails::Entity::delete_many().filter(code_mails::Column::SentAt.lt(time))).await?;
        let done_with = outbox::Column::Body.is_null().and(outbox::Column::CreatedAt.lt(time));
        self.delete(outbox::Entity::delete_many().filter(done_with)).await.map(drop)
    }
}
