-- What the service itself has to know: who uses it, and what it did when.

-- People who use the console and the API.
create table users (
  tenant_id uuid not null references tenants,
  id uuid not null default gen_random_uuid(),
  -- In lower case. Of one user in the whole installation: who logs in names no tenant.
  name text not null unique check (name ~ '^[a-z0-9][a-z0-9.@_+-]{0,99}$'),
  -- As users/password.ts writes it.
  password text not null,
  role text not null check (role in ('viewer', 'operator', 'administrator')),
  barred_at timestamptz,
  created_at timestamptz not null default now(),
  logged_in_at timestamptz,
  primary key (tenant_id, id)
);
call keep_tenants_apart('users');
grant select, insert, update on users to sparc_app;

-- Logins under way. One refresh token of each is good: the newest.
create table sessions (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  -- SHA-256 of the secret in it.
  refresh_hash bytea not null check (octet_length(refresh_hash) = 32),
  expires_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users
);
create index on sessions (tenant_id, user_id);
create index on sessions (expires_at);
call keep_tenants_apart('sessions');
grant select, insert, update, delete on sessions to sparc_app;

-- Whether an event says how far a gateway is, or is about a directive: of all that a site recorded, what its page starts from.
create function is_of_delivery(p_record jsonb) returns boolean language sql immutable parallel safe
  return p_record ->> 'name' in (
    'gateway.started', 'policy.loaded', 'policy.lost', 'revocation.applied', 'clock.holdover', 'clock.site_time'
  ) or p_record -> 'detail' ? 'directive';

create index on events (tenant_id, site_id) where is_of_delivery(record);

-- What the service does by itself, once a period whichever process comes first. Of no tenant, and through functions alone.
create table jobs (
  name text primary key,
  begun_at timestamptz not null
);
alter table jobs enable row level security;
alter table jobs force row level security;
create policy of_nobody on jobs using (false);

set local role sparc_bypass;

-- True for whoever is to do the job now.
create function job_begin(p_name text, p_every interval) returns boolean
  language sql security definer set search_path = sparc, pg_temp
begin atomic
  with begun as (
    insert into jobs as j (name, begun_at) values (p_name, now())
      on conflict (name) do update set begun_at = now() where j.begun_at <= now() - p_every
      returning 1)
  select exists (select from begun);
end;

-- It was not done; the next one to come does it.
create function job_fail(p_name text) returns void
  language sql security definer set search_path = sparc, pg_temp
begin atomic
  delete from jobs where name = p_name;
end;

create function user_find(p_name text) returns table (tenant_id uuid, id uuid, password text)
  language sql stable security definer set search_path = sparc, pg_temp
begin atomic
  select u.tenant_id, u.id, u.password from users u where u.name = p_name and u.barred_at is null;
end;

create function sessions_expire() returns void
  language sql security definer set search_path = sparc, pg_temp
begin atomic
  delete from sessions where expires_at < now();
end;

grant execute on function user_find, sessions_expire, job_begin, job_fail to sparc_system;
