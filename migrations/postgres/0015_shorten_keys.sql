-- Identifiers become 16 bytes: their texts without the prefix, a third as long in every row and every index. Events get
-- numbers that deliveries refer to. A delivery enters the indexes of the log only once its first attempt has ended or it
-- has to wait, and keeps the code of its last outcome instead of a sentence. So does an attempt with a known problem with
-- TLS. Who acts is a code too: user:EMAIL, api_key:NAME, operator or system. One table has the invalidations of any kind.

drop table key_invalidations;
drop table invalidations;
drop table processes;

alter table users drop constraint users_account_id_fkey;
alter table api_keys drop constraint api_keys_account_id_fkey;
alter table webhooks drop constraint webhooks_account_id_fkey;
alter table invites drop constraint invites_account_id_fkey;
alter table sessions drop constraint sessions_user_id_fkey;
alter table webhook_hours drop constraint webhook_hours_webhook_id_fkey;
alter table webhook_latencies drop constraint webhook_latencies_webhook_id_fkey;
alter table webhook_history drop constraint webhook_history_webhook_id_fkey;
alter table recoveries drop constraint recoveries_webhook_id_fkey;

-- What deliveries refer to: a publisher may choose any text as an id. A process takes a thousand numbers at once.
alter table events add column key bigint;
with numbered as (select account_id, id, row_number() over (order by received_at, id) as key from events)
update events set key = numbered.key
from numbered where numbered.account_id = events.account_id and numbered.id = events.id;
create sequence event_keys increment by 1000;
select setval('event_keys', (select coalesce(max(key), 0) + 1 from events));

alter table deliveries add column event_key bigint;
update deliveries set event_key = events.key
from events where events.account_id = deliveries.account_id and events.id = deliveries.event_id;

alter table recoveries add column reached_key bigint;
update recoveries set reached_key = coalesce(
  (select key from events e where e.account_id = recoveries.account_id and e.id = reached_id),
  case reached_id when '' then -9223372036854775808 else 9223372036854775807 end);
alter table recoveries alter column reached_key set not null, drop column reached_id, drop column updated_at;

drop index events_by_account;
alter table events drop constraint events_pkey, drop column unsent_reason;
drop index deliveries_open;
drop index deliveries_by_account;
drop index deliveries_by_webhook;
drop index deliveries_by_event;
drop index attempts_by_delivery;
alter table attempts drop constraint attempts_pkey;

alter table accounts
  alter column id type bytea using decode(substr(id, strpos(id, '_') + 1), 'hex');
alter table users
  alter column id type bytea using decode(substr(id, strpos(id, '_') + 1), 'hex'),
  alter column account_id type bytea using decode(substr(account_id, strpos(account_id, '_') + 1), 'hex');
alter table sessions
  alter column id type bytea using decode(substr(id, strpos(id, '_') + 1), 'hex'),
  alter column user_id type bytea using decode(substr(user_id, strpos(user_id, '_') + 1), 'hex');
alter table invites
  alter column id type bytea using decode(substr(id, strpos(id, '_') + 1), 'hex'),
  alter column account_id type bytea using decode(substr(account_id, strpos(account_id, '_') + 1), 'hex');
alter table api_keys
  alter column id type bytea using decode(substr(id, strpos(id, '_') + 1), 'hex'),
  alter column account_id type bytea using decode(substr(account_id, strpos(account_id, '_') + 1), 'hex');
alter table audit_log
  alter column id type bytea using decode(substr(id, strpos(id, '_') + 1), 'hex'),
  alter column account_id type bytea using decode(substr(account_id, strpos(account_id, '_') + 1), 'hex');
alter table webhooks
  alter column id type bytea using decode(substr(id, strpos(id, '_') + 1), 'hex'),
  alter column account_id type bytea using decode(substr(account_id, strpos(account_id, '_') + 1), 'hex');
alter table webhook_hours
  alter column webhook_id type bytea using decode(substr(webhook_id, strpos(webhook_id, '_') + 1), 'hex');
alter table webhook_latencies
  alter column webhook_id type bytea using decode(substr(webhook_id, strpos(webhook_id, '_') + 1), 'hex');
alter table webhook_history
  alter column webhook_id type bytea using decode(substr(webhook_id, strpos(webhook_id, '_') + 1), 'hex');
