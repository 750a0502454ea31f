create table webhooks (
  id text primary key,
  account_id text not null references accounts (id),
  name text not null,
  url text not null,
  -- The event types it wants, comma-separated: read whole with the account's other webhooks when an event fans out.
  events text not null,
  -- What people set; that it is failing is told by failing_since.
  state text not null check (state in ('active', 'paused', 'disabled')),
  disabled_reason text,
  failing_since integer,
  last_attempt_at integer,
  last_attempt_summary text,
  last_attempt_succeeded integer,
  -- Sealed with the master key that key_id names, so that the key can be rotated; null once deleted.
  secret blob,
  secret_key_id text,
  -- The secret before the last rotation: signs too, until then.
  previous_secret blob,
  previous_secret_key_id text,
  previous_secret_until integer,
  -- Counts the saves.
  version integer not null,
  created_at integer not null,
  updated_at integer not null,
  updated_by text not null,
  -- A deleted webhook stays as a name for the delivery log; its secrets are gone.
  deleted_at integer
) strict;

-- A deleted webhook's name is free again.
create unique index webhooks_by_name on webhooks (account_id, name) where deleted_at is null;

-- Attempts by hour, kept up while they are recorded: the list's little charts never count deliveries.
create table webhook_hours (
  webhook_id text not null references webhooks (id),
  -- The hour's start.
  hour integer not null,
  succeeded integer not null,
  failed integer not null,
  primary key (webhook_id, hour)
) strict, without rowid;
