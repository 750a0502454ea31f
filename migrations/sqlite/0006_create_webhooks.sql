create table webhooks (
  id blob primary key,
  account_id blob not null references accounts (id),
  name text not null,
  url text not null,
  -- Name and URL in the form in which they are searched, see src/store/search_key.rs.
  search_text text not null default '',
  -- Subscribed event types, comma-separated: fan-out reads all webhooks of the account anyway.
  events text not null,
  -- The state that users set. Its health follows from the columns below.
  state text not null check (state in ('active', 'paused', 'disabled')),
  disabled_reason text,
  -- Whether the deliveries that were held before it was resumed are dropped.
  drops_held integer not null default 0,
  -- The failed attempts since the last success: the end of the first one, their number, the number of days (UTC) with
  -- failures, and the percentage of the last notice.
  failing_since integer,
  failed_attempts integer not null default 0,
  failed_days integer not null default 0,
  last_notice integer not null default 0,
  -- The newest attempts, at most 20: their number, and one bit for each, the lowest for the newest, 1 for a failure.
  recent_attempts integer not null default 0,
  recent_failures integer not null default 0,
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
