set local role sparc_bypass;

-- What the authority of a site has said holds until it says otherwise, however long ago that was.
create function is_kept_for_ever(p_tenant uuid, p_author bytea) returns boolean
  language sql stable set search_path = sparc, pg_temp
begin atomic
  select exists (select from sites where tenant_id = p_tenant and authority_key = p_author);
end;

-- Whether a tenant has to keep anything of a month.
create function is_month_needed(p_partition name) returns boolean
  language plpgsql stable set search_path = sparc, pg_temp as $$
declare
  is_needed boolean;
begin
  execute format(
    'select exists (select from %I e join tenants t on t.id = e.tenant_id
       where t.legal_hold
          or is_kept_for_ever(e.tenant_id, e.author)
          or e.received_at >= now() - make_interval(days => t.retention_days)
          or e.at >= now() - make_interval(days => t.retention_days))',
    p_partition) into is_needed;
  return is_needed;
end
$$;

-- Takes away entries that no tenant has to keep, a part at a time; true when there may be more to do. An entry is kept for
-- the days of its tenant after its own time and after it arrived, one that lies outside of all months after it arrived, and
-- under a legal hold for ever, as what a site authority has said. Whole months go at once where nobody needs any of it. By the clock of the database, which
-- no caller can set.
create function events_expire(p_rows_max integer) returns boolean
  language plpgsql security definer set search_path = sparc, pg_temp set lock_timeout = '2s' as $$
declare
  part record;
  gone_count bigint;
begin
  for part in
    select c.relname as name, c.oid = 'events_outside'::regclass as is_outside
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'events'::regclass
       -- The shortest time that any tenant keeps them.
       and (c.oid = 'events_outside'::regclass or c.relname < to_char(now() - interval '90 days', '"events_"YYYY_MM'))
     order by c.relname
  loop
    if not part.is_outside and not is_month_needed(part.name) then
      -- An entry of that month may be on its way in.
      lock table events in access exclusive mode;
      if not is_month_needed(part.name) then
        execute format('drop table %I', part.name);
      end if;
      return true;
    end if;
    execute format(
      'delete from %1$I where ctid = any (array(
         select e.ctid from %1$I e join tenants t on t.id = e.tenant_id
          where not t.legal_hold
            and not is_kept_for_ever(e.tenant_id, e.author)
            and e.received_at < now() - make_interval(days => t.retention_days)
            and (%2$L or e.at < now() - make_interval(days => t.retention_days))
          limit %3$s))',
      part.name, part.is_outside, p_rows_max);
    get diagnostics gone_count = row_count;
    if gone_count > 0 then
      return true;
    end if;
  end loop;
  return false;
end
$$;

grant execute on function events_expire to sparc_system;
