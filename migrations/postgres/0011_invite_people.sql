alter table users add column last_sign_in_at bigint;

-- Whose session it is, and what they recognise it by. One without an owner lets nobody in.
alter table sessions add column id text collate "C";
alter table sessions add column user_id text collate "C" references users (id);
alter table sessions add column created_at bigint;
-- Written once a minute at most.
alter table sessions add column last_seen_at bigint;
-- Where it was last seen.
alter table sessions add column address text collate "C";
-- As the browser names itself, cut short.
alter table sessions add column user_agent text collate "C";

create index sessions_by_user on sessions (user_id);

-- Links that are waiting for somebody. One that was used or revoked is gone; the audit log knows of it.
create table invites (
  id text collate "C" primary key,
  account_id text collate "C" not null references accounts (id),
  email text collate "C" not null,
  role text collate "C" not null check (role in ('viewer', 'member', 'admin')),
  -- SHA-256 of the link's token, which has 256 random bits.
  token_hash bytea not null unique,
  created_at bigint not null,
  created_by text collate "C" not null,
  expires_at bigint not null,
  unique (account_id, email)
);
