create table sessions (
  -- SHA-256 of the cookie's value, so that a copy of the database does not sign anyone in.
  id_hash blob primary key,
  data blob not null,
  expires_at integer not null,
  -- Null until a user signs in. A session without a user grants no access.
  id blob,
  user_id blob references users (id),
  created_at integer,
  -- Updated at most once a minute.
  last_seen_at integer,
  -- Address and User-Agent (truncated) of the last request.
  address text,
  user_agent text
) strict;

create index sessions_by_expiry on sessions (expires_at);
create index sessions_by_user on sessions (user_id);

-- Refused sign-ins, one row per key: the client's address and the account. Expired rows are deleted.
create table login_failures (
  key text not null,
  failed_at integer not null
) strict;

create index login_failures_by_key on login_failures (key, failed_at);

-- Submitted forms, so that submitting one twice has the effect of once. Deleted after an hour.
create table submitted_forms (
  -- SHA-256 of the form's user, function, token and fields.
  id blob primary key,
  created_at integer not null,
  -- Encrypted with a key derived from the token, which is not stored. Null while the change is in progress.
  outcome blob
) strict;

create index submitted_forms_by_age on submitted_forms (created_at);
