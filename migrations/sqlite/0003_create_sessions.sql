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
