create table users (
  id blob primary key,
  account_id blob not null references accounts (id),
  -- In lower case. Unique across accounts: a user belongs to one account.
  email text not null unique,
  -- argon2id, as a PHC string.
  password_hash text not null,
  role text not null check (role in ('viewer', 'member', 'admin')),
  created_at integer not null,
  disabled_at integer,
  last_sign_in_at integer
) strict;

-- Open invitations. A row is deleted when its link is used or revoked; the audit log keeps both.
create table invites (
  id blob primary key,
  account_id blob not null references accounts (id),
  email text not null,
  role text not null check (role in ('viewer', 'member', 'admin')),
  -- SHA-256 of the link's token, which has 256 random bits.
  token_hash blob not null unique,
  created_at integer not null,
  created_by text not null,
  expires_at integer not null,
  unique (account_id, email)
) strict;
