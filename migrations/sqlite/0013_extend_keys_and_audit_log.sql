-- From where it was done: an address, or “command line”. Nothing for what the product did by itself.
alter table audit_log add column address text;
-- A JSON object: what was there before, what is there after, and whatever else matters. Never a secret.
alter table audit_log add column details text;

drop index audit_log_by_account;

-- Newest first: all of it, and by each of the questions that people ask.
create index audit_log_by_age on audit_log (account_id, at, id);
create index audit_log_by_actor on audit_log (account_id, actor, at, id);
create index audit_log_by_action on audit_log (account_id, action, at, id);
create index audit_log_by_subject on audit_log (account_id, subject, at, id);

-- Nobody knows who made the oldest ones.
alter table api_keys add column created_by text;
-- From then on it opens nothing; without it, it is good until it is revoked.
alter table api_keys add column expires_at integer;
-- Written once a minute, not with each use.
alter table api_keys add column last_used_at integer;

create index api_keys_by_account on api_keys (account_id, id);

-- A key that a process may have in memory and that was revoked. It deletes what it has acted upon. Not in the table
-- of invalidations: a process of an older version would find there what it cannot read.
create table key_invalidations (
  id text primary key,
  process_id text not null references processes (id) on delete cascade,
  key_id text not null
) strict;

create index key_invalidations_by_process on key_invalidations (process_id);
create index key_invalidations_by_key on key_invalidations (key_id);
