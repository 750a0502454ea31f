-- The tables that every event writes have no foreign keys: each would cost a look-up per row, and what they would
-- promise is kept by writing event and deliveries in one transaction.

create table events (
  account_id text not null,
  -- The publisher may have chosen it, so it is unique within the account only.
  id text not null,
  event_type text not null,
  -- When it happened, as the publisher says.
  occurred_at integer not null,
  received_at integer not null,
  -- The exact bytes that are signed and sent: raw, since a JSON column could reorder keys under the signature.
  payload blob not null,
  -- SHA-256 of what was published, to tell a repetition from another event under the same id.
  fingerprint blob not null,
  idempotency_key text,
  delivery_count integer not null,
  -- Why there is no delivery, if there is none.
  unsent_reason text check (unsent_reason in ('no_webhook', 'not_subscribed', 'disabled')),
  primary key (account_id, id)
) strict;

create unique index events_by_idempotency_key on events (account_id, idempotency_key)
where idempotency_key is not null;

create table deliveries (
  -- Sorts by age: the log pages by it.
  id text primary key,
  account_id text not null,
  webhook_id text not null,
  event_id text not null,
  event_type text not null,
  status text not null check (status in ('pending', 'held', 'delivered', 'failed', 'cancelled')),
  -- How many attempts have ended.
  attempts integer not null,
  -- While pending: when the next attempt is due. A claim moves it to the end of its lease, so that a lapsed lease is
  -- simply due again and one index serves both.
  next_attempt_at integer,
  -- Names the claim that may record the next outcome; null while nobody works on it.
  lease text,
  last_result text,
  created_at integer not null,
  updated_at integer not null
) strict;

-- The queue: only what is still to be sent, however long the history.
create index deliveries_due on deliveries (next_attempt_at) where status = 'pending';
-- Pausing, resuming and deleting a webhook touch only what is open.
create index deliveries_open on deliveries (webhook_id) where status in ('pending', 'held');
create index deliveries_by_account on deliveries (account_id, id);
create index deliveries_by_webhook on deliveries (webhook_id, id);
create index deliveries_by_event on deliveries (account_id, event_id);

-- Only ever appended to.
create table attempts (
  id text primary key,
  delivery_id text not null,
  number integer not null,
  started_at integer not null,
  duration_ms integer not null,
  url text not null,
  status_code integer,
  -- Seconds, if the receiver asked for patience.
  retry_after integer,
  -- Why there was no status code.
  failure text,
  detail text,
  -- JSON: [[name, value], …]
  request_headers text not null,
  response_headers text not null,
  response_body blob not null,
  response_truncated integer not null
) strict;

create index attempts_by_delivery on attempts (delivery_id, number);
