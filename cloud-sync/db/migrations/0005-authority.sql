-- A life of the database. One that was restored has another, and whoever must not go on as if nothing was lost compares.
create table incarnation (
  id uuid not null,
  began_at timestamptz not null default now(),
  only_row boolean primary key default true check (only_row)
);
insert into incarnation (id) values (gen_random_uuid());
alter table incarnation enable row level security;
alter table incarnation force row level security;
create policy of_all on incarnation using (true);
grant select on incarnation to sparc_app;

-- Sites whose authority is kept here. Its key is in no database; its log is in author_heads and events, as any other.
create table site_authorities (
  tenant_id uuid not null,
  site_id text not null,
  -- The key of the site's PIN hashes, sealed to a key outside of the database.
  pin_key bytea not null,
  -- The life of the database in which all that the authority has said is known here.
  incarnation uuid not null,
  primary key (tenant_id, site_id),
  foreign key (tenant_id, site_id) references sites
);
call keep_tenants_apart('site_authorities');
grant select, insert, update on site_authorities to sparc_app;

-- What revisions are made of, kept as long as they are: what was signed once can be signed again.
create table policy_parts (
  tenant_id uuid not null,
  site_id text not null,
  -- SHA-256 of the content.
  hash bytea not null check (octet_length(hash) = 32),
  content bytea not null,
  primary key (tenant_id, site_id, hash),
  foreign key (tenant_id, site_id) references sites
);
call keep_tenants_apart('policy_parts');
grant select, insert on policy_parts to sparc_app;

-- Where an entry closed a batch: the author's signature of the head over it, so that a batch can be made of it again.
alter table events add column signature bytea check (octet_length(signature) = 64);

-- What an authority has said, among the many times that it confirmed its policy.
create index on events (tenant_id, author, kind) where kind in ('roster', 'site-secret', 'delegation', 'policy');
