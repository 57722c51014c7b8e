-- What a page starts from: how far gateways are, directives, and what was raised for the site.
create function is_of_page(p_record jsonb) returns boolean language sql immutable parallel safe
  return is_of_delivery(p_record) or p_record ->> 'name' in (
    'site.lockdown', 'site.lockdown_ended', 'site.threat_level', 'site.released', 'fire.alarm', 'fire.evacuation',
    'fire.ended'
  );

-- In the place of that of 0014: which is there for programs of before.
create index on events (tenant_id, author, epoch, epoch_random, sequence) where is_of_page(record);
