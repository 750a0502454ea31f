use async_trait::async_trait;
use sqlx::{AssertSqlSafe, QueryBuilder};

use super::{Adapter, Database};
use crate::{
    domain::{AccountId, Attempt, Delivery, DeliveryId},
    store::{
        DeliveryDetail, DeliveryFilter, DeliveryPage, LogStore, StoreError,
        rows::{ATTEMPT, AttemptRow, DELIVERY, DeliveryRow},
    },
};

#[async_trait]
impl LogStore for Adapter {
    async fn list_deliveries(
        &self,
        account: &AccountId,
        filter: &DeliveryFilter,
    ) -> Result<DeliveryPage, StoreError> {
        let mut query = QueryBuilder::<Database>::new(format!(
            "select {DELIVERY} from deliveries d join webhooks w on w.id = d.webhook_id where d.account_id = "
        ));
        query.push_bind(account.as_str());
        if let Some(webhook) = &filter.webhook_id {
            query.push(" and d.webhook_id = ").push_bind(webhook.as_str());
        }
        if let Some(status) = filter.status {
            query.push(" and d.status = ").push_bind(status.as_str());
        }
        if let Some(event_type) = filter.event_type {
            query.push(" and d.event_type = ").push_bind(event_type.as_str());
        }
        if let Some(event) = &filter.event_id {
            query.push(" and d.event_id = ").push_bind(event.as_str());
        }
        if let Some(before) = &filter.before {
            query.push(" and d.id < ").push_bind(before.as_str());
        }
        // One more than wanted tells whether there are more.
        query
            .push(" order by d.id desc limit ")
            .push_bind(i64::from(filter.limit) + 1);
        let rows: Vec<DeliveryRow> = query.build_query_as().fetch_all(&self.readers).await?;
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let deliveries = rows
            .into_iter()
            .take(limit)
            .map(Delivery::try_from)
            .collect::<Result<_, _>>()?;
        Ok(DeliveryPage { deliveries, more })
    }

    async fn delivery(
        &self,
        account: &AccountId,
        id: &DeliveryId,
    ) -> Result<Option<DeliveryDetail>, StoreError> {
        // One transaction, so that the attempts are those that the delivery's state tells of.
        let mut tx = self.readers.begin().await?;
        let sql = format!(
            "select {DELIVERY} from deliveries d join webhooks w on w.id = d.webhook_id
             where d.account_id = $1 and d.id = $2"
        );
        let row: Option<DeliveryRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(id.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let Some(delivery) = row.map(Delivery::try_from).transpose()? else {
            return Ok(None);
        };
        let payload: Vec<u8> =
            sqlx::query_scalar("select payload from events where account_id = $1 and id = $2")
                .bind(account.as_str())
                .bind(delivery.event_id.as_str())
                .fetch_one(&mut *tx)
                .await?;
        let sql =
            format!("select {ATTEMPT} from attempts where delivery_id = $1 order by number, started_at");
        let rows: Vec<AttemptRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(id.as_str())
            .fetch_all(&mut *tx)
            .await?;
        let attempts = rows
            .into_iter()
            .map(Attempt::try_from)
            .collect::<Result<_, _>>()?;
        Ok(Some(DeliveryDetail {
            delivery,
            payload: payload.into(),
            attempts,
        }))
    }
}
