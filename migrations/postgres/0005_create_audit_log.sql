-- Append-only.
create table audit_log (
  id bytea primary key,
  account_id bytea not null,
  -- user:EMAIL, api_key:NAME, operator or system.
  actor text collate "C" not null,
  action text collate "C" not null,
  -- The id of the changed object with its prefix, or a name.
  subject text collate "C" not null,
  at bigint not null,
  -- The client's address, or "command line". Null for changes by the system.
  address text collate "C",
  -- JSON object: the values before and after, and other facts. Never a secret.
  details text collate "C"
);

-- Newest first: the whole log, and the log by each filter.
create index audit_log_by_age on audit_log (account_id, at, id);
create index audit_log_by_actor on audit_log (account_id, actor, at, id);
create index audit_log_by_action on audit_log (account_id, action, at, id);
create index audit_log_by_subject on audit_log (account_id, subject, at, id);
