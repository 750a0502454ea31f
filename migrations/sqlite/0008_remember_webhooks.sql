-- What a resend begins anew: the attempts that were made before do not count towards the schedule.
alter table deliveries add column earlier_attempts integer not null default 0;

-- The log by status: each status is a stretch of the index by age, so that the few that failed are found at once among
-- the millions that did not. Without a status the five stretches are merged.
drop index deliveries_by_account;
create index deliveries_by_account on deliveries (account_id, status, id);
drop index deliveries_by_webhook;
create index deliveries_by_webhook on deliveries (webhook_id, status, id);

-- What a webhook was and wanted, from each of these moments to the next: why an event was not sent to it is told by what
-- it was then, not by what it is now.
create table webhook_history (
  webhook_id text not null references webhooks (id),
  since integer not null,
  state text not null check (state in ('active', 'paused', 'disabled', 'deleted')),
  events text not null,
  primary key (webhook_id, since)
) strict;

insert into webhook_history (webhook_id, since, state, events)
select id, created_at, state, events from webhooks;
insert into webhook_history (webhook_id, since, state, events)
select id, deleted_at, 'deleted', events from webhooks where deleted_at > created_at;
