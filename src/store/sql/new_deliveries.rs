use crate::{
    domain::{AccountId, DeliveryId, EventType, Timestamp, WebhookId},
    store::{
        Lease, StoreError,
        database::{Bind as _, Connection, Kind, Rows},
    },
};

/// A delivery without attempts.
pub(in crate::store) struct NewDelivery<'a> {
    pub(in crate::store) id: DeliveryId,
    pub(in crate::store) account_id: &'a AccountId,
    pub(in crate::store) webhook_id: &'a WebhookId,
    pub(in crate::store) event_key: i64,
    pub(in crate::store) event_type: EventType,
    pub(in crate::store) status: &'static str,
    /// The end of its lease if it has one.
    pub(in crate::store) next_attempt_at: Timestamp,
    pub(in crate::store) lease: Option<&'a Lease>,
    pub(in crate::store) created_at: Timestamp,
}

/// Returns the number of deliveries.
pub(super) async fn insert_deliveries<'a>(
    connection: &mut Connection,
    deliveries: impl Iterator<Item = NewDelivery<'a>>,
) -> Result<u64, StoreError> {
    use Kind::{Bytes, Integer, Text};
    let rows = deliveries.map(|new| {
        [
            (&new.id).into_value(),
            new.account_id.into_value(),
            new.webhook_id.into_value(),
            new.event_key.into_value(),
            new.event_type.into_value(),
            new.status.into_value(),
            0_i64.into_value(),
            new.next_attempt_at.into_value(),
            new.lease.into_value(),
            new.created_at.into_value(),
        ]
    });
    let kinds = [
        Bytes, Bytes, Bytes, Integer, Text, Text, Integer, Integer, Bytes, Integer,
    ];
    let insert =
        "insert {or_fail} into deliveries (id, account_id, webhook_id, event_key, event_type, status, attempts,
             next_attempt_at, lease, updated_at)
         {rows}";
    Rows::new(kinds, rows).execute(insert, connection).await
}
