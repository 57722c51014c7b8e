-- What is being written and not yet published. A version goes up with every change: whoever saves names the one they read.
create table policy_objects (
  tenant_id uuid not null,
  site_id text not null,
  kind text not null check (length(kind) between 1 and 64),
  id text not null check (length(id) between 1 and 64),
  version bigint not null default 1 check (version >= 1),
  body jsonb not null,
  changed_at timestamptz not null default now(),
  changed_by text not null,
  primary key (tenant_id, site_id, kind, id),
  foreign key (tenant_id, site_id) references sites
);
call keep_tenants_apart('policy_objects');
grant select, insert, update, delete on policy_objects to sparc_app;

-- What was signed is never changed: going back is a new revision.
create table policy_revisions (
  tenant_id uuid not null,
  site_id text not null,
  number bigint not null check (number >= 1),
  signed bytea not null,
  published_at timestamptz not null default now(),
  published_by text not null,
  primary key (tenant_id, site_id, number),
  foreign key (tenant_id, site_id) references sites
);
call keep_tenants_apart('policy_revisions');
grant select, insert on policy_revisions to sparc_app;
