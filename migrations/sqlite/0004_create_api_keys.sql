create table api_keys (
  id blob primary key,
  account_id blob not null references accounts (id),
  name text not null,
  -- The key's first characters, by which users recognize it.
  prefix text not null,
  -- SHA-256 of the key, which has 256 random bits: a slow hash would add nothing.
  hash blob not null unique,
  -- Comma-separated.
  scopes text not null,
  created_at integer not null,
  created_by text not null,
  -- Null: the key is valid until it is revoked.
  expires_at integer,
  revoked_at integer,
  -- Updated once a minute, not with every use.
  last_used_at integer
) strict;

create index api_keys_by_account on api_keys (account_id, id);
