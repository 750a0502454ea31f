-- How long receivers took to answer, by hour: counts of attempts by the power of 2^(1/4) milliseconds that is nearest, so
-- that half and 95 % of any stretch of time are known within a tenth, however many attempts there were.
create table webhook_latencies (
  webhook_id text collate "C" not null references webhooks (id),
  -- The hour's start.
  hour bigint not null,
  power bigint not null,
  answers bigint not null,
  primary key (webhook_id, hour, power)
);
