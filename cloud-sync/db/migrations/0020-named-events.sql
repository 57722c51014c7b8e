-- What people look for events by. Under row-level security an index serves comparisons of columns alone (0016), so the name is
-- one, which the database makes of the record, for programs of the version before as well. This writes all events anew: nobody
-- has many before the first release, and no migration after it may do so.
alter table events add column name text generated always as (record ->> 'name') stored;
create index on events (tenant_id, site_id, name, at) where name is not null;

set local role sparc_bypass;

-- As in 0002, with its columns named: nobody inserts what the database makes.
create or replace function events_make_month(p_month date) returns boolean
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
       insert into %I (tenant_id, site_id, author, epoch, epoch_random, sequence, at, time_quality, hlc_unix_ms, hlc_counter, kind, hash, content,
       record, received_at, signature)
       select tenant_id, site_id, author, epoch, epoch_random, sequence, at, time_quality, hlc_unix_ms, hlc_counter, kind, hash, content,
       record, received_at, signature from moved',
    first_day::timestamp at time zone 'UTC', next_day::timestamp at time zone 'UTC', partition);
  execute format(
    'alter table events attach partition %I for values from (%L) to (%L)',
    partition, first_day::timestamp at time zone 'UTC', next_day::timestamp at time zone 'UTC');
  return true;
end
$$;
