-- What was said in the name of a gateway and not taken, by why: a few rows a gateway, whoever floods.
create table gateway_refusals (
  tenant_id uuid not null,
  gateway_id bytea not null,
  code text not null,
  count bigint not null,
  last_at timestamptz not null,
  primary key (tenant_id, gateway_id, code),
  foreign key (tenant_id, gateway_id) references gateways
);
call keep_tenants_apart('gateway_refusals');
grant select, insert, update on gateway_refusals to sparc_app;
