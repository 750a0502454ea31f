-- An account owns webhooks, events, users and API keys. Nothing is shared between accounts.
create table accounts (
  id blob primary key,
  name text not null unique,
  created_at integer not null
) strict;
