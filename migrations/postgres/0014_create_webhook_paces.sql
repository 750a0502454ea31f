-- Optional settings of a webhook. Null stands for the default.
alter table webhooks add column description text;
-- Names of the headers, comma-separated, and their values, encrypted with the master key of this id.
alter table webhooks add column header_names text;
alter table webhooks add column headers bytea;
alter table webhooks add column headers_key_id text;
-- JSON, as in the API.
alter table webhooks add column filter text;
-- Calls per second.
alter table webhooks add column rate_limit bigint;
alter table webhooks add column timeout_seconds bigint;
alter table webhooks add column retries text;

-- The filter since then. An earlier event may have been excluded by it.
alter table webhook_history add column filter text;

-- The paces of webhooks with a rate limit, which all processes keep together.
create table webhook_paces (
  webhook_id bytea primary key references webhooks (id),
  -- Earliest time of the next call, in microseconds.
  free_at bigint not null
);
