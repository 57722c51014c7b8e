-- Under row-level security an index serves comparisons of columns alone. An operator of lists, of JSON or `like` might tell of
-- a row that it is another tenant's, and so is asked of the tenant's own rows, of each: what is looked for has columns.

-- Whose a card is, kept by triggers, so that programs of the version before keep it as well.
create table policy_marks (
  tenant_id uuid not null,
  site_id text not null,
  -- A keyed hash of the card.
  mark text not null,
  -- Of the credential.
  id text not null,
  primary key (tenant_id, site_id, mark, id)
);
call keep_tenants_apart('policy_marks');
grant select, insert, delete on policy_marks to sparc_app;

create function policy_marks_follow() returns trigger language plpgsql set search_path = sparc, pg_temp as $$
begin
  if tg_op <> 'INSERT' then
    delete from policy_marks m using old_objects o
     where m.tenant_id = o.tenant_id and m.site_id = o.site_id and m.mark = any (o.marks) and m.id = o.id;
  end if;
  if tg_op <> 'DELETE' then
    insert into policy_marks (tenant_id, site_id, mark, id) select tenant_id, site_id, unnest(marks), id from new_objects;
  end if;
  return null;
end
$$;

create trigger policy_marks_of_new after insert on policy_objects
  referencing new table as new_objects for each statement execute function policy_marks_follow();
create trigger policy_marks_of_changed after update on policy_objects
  referencing old table as old_objects new table as new_objects for each statement execute function policy_marks_follow();
create trigger policy_marks_of_gone after delete on policy_objects
  referencing old table as old_objects for each statement execute function policy_marks_follow();

alter table policy_objects
  add column holder text generated always as (case kind when 'credentials' then body ->> 'holder' end) stored,
  -- As it is looked for, in any case of letters.
  add column name text collate "C" generated always as (lower(body ->> 'name')) stored;
create index on policy_objects (tenant_id, site_id, holder) where holder is not null;
create index policy_objects_by_name on policy_objects (tenant_id, site_id, kind, name) where name is not null;

-- No query of a tenant was ever served by these.
drop index policy_objects_marks_idx, policy_objects_tenant_id_site_id_expr_idx, policy_objects_tenant_id_site_id_lower_idx;

set local role sparc_bypass;

create or replace function policy_objects_analyze() returns void
  language plpgsql security definer set search_path = sparc, pg_temp as $$
begin
  analyze policy_objects, policy_marks;
end
$$;

insert into policy_marks (tenant_id, site_id, mark, id)
  select tenant_id, site_id, unnest(marks), id from policy_objects;
