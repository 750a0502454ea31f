-- Requests to resend a webhook's failed or missed events of a period. The process that holds the row's lock works
-- through the events in the order in which they were received.
create table recoveries (
  -- Sorts by age.
  id blob primary key,
  account_id blob not null,
  webhook_id blob not null references webhooks (id),
  scope text not null check (scope in ('failed', 'missed')),
  since integer not null,
  until integer not null,
  state text not null check (state in ('running', 'done', 'cancelled')),
  -- Progress: all events received before reached_at, and at reached_at those up to reached_key.
  reached_at integer not null,
  reached_key integer not null,
  -- Number of deliveries made due so far.
  recovered integer not null,
  created_at integer not null,
  created_by text not null
) strict;

create index recoveries_by_webhook on recoveries (webhook_id, id);
create index recoveries_running on recoveries (id) where state = 'running';