alter table recoveries
  alter column id type bytea using decode(substr(id, strpos(id, '_') + 1), 'hex'),
  alter column account_id type bytea using decode(substr(account_id, strpos(account_id, '_') + 1), 'hex'),
  alter column webhook_id type bytea using decode(substr(webhook_id, strpos(webhook_id, '_') + 1), 'hex');
alter table events
  alter column account_id type bytea using decode(substr(account_id, strpos(account_id, '_') + 1), 'hex');
alter table deliveries
  alter column id type bytea using decode(substr(id, strpos(id, '_') + 1), 'hex'),
  alter column account_id type bytea using decode(substr(account_id, strpos(account_id, '_') + 1), 'hex'),
  alter column webhook_id type bytea using decode(substr(webhook_id, strpos(webhook_id, '_') + 1), 'hex'),
  alter column lease type bytea using decode(substr(lease, strpos(lease, '_') + 1), 'hex');
alter table attempts
  alter column delivery_id type bytea using decode(substr(delivery_id, strpos(delivery_id, '_') + 1), 'hex'),
  alter column id type bytea using decode(substr(id, strpos(id, '_') + 1), 'hex');

-- Who acts.
update audit_log set actor =
  case when actor = 'Caleida' then 'system' when actor = 'Operator' then 'operator' when actor like 'API key “%”' then 'api_key:' || substr(actor, 10, length(actor) - 10) else 'user:' || actor end;
update webhooks set updated_by =
  case when updated_by = 'Caleida' then 'system' when updated_by = 'Operator' then 'operator' when updated_by like 'API key “%”' then 'api_key:' || substr(updated_by, 10, length(updated_by) - 10) else 'user:' || updated_by end;
update invites set created_by =
  case when created_by = 'Caleida' then 'system' when created_by = 'Operator' then 'operator' when created_by like 'API key “%”' then 'api_key:' || substr(created_by, 10, length(created_by) - 10) else 'user:' || created_by end;
update api_keys set created_by =
  case when created_by = 'Caleida' then 'system' when created_by = 'Operator' then 'operator' when created_by like 'API key “%”' then 'api_key:' || substr(created_by, 10, length(created_by) - 10) else 'user:' || created_by end
where created_by is not null;
update recoveries set created_by =
  case when created_by = 'Caleida' then 'system' when created_by = 'Operator' then 'operator' when created_by like 'API key “%”' then 'api_key:' || substr(created_by, 10, length(created_by) - 10) else 'user:' || created_by end;

-- The outcome of the last attempt: a status code, or why there was none.
alter table webhooks add column last_status_code bigint, add column last_failure text collate "C";
update webhooks set last_status_code = case when last_attempt_summary ~ '^[1-5][0-9][0-9]$' then last_attempt_summary::bigint end,
  last_failure = case last_attempt_summary when 'Address not allowed' then 'blocked' when 'Host not found' then 'dns' when 'Could not connect' then 'connect' when 'TLS failed' then 'tls' when 'Timed out' then 'timeout' when 'Broken answer' then 'protocol' when 'Cancelled' then 'cancelled' end;
alter table webhooks drop column last_attempt_summary, drop column last_attempt_succeeded;
alter table deliveries add column last_status_code bigint, add column last_failure text collate "C";
update deliveries set last_status_code = case when last_result ~ '^[1-5][0-9][0-9]$' then last_result::bigint end,
  last_failure = case last_result when 'Address not allowed' then 'blocked' when 'Host not found' then 'dns' when 'Could not connect' then 'connect' when 'TLS failed' then 'tls' when 'Timed out' then 'timeout' when 'Broken answer' then 'protocol' when 'Cancelled' then 'cancelled' end;

alter table users add foreign key (account_id) references accounts (id);
alter table api_keys add foreign key (account_id) references accounts (id);
alter table webhooks add foreign key (account_id) references accounts (id);
alter table invites add foreign key (account_id) references accounts (id);
alter table sessions add foreign key (user_id) references users (id);
alter table webhook_hours add foreign key (webhook_id) references webhooks (id);
alter table webhook_latencies add foreign key (webhook_id) references webhooks (id);
alter table webhook_history add foreign key (webhook_id) references webhooks (id);
alter table recoveries add foreign key (webhook_id) references webhooks (id);

