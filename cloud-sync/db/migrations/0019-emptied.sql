-- Entries that came without their bodies: gateways had emptied them by a word of the cloud that it lost since.
alter table author_heads add column emptied_count bigint not null default 0;
