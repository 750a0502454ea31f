create table api_keys (
  id bytea primary key,
  account_id bytea not null references accounts (id),
  name text collate "C" not null,
  -- The key's first characters, by which users recognize it.
  prefix text collate "C" not null,
  -- SHA-256 of the key, which has 256 random bits: a slow hash would add nothing.
  hash bytea not null unique,
  -- Comma-separated.
  scopes text collate "C" not null,
  created_at bigint not null,
  created_by text collate "C" not null,
  -- Null: the key is valid until it is revoked.
  expires_at bigint,
  revoked_at bigint,
  -- Updated once a minute, not with every use.
  last_used_at bigint
);

create index api_keys_by_account on api_keys (account_id, id);
