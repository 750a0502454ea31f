create table webhooks (
  id text collate "C" primary key,
  account_id text collate "C" not null references accounts (id),
  name text collate "C" not null,
  url text collate "C" not null,
  -- The event types it wants, comma-separated: read whole with the account's other webhooks when an event fans out.
  events text collate "C" not null,
  -- What people set; that it is failing is told by failing_since.
  state text collate "C" not null check (state in ('active', 'paused', 'disabled')),
  disabled_reason text collate "C",
  failing_since bigint,
  last_attempt_at bigint,
  last_attempt_summary text collate "C",
  last_attempt_succeeded boolean,
  -- Sealed with the master key that key_id names, so that the key can be rotated; null once deleted.
  secret bytea,
  secret_key_id text collate "C",
  -- The secret before the last rotation: signs too, until then.
  previous_secret bytea,
  previous_secret_key_id text collate "C",
  previous_secret_until bigint,
  -- Counts the saves.
  version bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  updated_by text collate "C" not null,
  -- A deleted webhook stays as a name for the delivery log; its secrets are gone.
  deleted_at bigint
);

-- A deleted webhook's name is free again.
create unique index webhooks_by_name on webhooks (account_id, name) where deleted_at is null;

-- Attempts by hour, kept up while they are recorded: the list's little charts never count deliveries.
create table webhook_hours (
  webhook_id text collate "C" not null references webhooks (id),
  -- The hour's start.
  hour bigint not null,
  succeeded bigint not null,
  failed bigint not null,
  primary key (webhook_id, hour)
);
