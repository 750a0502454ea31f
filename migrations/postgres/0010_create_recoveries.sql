-- Requests to resend a webhook's failed or missed events of a period. The process that holds the row's lock works
-- through the events in the order in which they were received.
create table recoveries (
  -- Sorts by age.
  id bytea primary key,
  account_id bytea not null,
  webhook_id bytea not null references webhooks (id),
  scope text collate "C" not null check (scope in ('failed', 'missed')),
  since bigint not null,
  until bigint not null,
  state text collate "C" not null check (state in ('running', 'done', 'cancelled')),
  -- Progress: all events received before reached_at, and at reached_at those up to reached_key.
  reached_at bigint not null,
  reached_key bigint not null,
  -- Number of deliveries made due so far.
  recovered bigint not null,
  created_at bigint not null,
  created_by text collate "C" not null
);

create index recoveries_by_webhook on recoveries (webhook_id, id);
create index recoveries_running on recoveries (id) where state = 'running';
