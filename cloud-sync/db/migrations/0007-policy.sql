-- Whoever changes the draft of a site has this row locked; its version rises with every change.
create table policy_drafts (
  tenant_id uuid not null,
  site_id text not null,
  version bigint not null default 1 check (version >= 1),
  primary key (tenant_id, site_id),
  foreign key (tenant_id, site_id) references sites
);
call keep_tenants_apart('policy_drafts');
grant select, insert, update on policy_drafts to sparc_app;

alter table policy_objects
  -- Identifiers and PINs of a credential, under a key outside of the database.
  add column sealed bytea,
  -- A keyed hash of each identifier, by which whose it is is found.
  add column marks text[] not null default '{}';
create index on policy_objects using gin (marks);
create index on policy_objects (tenant_id, site_id, (body ->> 'holder')) where kind = 'credentials';
create index on policy_objects (tenant_id, site_id, lower(body ->> 'name') text_pattern_ops) where kind = 'credentialHolders';

-- What a revision was made for, beside what the authority signed.
alter table policy_revisions
  add column note text,
  -- Keys of the gateways that apply it, in hex; null: all.
  add column only_for text[],
  -- Number of the earlier revision that it says again.
  add column reissues bigint;

create table policy_imports (
  tenant_id uuid not null,
  site_id text not null,
  id uuid not null default gen_random_uuid(),
  state text not null check (state in ('running', 'done', 'failed')),
  dry_run boolean not null,
  checked_count integer not null default 0,
  saved_count integer not null default 0,
  created_count integer not null default 0,
  changed_count integer not null default 0,
  -- [{ line, message }], the first of them.
  problems jsonb not null default '[]',
  problem_count integer not null default 0,
  started_at timestamptz not null default now(),
  started_by text not null,
  -- One that is running and says nothing for long has lost its process.
  alive_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, site_id) references sites
);
create index on policy_imports (tenant_id, site_id, started_at);
call keep_tenants_apart('policy_imports');
grant select, insert, update on policy_imports to sparc_app;
