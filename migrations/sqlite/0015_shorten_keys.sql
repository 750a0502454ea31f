-- Identifiers become 16 bytes: their texts without the prefix, a third as long in every row and every index. Events get
-- numbers that deliveries refer to. A delivery enters the indexes of the log only once its first attempt has ended or it
-- has to wait, and keeps the code of its last outcome instead of a sentence. So does an attempt with a known problem with
-- TLS. Who acts is a code too: user:EMAIL, api_key:NAME, operator or system. One table has the invalidations of any kind.
--
-- SQLite cannot change the type of a column, so each table is made anew.

create table new_accounts (
  id blob primary key,
  name text not null unique,
  created_at integer not null
) strict;

insert into new_accounts (
  id, name, created_at
)
select
  unhex(substr(id, instr(id, '_') + 1)), name, created_at
from accounts;

create table new_users (
  id blob primary key,
  account_id blob not null references new_accounts (id),
  -- Lower case; one person, one account.
  email text not null unique,
  -- argon2id in PHC form.
  password_hash text not null,
  role text not null check (role in ('viewer', 'member', 'admin')),
  created_at integer not null,
  disabled_at integer,
  last_sign_in_at integer
) strict;

insert into new_users (
  id, account_id, email, password_hash, role, created_at, disabled_at, last_sign_in_at
)
select
  unhex(substr(id, instr(id, '_') + 1)), unhex(substr(account_id, instr(account_id, '_') + 1)), email, password_hash,
  role, created_at, disabled_at, last_sign_in_at
from users;

create table new_sessions (
  -- SHA-256 of the cookie's value: who reads the database cannot sign in with what it holds.
  id_hash blob primary key,
  data blob not null,
  expires_at integer not null,
  -- Whose session it is, and what they recognise it by. One without an owner lets nobody in.
  id blob,
  user_id blob references new_users (id),
  created_at integer,
  -- Written once a minute at most.
  last_seen_at integer,
  -- Where it was last seen.
  address text,
  -- As the browser names itself, cut short.
  user_agent text
) strict;

insert into new_sessions (
  id_hash, data, expires_at, id, user_id, created_at, last_seen_at, address, user_agent
)
select
  id_hash, data, expires_at, unhex(substr(id, instr(id, '_') + 1)), unhex(substr(user_id, instr(user_id, '_') + 1)),
  created_at, last_seen_at, address, user_agent
from sessions;

create table new_invites (
  id blob primary key,
  account_id blob not null references new_accounts (id),
  email text not null,
  role text not null check (role in ('viewer', 'member', 'admin')),
  -- SHA-256 of the link's token, which has 256 random bits.
  token_hash blob not null unique,
  created_at integer not null,
  created_by text not null,
  expires_at integer not null,
  unique (account_id, email)
) strict;

insert into new_invites (
  id, account_id, email, role, token_hash, created_at, created_by, expires_at
)
select
  unhex(substr(id, instr(id, '_') + 1)), unhex(substr(account_id, instr(account_id, '_') + 1)), email, role,
  token_hash, created_at, 
  case when created_by = 'Caleida' then 'system' when created_by = 'Operator' then 'operator' when created_by like 'API key “%”' then 'api_key:' || substr(created_by, 10, length(created_by) - 10) else 'user:' || created_by end, expires_at
from invites;

create table new_api_keys (
  id blob primary key,
  account_id blob not null references new_accounts (id),
  name text not null,
  -- The first characters, so that people can tell keys apart.
  prefix text not null,
  -- SHA-256 of the key, which has 256 random bits: a slow hash would add nothing.
  hash blob not null unique,
  -- Comma-separated.
  scopes text not null,
  created_at integer not null,
  revoked_at integer,
  created_by text,
  -- From then on it opens nothing; without it, it is good until it is revoked.
  expires_at integer,
  -- Written once a minute, not with each use.
  last_used_at integer
) strict;

insert into new_api_keys (
  id, account_id, name, prefix, hash, scopes, created_at, revoked_at, created_by, expires_at, last_used_at
)
select
  unhex(substr(id, instr(id, '_') + 1)), unhex(substr(account_id, instr(account_id, '_') + 1)), name, prefix, hash,
  scopes, created_at, revoked_at, 
  case when created_by = 'Caleida' then 'system' when created_by = 'Operator' then 'operator' when created_by like 'API key “%”' then 'api_key:' || substr(created_by, 10, length(created_by) - 10) else 'user:' || created_by end, expires_at, last_used_at
from api_keys;

