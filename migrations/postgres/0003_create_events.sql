-- The tables that every event writes have no foreign keys: each would cost a look-up per row, and what they would
-- promise is kept by writing event and deliveries in one transaction.

create table events (
  account_id text collate "C" not null,
  -- The publisher may have chosen it, so it is unique within the account only.
  id text collate "C" not null,
  event_type text collate "C" not null,
  -- When it happened, as the publisher says.
  occurred_at bigint not null,
  received_at bigint not null,
  -- The exact bytes that are signed and sent: raw, since a JSON column could reorder keys under the signature.
  payload bytea not null,
  -- SHA-256 of what was published, to tell a repetition from another event under the same id.
  fingerprint bytea not null,
  idempotency_key text collate "C",
  delivery_count bigint not null,
  -- Why there is no delivery, if there is none.
  unsent_reason text collate "C" check (unsent_reason in ('no_webhook', 'not_subscribed', 'disabled')),
  primary key (account_id, id)
);

create unique index events_by_idempotency_key on events (account_id, idempotency_key)
where idempotency_key is not null;

create table deliveries (
  -- Sorts by age: the log pages by it.
  id text collate "C" primary key,
  account_id text collate "C" not null,
  webhook_id text collate "C" not null,
  event_id text collate "C" not null,
  event_type text collate "C" not null,
  status text collate "C" not null check (status in ('pending', 'held', 'delivered', 'failed', 'cancelled')),
  -- How many attempts have ended.
  attempts bigint not null,
  -- While pending: when the next attempt is due. A claim moves it to the end of its lease, so that a lapsed lease is
  -- simply due again and one index serves both.
  next_attempt_at bigint,
  -- Names the claim that may record the next outcome; null while nobody works on it.
  lease text collate "C",
  last_result text collate "C",
  created_at bigint not null,
  updated_at bigint not null
);

-- The queue: only what is still to be sent, however long the history.
create index deliveries_due on deliveries (next_attempt_at) where status = 'pending';
-- Pausing, resuming and deleting a webhook touch only what is open.
create index deliveries_open on deliveries (webhook_id) where status in ('pending', 'held');
create index deliveries_by_account on deliveries (account_id, id);
create index deliveries_by_webhook on deliveries (webhook_id, id);
create index deliveries_by_event on deliveries (account_id, event_id);

-- Only ever appended to.
create table attempts (
  id text collate "C" primary key,
  delivery_id text collate "C" not null,
  number bigint not null,
  started_at bigint not null,
  duration_ms bigint not null,
  url text collate "C" not null,
  status_code bigint,
  -- Seconds, if the receiver asked for patience.
  retry_after bigint,
  -- Why there was no status code.
  failure text collate "C",
  detail text collate "C",
  -- JSON: [[name, value], …]
  request_headers text collate "C" not null,
  response_headers text collate "C" not null,
  response_body bytea not null,
  response_truncated boolean not null
);

create index attempts_by_delivery on attempts (delivery_id, number);

-- The queue's rows change a few times each and then never again. Vacuumed by the number of rows that died, not by
-- their share of a table that only grows: otherwise the indexes of what is open fill up with what no longer is.
alter table deliveries set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
