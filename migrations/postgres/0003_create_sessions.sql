create table sessions (
  -- SHA-256 of the cookie's value, so that a copy of the database does not sign anyone in.
  id_hash bytea primary key,
  data bytea not null,
  expires_at bigint not null,
  -- Null until a user signs in. A session without a user grants no access.
  id bytea,
  user_id bytea references users (id),
  created_at bigint,
  -- Updated at most once a minute.
  last_seen_at bigint,
  -- Address and User-Agent (truncated) of the last request.
  address text collate "C",
  user_agent text collate "C"
);

create index sessions_by_expiry on sessions (expires_at);
create index sessions_by_user on sessions (user_id);

-- Refused sign-ins, one row per key: the client's address and the account. Expired rows are deleted.
create table login_failures (
  key text collate "C" not null,
  failed_at bigint not null
);

create index login_failures_by_key on login_failures (key, failed_at);

-- Submitted forms, so that submitting one twice has the effect of once. Deleted after an hour.
create table submitted_forms (
  -- SHA-256 of the form's user, function, token and fields.
  id bytea primary key,
  created_at bigint not null,
  -- Encrypted with a key derived from the token, which is not stored. Null while the change is in progress.
  outcome bytea
);

create index submitted_forms_by_age on submitted_forms (created_at);