create table new_audit_log (
  id blob primary key,
  account_id blob not null,
  actor text not null,
  action text not null,
  -- The id of what it was done to, with its prefix, or a name.
  subject text not null,
  at integer not null,
  -- From where it was done: an address, or “command line”. Nothing for what the product did by itself.
  address text,
  -- A JSON object: what was there before, what is there after, and whatever else matters. Never a secret.
  details text
) strict;

insert into new_audit_log (
  id, account_id, actor, action, subject, at, address, details
)
select
  unhex(substr(id, instr(id, '_') + 1)), unhex(substr(account_id, instr(account_id, '_') + 1)), 
  case when actor = 'Caleida' then 'system' when actor = 'Operator' then 'operator' when actor like 'API key “%”' then 'api_key:' || substr(actor, 10, length(actor) - 10) else 'user:' || actor end, action,
  subject, at, address, details
from audit_log;

create table new_webhooks (
  id blob primary key,
  account_id blob not null references new_accounts (id),
  name text not null,
  url text not null,
  -- The event types it wants, comma-separated: read whole with the account's other webhooks when an event fans out.
  events text not null,
  -- What people set; that it is failing is read from failing_since.
  state text not null check (state in ('active', 'paused', 'disabled')),
  disabled_reason text,
  failing_since integer,
  last_attempt_at integer,
  -- The outcome of the last attempt: a status code, or why there was none.
  last_status_code integer,
  last_failure text,
  -- Sealed with the master key that key_id names, so that the key can be rotated; null once deleted.
  secret blob,
  secret_key_id text,
  -- The secret before the last rotation: signs too, until then.
  previous_secret blob,
  previous_secret_key_id text,
  previous_secret_until integer,
  -- Counts the saves.
  version integer not null,
  created_at integer not null,
  updated_at integer not null,
  updated_by text not null,
  -- A deleted webhook stays as a name for the delivery log; its secrets are gone.
  deleted_at integer
) strict;

insert into new_webhooks (
  id, account_id, name, url, events, state, disabled_reason, failing_since, last_attempt_at, last_status_code,
  last_failure, secret, secret_key_id, previous_secret, previous_secret_key_id, previous_secret_until, version,
  created_at, updated_at, updated_by, deleted_at
)
select
  unhex(substr(id, instr(id, '_') + 1)), unhex(substr(account_id, instr(account_id, '_') + 1)), name, url, events,
  state, disabled_reason, failing_since, last_attempt_at,
  case when last_attempt_summary glob '[1-5][0-9][0-9]' then cast(last_attempt_summary as integer) end,
  case last_attempt_summary when 'Address not allowed' then 'blocked' when 'Host not found' then 'dns' when 'Could not connect' then 'connect' when 'TLS failed' then 'tls' when 'Timed out' then 'timeout' when 'Broken answer' then 'protocol' when 'Cancelled' then 'cancelled' end,
  secret, secret_key_id, previous_secret, previous_secret_key_id, previous_secret_until, version, created_at,
  updated_at, 
  case when updated_by = 'Caleida' then 'system' when updated_by = 'Operator' then 'operator' when updated_by like 'API key “%”' then 'api_key:' || substr(updated_by, 10, length(updated_by) - 10) else 'user:' || updated_by end, deleted_at
from webhooks;

create table new_webhook_hours (
  webhook_id blob not null references new_webhooks (id),
  -- The hour's start.
  hour integer not null,
  succeeded integer not null,
  failed integer not null,
  primary key (webhook_id, hour)
) strict, without rowid;

insert into new_webhook_hours (
  webhook_id, hour, succeeded, failed
)
select
  unhex(substr(webhook_id, instr(webhook_id, '_') + 1)), hour, succeeded, failed
from webhook_hours;

create table new_webhook_latencies (
  webhook_id blob not null references new_webhooks (id),
  -- The hour's start.
  hour integer not null,
  power integer not null,
  answers integer not null,
  primary key (webhook_id, hour, power)
) strict, without rowid;

insert into new_webhook_latencies (
  webhook_id, hour, power, answers
)
select
  unhex(substr(webhook_id, instr(webhook_id, '_') + 1)), hour, power, answers
from webhook_latencies;

create table new_webhook_history (
  webhook_id blob not null references new_webhooks (id),
  since integer not null,
  state text not null check (state in ('active', 'paused', 'disabled', 'deleted')),
  events text not null,
  primary key (webhook_id, since)
) strict;

insert into new_webhook_history (
  webhook_id, since, state, events
)
select
  unhex(substr(webhook_id, instr(webhook_id, '_') + 1)), since, state, events
