create table webhooks (
  id bytea primary key,
  account_id bytea not null references accounts (id),
  name text collate "C" not null,
  url text collate "C" not null,
  -- Name and URL in the form in which they are searched, see src/store/search_key.rs.
  search_text text collate "C" not null default '',
  -- Subscribed event types, comma-separated: fan-out reads all webhooks of the account anyway.
  events text collate "C" not null,
  -- The state that users set. Its health follows from the columns below.
  state text collate "C" not null check (state in ('active', 'paused', 'disabled')),
  disabled_reason text collate "C",
  -- Whether the deliveries that were held before it was resumed are dropped.
  drops_held boolean not null default false,
  -- The failed attempts since the last success: the end of the first one, their number, the number of days (UTC) with
  -- failures, and the percentage of the last notice.
  failing_since bigint,
  failed_attempts bigint not null default 0,
  failed_days bigint not null default 0,
  last_notice bigint not null default 0,
  -- The newest attempts, at most 20: their number, and one bit for each, the lowest for the newest, 1 for a failure.
  recent_attempts bigint not null default 0,
  recent_failures bigint not null default 0,
  last_attempt_at bigint,
  -- Outcome of the last attempt: a status code, or the reason why there was none.
  last_status_code bigint,
  last_failure text collate "C",
  -- Encrypted with the master key of this id. Null once the webhook is deleted.
  secret bytea,
  secret_key_id text collate "C",
  -- The secret before the last rotation, which also signs until previous_secret_until.
  previous_secret bytea,
  previous_secret_key_id text collate "C",
  previous_secret_until bigint,
  -- Incremented with every change of the settings.
  version bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  updated_by text collate "C" not null,
  -- A deleted webhook is kept for its name in the delivery log, without its secrets.
  deleted_at bigint
);

-- Names are unique among webhooks that are not deleted.
create unique index webhooks_by_name on webhooks (account_id, name) where deleted_at is null;

-- Attempts per hour, updated while attempts are recorded, so that charts never count deliveries.
create table webhook_hours (
  webhook_id bytea not null references webhooks (id),
  -- Start of the hour.
  hour bigint not null,
  succeeded bigint not null,
  failed bigint not null,
  primary key (webhook_id, hour)
);

-- Histogram of response times per hour. Bucket n is about 2^(n/4) milliseconds, so that percentiles of
-- any period are known within 10 %.
create table webhook_latencies (
  webhook_id bytea not null references webhooks (id),
  -- Start of the hour.
  hour bigint not null,
  bucket bigint not null,
  responses bigint not null,
  primary key (webhook_id, hour, bucket)
);

-- State and subscriptions of a webhook from `since` until the next row. Shows why an earlier event was not sent to it.
create table webhook_history (
  webhook_id bytea not null references webhooks (id),
  since bigint not null,
  state text collate "C" not null check (state in ('active', 'paused', 'disabled', 'deleted')),
  events text collate "C" not null,
  primary key (webhook_id, since)
);

-- Rows that are updated in place. Free space in each page keeps those updates out of the indexes (HOT).
alter table webhooks set (fillfactor = 50);
alter table webhook_hours set (fillfactor = 50);
alter table webhook_latencies set (fillfactor = 50);
