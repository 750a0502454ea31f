create table webhooks (
  id blob primary key,
  account_id blob not null references accounts (id),
  name text not null,
  url text not null,
  -- Subscribed event types, comma-separated: fan-out reads all webhooks of the account anyway.
  events text not null,
  -- The state that users set. Whether the webhook is failing follows from failing_since.
  state text not null check (state in ('active', 'paused', 'disabled')),
  disabled_reason text,
  failing_since integer,
  last_attempt_at integer,
  -- Outcome of the last attempt: a status code, or the reason why there was none.
  last_status_code integer,
  last_failure text,
  -- Encrypted with the master key of this id. Null once the webhook is deleted.
  secret blob,
  secret_key_id text,
  -- The secret before the last rotation, which also signs until previous_secret_until.
  previous_secret blob,
  previous_secret_key_id text,
  previous_secret_until integer,
  -- Incremented with every change of the settings.
  version integer not null,
  created_at integer not null,
  updated_at integer not null,
  updated_by text not null,
  -- A deleted webhook is kept for its name in the delivery log, without its secrets.
  deleted_at integer
) strict;

-- Names are unique among webhooks that are not deleted.
create unique index webhooks_by_name on webhooks (account_id, name) where deleted_at is null;

-- Attempts per hour, updated while attempts are recorded, so that charts never count deliveries.
create table webhook_hours (
  webhook_id blob not null references webhooks (id),
  -- Start of the hour.
  hour integer not null,
  succeeded integer not null,
  failed integer not null,
  primary key (webhook_id, hour)
) strict, without rowid;

-- Histogram of response times per hour. Bucket n is about 2^(n/4) milliseconds, so that percentiles of
-- any period are known within 10 %.
create table webhook_latencies (
  webhook_id blob not null references webhooks (id),
  -- Start of the hour.
  hour integer not null,
  bucket integer not null,
  responses integer not null,
  primary key (webhook_id, hour, bucket)
) strict, without rowid;

-- State and subscriptions of a webhook from `since` until the next row. Shows why an earlier event was not sent to it.
create table webhook_history (
  webhook_id blob not null references webhooks (id),
  since integer not null,
  state text not null check (state in ('active', 'paused', 'disabled', 'deleted')),
  events text not null,
  primary key (webhook_id, since)
) strict;