from webhook_history;

create table new_events (
  -- What deliveries refer to: a publisher may choose any text as an id.
  key integer primary key,
  account_id blob not null,
  -- Unique within the account only.
  id text not null,
  event_type text not null,
  -- When it happened, as the publisher says.
  occurred_at integer not null,
  received_at integer not null,
  -- The exact bytes that are signed and sent: raw, since a JSON column could reorder keys under the signature.
  payload blob not null,
  -- SHA-256 of what was published, to tell a repetition from another event under the same id.
  fingerprint blob not null,
  idempotency_key text,
  -- How many webhooks it went to when it was received.
  delivery_count integer not null,
  unique (account_id, id)
) strict;

insert into new_events (
  key, account_id, id, event_type, occurred_at, received_at, payload, fingerprint, idempotency_key, delivery_count
)
select
  row_number() over (order by received_at, id), unhex(substr(account_id, instr(account_id, '_') + 1)), id,
  event_type, occurred_at, received_at, payload, fingerprint, idempotency_key, delivery_count
from events;

create table new_deliveries (
  -- Sorts by age: the log pages by it. It also says when the delivery was made.
  id blob primary key,
  account_id blob not null,
  webhook_id blob not null,
  event_key integer not null,
  event_type text not null,
  -- 'new': leased by the insert that stored it, and its first attempt is under way.
  status text not null check (status in ('new', 'pending', 'held', 'delivered', 'failed', 'cancelled')),
  -- How many attempts have ended.
  attempts integer not null,
  -- Of these, the attempts before it was last resent: the schedule began anew after them.
  earlier_attempts integer not null default 0,
  -- While it is open: when the next attempt is due. A claim moves it to the end of its lease, so that a lapsed lease is
  -- simply due again and one index serves both.
  next_attempt_at integer,
  -- Names the claim that may record the next outcome; null while no process works on it.
  lease blob,
  -- The outcome of the last attempt: a status code, or why there was none.
  last_status_code integer,
  last_failure text,
  updated_at integer not null
) strict, without rowid;

insert into new_deliveries (
  id, account_id, webhook_id, event_key, event_type, status, attempts, earlier_attempts, next_attempt_at, lease,
  last_status_code, last_failure, updated_at
)
select
  unhex(substr(deliveries.id, instr(deliveries.id, '_') + 1)),
  unhex(substr(deliveries.account_id, instr(deliveries.account_id, '_') + 1)),
  unhex(substr(webhook_id, instr(webhook_id, '_') + 1)), e.key, deliveries.event_type, status, attempts,
  earlier_attempts, next_attempt_at, unhex(substr(lease, instr(lease, '_') + 1)),
  case when last_result glob '[1-5][0-9][0-9]' then cast(last_result as integer) end,
  case last_result when 'Address not allowed' then 'blocked' when 'Host not found' then 'dns' when 'Could not connect' then 'connect' when 'TLS failed' then 'tls' when 'Timed out' then 'timeout' when 'Broken answer' then 'protocol' when 'Cancelled' then 'cancelled' end,
  updated_at
from deliveries join new_events e on e.account_id = unhex(substr(deliveries.account_id, 5)) and e.id = event_id;

create table new_recoveries (
  -- Sorts by age.
  id blob primary key,
  account_id blob not null,
  webhook_id blob not null references new_webhooks (id),
  scope text not null check (scope in ('failed', 'missed')),
  since integer not null,
  until integer not null,
  state text not null check (state in ('running', 'done', 'cancelled')),
  -- How far it has come: everything received before, and at this moment up to this event.
  reached_at integer not null,
  reached_key integer not null,
  -- How many deliveries it has made due.
  recovered integer not null,
  created_at integer not null,
  created_by text not null
) strict;

insert into new_recoveries (id, account_id, webhook_id, scope, since, until, state, reached_at, reached_key, recovered, created_at, created_by)
select unhex(substr(id, instr(id, '_') + 1)), unhex(substr(account_id, instr(account_id, '_') + 1)), unhex(substr(webhook_id, instr(webhook_id, '_') + 1)), scope, since, until, state, reached_at,
  coalesce(
    (select key from new_events e where e.account_id = unhex(substr(recoveries.account_id, instr(recoveries.account_id, '_') + 1)) and e.id = reached_id),
    case reached_id when '' then -9223372036854775808 else 9223372036854775807 end),
  recovered, created_at, 
  case when created_by = 'Caleida' then 'system' when created_by = 'Operator' then 'operator' when created_by like 'API key “%”' then 'api_key:' || substr(created_by, 10, length(created_by) - 10) else 'user:' || created_by end
