-- Roles belong to the whole server, so this runs apart from the migrations, as whoever may create roles, and may run again.
-- Those who log in are members of what they need: a program of sparc_app and sparc_system, a backup of sparc_backup.
do $$
declare
  wanted record;
begin
  -- Another database of the same server may be migrated at this moment.
  perform pg_advisory_xact_lock(7237112);
  for wanted in
    select * from (values
      ('sparc_owner', 'nobypassrls'),  -- owns the tables, and sees no row of them: row-level security is forced
      ('sparc_app', 'nobypassrls'),    -- works for one tenant, named for each transaction
      ('sparc_system', 'nobypassrls'), -- sees no table; calls the functions that work across tenants
      ('sparc_bypass', 'bypassrls'),   -- owns those functions; moves data in migrations
      ('sparc_backup', 'bypassrls')    -- reads all
    ) as roles (name, bypass)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I nologin %s', wanted.name, wanted.bypass);
    end if;
    if not pg_has_role(current_user, wanted.name, 'member') then
      execute format('grant %I to %I', wanted.name, current_user);
    end if;
  end loop;
  if not pg_has_role('sparc_bypass', 'sparc_owner', 'member') then
    grant sparc_owner to sparc_bypass;
  end if;
end
$$;

-- Of this database. What works across tenants is for nobody but whom a migration names.
alter default privileges for role sparc_bypass revoke execute on functions from public;
