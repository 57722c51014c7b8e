-- In the order in which a revision has them, whatever the collation of the database: a draft is cut while it is read.
create index policy_objects_in_order on policy_objects (tenant_id, site_id, kind, id collate "C");

set local role sparc_bypass;

-- Whoever puts many people into a draft says so: what is looked up next must not be looked up as if there were few.
create function policy_objects_analyze() returns void
  language plpgsql security definer set search_path = sparc, pg_temp as $$
begin
  analyze policy_objects;
end
$$;

grant execute on function policy_objects_analyze to sparc_system;
