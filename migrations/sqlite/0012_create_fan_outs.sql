-- Events that were accepted with more deliveries than one commit stores. The rest are stored in steps; the last step
-- removes the row.
create table fan_outs (
  account_id blob not null,
  event_key integer not null,
  -- Deliveries to the webhooks up to this id are stored. Null before the first step.
  reached blob,
  primary key (account_id, event_key)
) strict, without rowid;
