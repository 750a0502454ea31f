-- Append-only.
create table attempts (
  delivery_id blob not null,
  -- Sorts by age. Recording an attempt twice with the same id has no effect.
  id blob not null,
  number integer not null,
  started_at integer not null,
  duration_ms integer not null,
  url text not null,
  status_code integer,
  -- Value of Retry-After in seconds.
  retry_after integer,
  -- Reason why there is no status code.
  failure text,
  -- Code of a known TLS problem.
  tls_problem text,
  -- Explanation of a failure that has no code.
  detail text,
  -- JSON: [[name, value], …]
  request_headers text not null,
  response_headers text not null,
  response_body blob not null,
  response_truncated integer not null,
  primary key (delivery_id, id)
) strict;
