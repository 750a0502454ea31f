-- The events of an account by age: the log pages by it, and retention finds the oldest by it.
create index events_by_account on events (account_id, received_at, id);
