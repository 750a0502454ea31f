-- What is due next is found webhook by webhook, by deliveries_open: one index less to keep up with every delivery.
drop index deliveries_due;
