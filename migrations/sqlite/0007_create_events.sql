-- events, deliveries and attempts have no foreign keys: each would cost a lookup per row, and event and deliveries are
-- written in one transaction anyway.
create table events (
  -- Referred to by deliveries: the publisher may choose any text as id.
  key integer primary key,
  account_id blob not null,
  -- Unique within the account.
  id text not null,
  event_type text not null,
  -- Time of the event, as stated by the publisher.
  occurred_at integer not null,
  received_at integer not null,
  -- The exact bytes that are signed and sent. A JSON column could reorder keys and invalidate the signature.
  payload blob not null,
  -- SHA-256 of the published event, which tells a repeated request from a different event with the same id.
  fingerprint blob not null,
  idempotency_key text,
  -- Number of webhooks that the event was fanned out to.
  delivery_count integer not null,
  unique (account_id, id)
) strict;

create unique index events_by_idempotency_key on events (account_id, idempotency_key)
where idempotency_key is not null;
-- Pages of the event log, retention and recoveries read events by age.
create index events_by_age on events (account_id, received_at, key);
