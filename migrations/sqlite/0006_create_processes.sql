-- The processes that share this database, each for as long as it lives. A change of a webhook is answered when every
-- one of them has heard of it.
create table processes (
  id text primary key,
  -- What it does, and in which version: for people who look.
  role text not null,
  version text not null,
  -- All of them have to open the same secrets.
  master_key_id text not null,
  -- Counts up while the process lives. Others watch that it does by their own clocks, so that no two have to agree.
  renewals integer not null
) strict;

-- What a process has in memory that is no longer so. It deletes what it has acted upon.
create table invalidations (
  id text primary key,
  process_id text not null references processes (id) on delete cascade,
  webhook_id text not null,
  change text not null check (change in ('edited', 'resumed', 'deleted'))
) strict;

create index invalidations_by_process on invalidations (process_id);
create index invalidations_by_webhook on invalidations (webhook_id);