alter table events add primary key (key), add unique (account_id, id);
-- The log pages by age, and retention and recoveries go by it.
create index events_by_age on events (account_id, received_at, key);

-- 'new': leased by the insert that stored it, and its first attempt is under way. When a delivery was made, its id says.
alter table deliveries drop constraint deliveries_status_check,
  add check (status in ('new', 'pending', 'held', 'delivered', 'failed', 'cancelled')),
  alter column event_key set not null,
  drop column event_id, drop column last_result, drop column created_at;
-- What is still to be sent, however long the history: a claim goes from webhook to webhook and takes from each what is
-- due longest. Pausing, resuming and deleting a webhook find what is open by it too.
create index deliveries_open on deliveries (webhook_id, status, next_attempt_at)
where status in ('new', 'pending', 'held');
-- The log, of an account and of a webhook: each status is a range by age, so that the few that failed are found at once
-- among the millions that did not. Without a status the ranges are merged.
create index deliveries_by_account on deliveries (account_id, status, id) where status <> 'new';
create index deliveries_by_webhook on deliveries (webhook_id, status, id) where status <> 'new';
-- Which webhooks an event went to; retention and recoveries ask too.
create index deliveries_by_event on deliveries (event_key);

-- A known problem with TLS becomes a code. An attempt that was cancelled is explained by its failure.
alter table attempts add column tls_problem text collate "C";
with old (sentence, code) as (
  values
    ('The certificate has expired', 'certificate-expired'),
    ('The certificate is not valid yet', 'certificate-not-yet-valid'),
    ('The certificate is for another name', 'wrong-name'),
    ('The certificate''s issuer is not trusted', 'unknown-issuer'),
    ('The certificate has been revoked', 'certificate-revoked'),
    ('The certificate is not meant for servers', 'not-for-servers'),
    ('The certificate cannot be read', 'unreadable-certificate'),
    ('The certificate''s signature is wrong', 'wrong-signature'),
    ('The certificate is self-signed, or not made for a server', 'self-signed'),
    ('The certificate is not acceptable', 'unacceptable-certificate'),
    ('The receiver showed no certificate', 'no-certificate'),
    ('The receiver does not speak TLS on this port', 'no-tls'),
    ('The receiver speaks only versions of TLS that are no longer safe', 'old-version'),
    ('The receiver and we have no kind of TLS in common', 'nothing-in-common'),
    ('The receiver speaks neither HTTP/1.1 nor HTTP/2', 'no-http'),
    ('The receiver closed the connection during the TLS handshake', 'closed-during-handshake'),
    ('The TLS handshake failed', 'handshake-failed')
)
update attempts set tls_problem = old.code, detail = null
from old where attempts.failure = 'tls' and attempts.detail = old.sentence;
update attempts set detail = null where failure = 'cancelled';

-- Recording an attempt twice under the same id changes nothing.
alter table attempts add primary key (delivery_id, id);

-- Rows that are updated in place, without new entries in any index, while there is room beside them.
alter table webhooks set (fillfactor = 50);
alter table webhook_hours set (fillfactor = 50);
alter table webhook_latencies set (fillfactor = 50);

-- The processes that share this database, each for as long as it lives. A change of a webhook has propagated when every
-- one of them has acted upon it.
create table processes (
  id bytea primary key,
  -- What it does: for people who look.
  role text collate "C" not null,
  -- The key with which it seals secrets.
  master_key_id text collate "C" not null,
  -- All keys with which it opens them, comma-separated.
  opens text collate "C" not null,
  -- Counts up while the process lives. Others watch that it does by their own clocks, so that no two have to agree.
  renewals bigint not null
);

-- What a process has in its caches that is no longer so. It deletes what it has acted upon.
create table invalidations (
  id bigint generated always as identity primary key,
  process_id bytea not null references processes (id) on delete cascade,
  subject_kind text collate "C" not null check (subject_kind in ('webhook', 'api_key')),
  subject_id bytea not null,
  -- Of a webhook: what was done to it. Of a key, nothing but that it was revoked.
  change text collate "C" check (change in ('edited', 'resumed', 'deleted'))
);

create index invalidations_by_process on invalidations (process_id);
create index invalidations_by_subject on invalidations (subject_kind, subject_id);
