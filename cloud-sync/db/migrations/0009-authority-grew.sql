-- Whoever tells gateways what the authority of a site says hears at once that there is more of it, whichever process
-- stored it.
create function tell_authority_grew() returns trigger language plpgsql set search_path = sparc, pg_temp as $$
begin
  if exists (select from sites where tenant_id = new.tenant_id and id = new.site_id and authority_key = new.author) then
    perform pg_notify('authority_grew', new.tenant_id || '/' || new.site_id);
  end if;
  return null;
end
$$;

create trigger tell_authority_grew after insert or update of sequence on author_heads
  for each row execute function tell_authority_grew();
