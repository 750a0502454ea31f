-- Running processes that share this database. A change has propagated when each of them has acknowledged it.
create table processes (
  id blob primary key,
  -- Shown to operators.
  role text not null,
  -- Id of the master key that encrypts new secrets.
  master_key_id text not null,
  -- Ids of all master keys that the process can decrypt with, comma-separated.
  opens text not null,
  -- Heartbeat counter. Other processes measure its progress by their own clocks, so that clocks need not agree.
  heartbeats integer not null
) strict;

-- Cache entries that a process must invalidate. The process deletes the rows that it has acted upon.
create table invalidations (
  id integer primary key,
  process_id blob not null references processes (id) on delete cascade,
  subject_kind text not null check (subject_kind in ('webhook', 'api_key')),
  subject_id blob not null,
  -- Change of a webhook. Null for an API key, which can only be revoked.
  change text check (change in ('edited', 'resumed', 'deleted'))
) strict;

create index invalidations_by_process on invalidations (process_id);
create index invalidations_by_subject on invalidations (subject_kind, subject_id);
