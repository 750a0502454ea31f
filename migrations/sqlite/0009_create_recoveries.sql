-- What somebody wants to be sent once more, or that was never sent. It is gone through from since to until, in the order
-- in which events were received, by whichever process has the row's lock.
create table recoveries (
  -- Sorts by age.
  id text primary key,
  account_id text not null,
  webhook_id text not null references webhooks (id),
  scope text not null check (scope in ('failed', 'missed')),
  since integer not null,
  until integer not null,
  state text not null check (state in ('running', 'done', 'cancelled')),
  -- How far it has come: everything received before, and at this moment up to this event.
  reached_at integer not null,
  reached_id text not null,
  -- How many deliveries it has made due.
  recovered integer not null,
  created_at integer not null,
  created_by text not null,
  updated_at integer not null
) strict;

create index recoveries_by_webhook on recoveries (webhook_id, id);
create index recoveries_running on recoveries (id) where state = 'running';
