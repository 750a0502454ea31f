-- Append-only.
create table attempts (
  delivery_id bytea not null,
  -- Sorts by age. Recording an attempt twice with the same id has no effect.
  id bytea not null,
  number bigint not null,
  started_at bigint not null,
  duration_ms bigint not null,
  url text collate "C" not null,
  status_code bigint,
  -- Value of Retry-After in seconds.
  retry_after bigint,
  -- Reason why there is no status code.
  failure text collate "C",
  -- Code of a known TLS problem.
  tls_problem text collate "C",
  -- Explanation of a failure that has no code.
  detail text collate "C",
  -- JSON: [[name, value], …]
  request_headers text collate "C" not null,
  response_headers text collate "C" not null,
  response_body bytea not null,
  response_truncated boolean not null,
  primary key (delivery_id, id)
);
