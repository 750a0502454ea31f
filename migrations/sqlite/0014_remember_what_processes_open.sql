-- While the master key is rotated, a process opens what either key has sealed: their ids, comma-separated. Empty in a
-- process of an earlier version, which opens only what it seals.
alter table processes add column opens text not null default '';
