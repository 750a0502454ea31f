-- A claim goes from webhook to webhook and takes from each what is due longest: however long one webhook's queue is,
-- finding the others costs one look-up each. Pausing, resuming and deleting a webhook find what is open by it too.
drop index deliveries_open;
create index deliveries_open on deliveries (webhook_id, status, next_attempt_at) where status in ('pending', 'held');
