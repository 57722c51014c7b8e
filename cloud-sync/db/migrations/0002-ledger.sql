-- Up to where the log of an author has come, by epoch: the row that is locked while entries are put behind it. Authors are
-- gateways, and the authority of a site.
create table author_heads (
  tenant_id uuid not null,
  site_id text not null,
  author bytea not null check (octet_length(author) = 32),
  epoch bigint not null,
  epoch_random bytea not null check (octet_length(epoch_random) = 8),
  sequence bigint not null check (sequence > 0),
  hash bytea not null check (octet_length(hash) = 32),
  signature bytea not null check (octet_length(signature) = 64),
  -- The site as the head names it: empty where the epoch is of a time before the gateway joined.
  signed_site text not null default '',
  -- The entry that the first one of the epoch names as the one before it; null at the start of a log.
  previous_epoch bigint,
  previous_epoch_random bytea check (octet_length(previous_epoch_random) = 8),
  previous_sequence bigint,
  previous_hash bytea check (octet_length(previous_hash) = 32),
  -- Entries whose time no month is kept for.
  outside_count bigint not null default 0,
  -- A fork stops the epoch: nothing is put behind it.
  stopped_at timestamptz,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, author, epoch, epoch_random),
  foreign key (tenant_id, site_id) references sites
);
create index on author_heads (tenant_id, site_id);
call keep_tenants_apart('author_heads');
grant select, insert, update on author_heads to sparc_app;

create table forks (
  tenant_id uuid not null,
  site_id text not null,
  author bytea not null,
  -- `forkName` of protocol/replication: the same however far its branches have grown.
  name text not null,
  kind text not null,
  -- The two signed heads.
  first bytea not null,
  second bytea not null,
  seen_at timestamptz not null default now(),
  primary key (tenant_id, name),
  foreign key (tenant_id, site_id) references sites
);
call keep_tenants_apart('forks');
grant select, insert on forks to sparc_app;

-- Entries of ledgers. That there is one for a place is kept by author_heads: a key of a partitioned table has to have the
-- time in it, and so cannot.
create table events (
  tenant_id uuid not null,
  site_id text not null,
  author bytea not null,
  epoch bigint not null,
  epoch_random bytea not null,
  sequence bigint not null,
  -- By the author's wall clock.
  at timestamptz not null,
  time_quality text not null,
  hlc_unix_ms bigint not null,
  hlc_counter integer not null,
  kind text not null,
  hash bytea not null,
  -- As the author wrote them: they are what the hash is over.
  content bytea not null,
  -- What they say, where this version knows the kind.
  record jsonb,
  received_at timestamptz not null default now(),
  primary key (tenant_id, author, epoch, epoch_random, sequence, at)
) partition by range (at);
create index on events (tenant_id, site_id, at);
call keep_tenants_apart('events');
grant select, insert on events to sparc_app;

-- Nobody is granted anything on a partition; rows are reached through `events` alone, under its policy.
create table events_outside partition of events default;
alter table events_outside enable row level security;
alter table events_outside force row level security;
create index on events_outside (received_at);

set local role sparc_bypass;

-- Makes a month's partition ready. Months far from today get none, however an author's clock goes wrong: their entries
-- lie in events_outside. True where the month has a partition.
create function events_make_month(p_month date) returns boolean
  language plpgsql security definer set search_path = sparc, pg_temp set lock_timeout = '2s' as $$
declare
  first_day date := date_trunc('month', p_month);
  next_day date := first_day + interval '1 month';
  partition name := to_char(first_day, '"events_"YYYY_MM');
begin
  if to_regclass(partition) is not null then
    return true;
  end if;
  if first_day < now() - interval '13 months' or first_day > now() + interval '2 months' then
    return false;
  end if;
  -- Two programs may come for the same month. A lock of the table, because who waits for it hears what was made meanwhile,
  -- and who waits for an advisory lock may not.
  lock table events in share update exclusive mode;
  if to_regclass(partition) is not null then
    return true;
  end if;
  execute format('create table %I (like events including all)', partition);
  execute format('alter table %I owner to sparc_owner', partition);
  execute format('alter table %I enable row level security', partition);
  execute format('alter table %I force row level security', partition);
  execute format('create index on %I (received_at)', partition);
  -- What came when its month was far away.
  execute format(
    'with moved as (delete from events_outside where at >= %L::timestamptz and at < %L::timestamptz returning *)
       insert into %I select * from moved',
    first_day::timestamp at time zone 'UTC', next_day::timestamp at time zone 'UTC', partition);
  execute format(
    'alter table events attach partition %I for values from (%L) to (%L)',
    partition, first_day::timestamp at time zone 'UTC', next_day::timestamp at time zone 'UTC');
  return true;
end
$$;

grant execute on function events_make_month to sparc_system;
