alter table users add column last_sign_in_at integer;

-- Whose session it is, and what they recognise it by. One without an owner lets nobody in.
alter table sessions add column id text;
alter table sessions add column user_id text references users (id);
alter table sessions add column created_at integer;
-- Written once a minute at most.
alter table sessions add column last_seen_at integer;
-- Where it was last seen.
alter table sessions add column address text;
-- As the browser names itself, cut short.
alter table sessions add column user_agent text;

create index sessions_by_user on sessions (user_id);

-- Links that are waiting for somebody. One that was used or revoked is gone; the audit log knows of it.
create table invites (
  id text primary key,
  account_id text not null references accounts (id),
  email text not null,
  role text not null check (role in ('viewer', 'member', 'admin')),
  -- SHA-256 of the link's token, which has 256 random bits.
  token_hash blob not null unique,
  created_at integer not null,
  created_by text not null,
  expires_at integer not null,
  unique (account_id, email)
) strict;