from recoveries;

create table new_attempts (
  delivery_id blob not null,
  -- Sorts by age. Recording an attempt twice under the same id changes nothing.
  id blob not null,
  number integer not null,
  started_at integer not null,
  duration_ms integer not null,
  url text not null,
  status_code integer,
  -- Seconds, if the receiver asked for patience.
  retry_after integer,
  -- Why there was no status code.
  failure text,
  -- The code of a known problem with TLS.
  tls_problem text,
  -- A sentence: what no code says.
  detail text,
  -- JSON: [[name, value], …]
  request_headers text not null,
  response_headers text not null,
  response_body blob not null,
  response_truncated integer not null,
  primary key (delivery_id, id)
) strict;

insert into new_attempts (
  delivery_id, id, number, started_at, duration_ms, url, status_code, retry_after, failure, detail, request_headers,
  response_headers, response_body, response_truncated
)
select
  unhex(substr(delivery_id, instr(delivery_id, '_') + 1)), unhex(substr(id, instr(id, '_') + 1)), number, started_at,
  duration_ms, url, status_code, retry_after, failure, detail, request_headers, response_headers, response_body,
  response_truncated
from attempts;

-- A known problem with TLS becomes a code. An attempt that was cancelled is explained by its failure.
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
update new_attempts set tls_problem = old.code, detail = null
from old where new_attempts.failure = 'tls' and new_attempts.detail = old.sentence;
update new_attempts set detail = null where failure = 'cancelled';

drop table key_invalidations;
drop table invalidations;
drop table processes;
drop table attempts;
drop table deliveries;
drop table events;
drop table recoveries;
drop table webhook_history;
drop table webhook_latencies;
drop table webhook_hours;
drop table webhooks;
drop table audit_log;
drop table api_keys;
drop table invites;
drop table sessions;
drop table users;
drop table accounts;

alter table new_accounts rename to accounts;
alter table new_users rename to users;
alter table new_sessions rename to sessions;
alter table new_invites rename to invites;
alter table new_api_keys rename to api_keys;
alter table new_audit_log rename to audit_log;
alter table new_webhooks rename to webhooks;
alter table new_webhook_hours rename to webhook_hours;
alter table new_webhook_latencies rename to webhook_latencies;
alter table new_webhook_history rename to webhook_history;
alter table new_events rename to events;
alter table new_deliveries rename to deliveries;
alter table new_recoveries rename to recoveries;
alter table new_attempts rename to attempts;

create index sessions_by_expiry on sessions (expires_at);
create index sessions_by_user on sessions (user_id);
create index api_keys_by_account on api_keys (account_id, id);
create index audit_log_by_age on audit_log (account_id, at, id);
create index audit_log_by_actor on audit_log (account_id, actor, at, id);
create index audit_log_by_action on audit_log (account_id, action, at, id);
create index audit_log_by_subject on audit_log (account_id, subject, at, id);
-- A deleted webhook's name is free again.
create unique index webhooks_by_name on webhooks (account_id, name) where deleted_at is null;
create unique index events_by_idempotency_key on events (account_id, idempotency_key)
where idempotency_key is not null;
-- The log pages by age, and retention and recoveries go by it.
create index events_by_age on events (account_id, received_at, key);
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
create index recoveries_by_webhook on recoveries (webhook_id, id);
create index recoveries_running on recoveries (id) where state = 'running';

-- The processes that share this database, each for as long as it lives. A change of a webhook has propagated when every
-- one of them has acted upon it.
create table processes (
  id blob primary key,
  -- What it does: for people who look.
  role text not null,
  -- The key with which it seals secrets.
  master_key_id text not null,
  -- All keys with which it opens them, comma-separated.
  opens text not null,
  -- Counts up while the process lives. Others watch that it does by their own clocks, so that no two have to agree.
  renewals integer not null
) strict;

-- What a process has in its caches that is no longer so. It deletes what it has acted upon.
create table invalidations (
  id integer primary key,
  process_id blob not null references processes (id) on delete cascade,
  subject_kind text not null check (subject_kind in ('webhook', 'api_key')),
  subject_id blob not null,
  -- Of a webhook: what was done to it. Of a key, nothing but that it was revoked.
  change text check (change in ('edited', 'resumed', 'deleted'))
) strict;

create index invalidations_by_process on invalidations (process_id);
create index invalidations_by_subject on invalidations (subject_kind, subject_id);
