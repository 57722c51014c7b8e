-- Whom operators, or the authority of a site, revoked by a directive, as far as the cloud has heard. The draft bars them.
create table policy_revocations (
  tenant_id uuid not null,
  site_id text not null,
  -- Of the directive, in hex.
  id text not null check (id ~ '^[0-9a-f]{32}$'),
  subject text not null check (subject in ('credential', 'holder')),
  subject_id text not null check (length(subject_id) between 1 and 64),
  -- Of the object of the draft that it is about, if the draft has it.
  kind text not null generated always as (case subject when 'credential' then 'credentials' else 'credentialHolders' end) stored,
  revoked_by text not null,
  taken_at timestamptz not null default now(),
  -- Who saved that object since to let it in again; null: nobody.
  reinstated_by text,
  primary key (tenant_id, site_id, id),
  foreign key (tenant_id, site_id) references sites
);
create index on policy_revocations (tenant_id, site_id, kind, subject_id);
call keep_tenants_apart('policy_revocations');
grant select, insert, update on policy_revocations to sparc_app;
