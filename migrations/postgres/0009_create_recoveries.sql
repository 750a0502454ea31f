-- What somebody wants to be sent once more, or that was never sent. It is gone through from since to until, in the order
-- in which events were received, by whichever process has the row's lock.
create table recoveries (
  -- Sorts by age.
  id text collate "C" primary key,
  account_id text collate "C" not null,
  webhook_id text collate "C" not null references webhooks (id),
  scope text collate "C" not null check (scope in ('failed', 'missed')),
  since bigint not null,
  until bigint not null,
  state text collate "C" not null check (state in ('running', 'done', 'cancelled')),
  -- How far it has come: everything received before, and at this moment up to this event.
  reached_at bigint not null,
  reached_id text collate "C" not null,
  -- How many deliveries it has made due.
  recovered bigint not null,
  created_at bigint not null,
  created_by text collate "C" not null,
  updated_at bigint not null
);

create index recoveries_by_webhook on recoveries (webhook_id, id);
create index recoveries_running on recoveries (id) where state = 'running';
