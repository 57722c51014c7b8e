-- What the migrations stand in; runs once for a database, and a dump has it.
create schema sparc authorization sparc_owner;
grant usage on schema sparc to sparc_app, sparc_system, sparc_backup;
alter default privileges for role sparc_owner in schema sparc grant select on tables to sparc_backup;
alter default privileges for role sparc_owner in schema sparc grant select on sequences to sparc_backup;
-- Partitions are made by a function of its own.
alter default privileges for role sparc_bypass in schema sparc grant select on tables to sparc_backup;
