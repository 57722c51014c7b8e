create table schema_version (
  major integer not null,
  minor integer not null,
  only_row boolean primary key default true check (only_row)
);
insert into schema_version (major, minor) values (1, 0);
grant select on schema_version to sparc_app;

-- After a transaction that set it, a setting of the session is not unset but empty.
create function current_tenant() returns uuid language sql stable parallel safe
  return nullif(current_setting('sparc.tenant', true), '')::uuid;

-- Every table of tenants goes through here: whoever forgets the tenant sees nothing, and that goes for the owner as well.
create procedure keep_tenants_apart(tenant_table regclass, tenant_column name default 'tenant_id') language plpgsql as $$
begin
  execute format('alter table %s enable row level security', tenant_table);
  execute format('alter table %s force row level security', tenant_table);
  execute format(
    'create policy of_one_tenant on %s using (%I = current_tenant()) with check (%I = current_tenant())',
    tenant_table, tenant_column, tenant_column);
end
$$;

create table tenants (
  id uuid primary key,
  name text not null check (length(name) between 1 and 200),
  region text not null check (length(region) between 1 and 64),
  retention_days integer not null check (retention_days >= 90),
  legal_hold boolean not null default false,
  created_at timestamptz not null default now()
);
call keep_tenants_apart('tenants', 'id');
grant select, update (name, retention_days, legal_hold) on tenants to sparc_app;

create table sites (
  tenant_id uuid not null references tenants,
  id text not null check (length(id) between 1 and 64),
  name text not null,
  authority_key bytea check (octet_length(authority_key) = 32),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
call keep_tenants_apart('sites');
grant select, insert, update on sites to sparc_app;

create table gateways (
  tenant_id uuid not null,
  site_id text not null,
  -- Its Ed25519 key. A gateway belongs to one tenant.
  id bytea not null unique check (octet_length(id) = 32),
  name text not null,
  state text not null check (state in ('claimed', 'active', 'expelled', 'replaced')),
  claimed_at timestamptz not null default now(),
  expelled_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, site_id) references sites
);
create index on gateways (tenant_id, site_id);
call keep_tenants_apart('gateways');
grant select, insert, update on gateways to sparc_app;

create table gateway_certificates (
  tenant_id uuid not null,
  serial bytea not null check (octet_length(serial) between 1 and 20),
  gateway_id bytea not null,
  certificate_der bytea not null,
  not_before timestamptz not null,
  not_after timestamptz not null,
  revoked_at timestamptz,
  primary key (tenant_id, serial),
  foreign key (tenant_id, gateway_id) references gateways
);
create index on gateway_certificates (tenant_id, gateway_id);
call keep_tenants_apart('gateway_certificates');
grant select, insert, update on gateway_certificates to sparc_app;

create table claim_codes (
  tenant_id uuid not null,
  site_id text not null,
  -- SHA-256: whoever reads the table cannot claim.
  code_hash bytea not null unique check (octet_length(code_hash) = 32),
  gateway_name text not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  used_by bytea,
  primary key (tenant_id, code_hash),
  foreign key (tenant_id, site_id) references sites,
  foreign key (tenant_id, used_by) references gateways
);
call keep_tenants_apart('claim_codes');
grant select, insert, update on claim_codes to sparc_app;

create table gateway_status (
  tenant_id uuid not null,
  gateway_id bytea not null,
  last_contact_at timestamptz,
  -- The newest entry of its log that somebody has, by its own signature. What of it is not stored is on its way.
  said_epoch bigint,
  said_epoch_random bytea,
  said_sequence bigint,
  primary key (tenant_id, gateway_id),
  foreign key (tenant_id, gateway_id) references gateways
);
call keep_tenants_apart('gateway_status');
grant select, insert, update on gateway_status to sparc_app;

create table audit (
  tenant_id uuid not null references tenants,
  id bigint generated always as identity,
  at timestamptz not null default now(),
  actor text not null,
  act text not null,
  subject text not null,
  detail jsonb not null default '{}',
  primary key (tenant_id, id)
);
call keep_tenants_apart('audit');
grant select, insert on audit to sparc_app;

-- What works across tenants. Each is listed in system-functions.ts with its reason.
set local role sparc_bypass;

create function tenant_create(p_name text, p_region text, p_retention_days integer) returns uuid
  language sql security definer set search_path = sparc, pg_temp
begin atomic
  insert into tenants (id, name, region, retention_days)
    values (gen_random_uuid(), p_name, p_region, p_retention_days) returning id;
end;

create function tenant_list() returns setof tenants
  language sql stable security definer set search_path = sparc, pg_temp
begin atomic
  select * from tenants order by created_at, id;
end;

create function claim_find(p_code_hash bytea) returns table (tenant_id uuid, site_id text, gateway_name text, expires_at timestamptz, used_at timestamptz)
  language sql stable security definer set search_path = sparc, pg_temp
begin atomic
  select c.tenant_id, c.site_id, c.gateway_name, c.expires_at, c.used_at from claim_codes c where c.code_hash = p_code_hash;
end;

grant execute on function tenant_create, tenant_list, claim_find to sparc_system;
