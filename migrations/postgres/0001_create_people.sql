-- An account owns webhooks, events, users and API keys; nothing crosses accounts.
create table accounts (
  id text collate "C" primary key,
  name text collate "C" not null unique,
  created_at bigint not null
);

create table users (
  id text collate "C" primary key,
  account_id text collate "C" not null references accounts (id),
  -- Lower case; one person, one account.
  email text collate "C" not null unique,
  -- argon2id in PHC form.
  password_hash text collate "C" not null,
  role text collate "C" not null check (role in ('viewer', 'member', 'admin')),
  created_at bigint not null,
  disabled_at bigint
);

create table sessions (
  -- SHA-256 of the cookie's value: who reads the database cannot sign in with what it holds.
  id_hash bytea primary key,
  data bytea not null,
  expires_at bigint not null
);

create index sessions_by_expiry on sessions (expires_at);

-- One row for each refused sign-in under each key it counts for (the address, the account); old rows are swept.
create table login_failures (
  key text collate "C" not null,
  failed_at bigint not null
);

create index login_failures_by_key on login_failures (key, failed_at);

create table api_keys (
  id text collate "C" primary key,
  account_id text collate "C" not null references accounts (id),
  name text collate "C" not null,
  -- The first characters, so that people can tell keys apart.
  prefix text collate "C" not null,
  -- SHA-256 of the key, which has 256 random bits: a slow hash would add nothing.
  hash bytea not null unique,
  -- Comma-separated.
  scopes text collate "C" not null,
  created_at bigint not null,
  revoked_at bigint
);

-- Who did what to what. Only ever appended to.
create table audit_log (
  id text collate "C" primary key,
  account_id text collate "C" not null,
  actor text collate "C" not null,
  action text collate "C" not null,
  subject text collate "C" not null,
  at bigint not null
);

create index audit_log_by_account on audit_log (account_id, at);
