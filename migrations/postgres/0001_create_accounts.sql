-- An account owns webhooks, events, users and API keys. Nothing is shared between accounts.
create table accounts (
  id bytea primary key,
  name text collate "C" not null unique,
  created_at bigint not null
);
