-- An account owns webhooks, events, users and API keys; nothing crosses accounts.
create table accounts (
  id text primary key,
  name text not null unique,
  created_at integer not null
) strict;

create table users (
  id text primary key,
  account_id text not null references accounts (id),
  -- Lower case; one person, one account.
  email text not null unique,
  -- argon2id in PHC form.
  password_hash text not null,
  role text not null check (role in ('viewer', 'member', 'admin')),
  created_at integer not null,
  disabled_at integer
) strict;

create table sessions (
  -- SHA-256 of the cookie's value: who reads the database cannot sign in with what it holds.
  id_hash blob primary key,
  data blob not null,
  expires_at integer not null
) strict;

create index sessions_by_expiry on sessions (expires_at);

-- One row for each refused sign-in under each key it counts for (the address, the account); old rows are swept.
create table login_failures (
  key text not null,
  failed_at integer not null
) strict;

create index login_failures_by_key on login_failures (key, failed_at);

create table api_keys (
  id text primary key,
  account_id text not null references accounts (id),
  name text not null,
  -- The first characters, so that people can tell keys apart.
  prefix text not null,
  -- SHA-256 of the key, which has 256 random bits: a slow hash would add nothing.
  hash blob not null unique,
  -- Comma-separated.
  scopes text not null,
  created_at integer not null,
  revoked_at integer
) strict;

-- Who did what to what. Only ever appended to.
create table audit_log (
  id text primary key,
  account_id text not null,
  actor text not null,
  action text not null,
  subject text not null,
  at integer not null
) strict;

create index audit_log_by_account on audit_log (account_id, at);
