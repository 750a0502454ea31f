-- Scripts, wasm and styles of the dashboard, of each version that runs or has run lately. During an upgrade, a page of one
-- version can ask a process of another version for them.
create table assets (
  -- Contains a hash of the content.
  name text primary key,
  -- Compressed with gzip.
  content blob not null,
  -- Time when a process that has the file confirmed it last.
  used_at integer not null
) strict;
