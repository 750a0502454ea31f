create table deliveries (
  -- Contains the time of creation and sorts by it.
  id blob primary key,
  account_id blob not null,
  webhook_id blob not null,
  event_key integer not null,
  event_type text not null,
  -- 'new': leased by the insert that stored it; its first attempt is under way.
  status text not null check (status in ('new', 'pending', 'held', 'delivered', 'failed', 'cancelled')),
  -- Number of attempts that have ended.
  attempts integer not null,
  -- Number of attempts before the last resend, which restarts the retry schedule.
  earlier_attempts integer not null default 0,
  -- Time of the next attempt while the delivery is open. A claim sets it to the end of its lease, so that a delivery
  -- whose lease has expired is due again, and one index serves both.
  next_attempt_at integer,
  -- The claim that may record the next outcome. Null while the delivery is not leased.
  lease blob,
  -- Outcome of the last attempt: a status code, or the reason why there was none.
  last_status_code integer,
  last_failure text,
  updated_at integer not null
) strict, without rowid;

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
