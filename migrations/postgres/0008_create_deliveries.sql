create table deliveries (
  -- Contains the time of creation and sorts by it.
  id bytea primary key,
  account_id bytea not null,
  webhook_id bytea not null,
  event_key bigint not null,
  event_type text collate "C" not null,
  -- 'new': leased by the insert that stored it; its first attempt is under way.
  status text collate "C" not null check (status in ('new', 'pending', 'held', 'delivered', 'failed', 'cancelled')),
  -- Number of attempts that have ended.
  attempts bigint not null,
  -- Number of attempts before the last resend, which restarts the retry schedule.
  earlier_attempts bigint not null default 0,
  -- Time of the next attempt while the delivery is open. A claim sets it to the end of its lease, so that a delivery
  -- whose lease has expired is due again, and one index serves both.
  next_attempt_at bigint,
  -- The claim that may record the next outcome. Null while the delivery is not leased.
  lease bytea,
  -- Outcome of the last attempt: a status code, or the reason why there was none.
  last_status_code bigint,
  last_failure text collate "C",
  updated_at bigint not null
);

-- Open deliveries. A claim goes from webhook to webhook and takes the longest due of each. Pausing, resuming and
-- deleting a webhook use it too.
create index deliveries_open on deliveries (webhook_id, status, next_attempt_at)
where status in ('new', 'pending', 'held');
-- Delivery log of an account and of a webhook. Each status is a range sorted by age, so that a few failed deliveries are
-- found among millions of others. Pages without a status merge the ranges.
create index deliveries_by_account on deliveries (account_id, status, id) where status <> 'new';
create index deliveries_by_webhook on deliveries (webhook_id, status, id) where status <> 'new';
-- Deliveries of an event: for its page, retention and recoveries.
create index deliveries_by_event on deliveries (event_key);

-- Rows change a few times and then never again. Vacuuming by a number of dead rows instead of a share of the ever
-- growing table keeps the index of open deliveries small.
alter table deliveries set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
