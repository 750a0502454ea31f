create table users (
  id bytea primary key,
  account_id bytea not null references accounts (id),
  -- In lower case. Unique across accounts: a user belongs to one account.
  email text collate "C" not null unique,
  -- argon2id, as a PHC string.
  password_hash text collate "C" not null,
  role text collate "C" not null check (role in ('viewer', 'member', 'admin')),
  created_at bigint not null,
  disabled_at bigint,
  last_sign_in_at bigint
);

-- Open invitations. A row is deleted when its link is used or revoked; the audit log keeps both.
create table invites (
  id bytea primary key,
  account_id bytea not null references accounts (id),
  email text collate "C" not null,
  role text collate "C" not null check (role in ('viewer', 'member', 'admin')),
  -- SHA-256 of the link's token, which has 256 random bits.
  token_hash bytea not null unique,
  created_at bigint not null,
  created_by text collate "C" not null,
  expires_at bigint not null,
  unique (account_id, email)
);
