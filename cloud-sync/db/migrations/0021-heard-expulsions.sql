-- What a page starts from, as in 0015, and which gateways a gateway takes no word of any more.
create function is_followed(p_record jsonb) returns boolean language sql immutable parallel safe
  return is_of_page(p_record) or p_record ->> 'name' in ('mesh.gateway_expelled', 'mesh.expulsion_directed');

-- In the place of that of 0015: which is there for programs of before.
create index on events (tenant_id, author, epoch, epoch_random, sequence) where is_followed(record);
