-- What cards hold (`events.content`, `policy_parts.content`) is sealed from now on, with a key that is not in the database. Sealed
-- bytes begin with 0x07, as nothing does that was stored before. The hash of an entry is sealed with its content and `events.hash`
-- is empty; `policy_parts.hash` is a keyed mark of the hash: from a hash whoever has the rest would find a card number by trying.

-- By which key: a mark that is made with it, and says nothing of it. A process that has another one does not start.
create table sealing (
  only_row boolean primary key default true check (only_row),
  mark bytea not null check (octet_length(mark) = 32)
);
alter table sealing enable row level security;
alter table sealing force row level security;
create policy of_nobody on sealing using (false);

set local role sparc_bypass;

-- The mark that stands: of whoever came first.
create function sealing_mark(p_mark bytea) returns bytea
  language plpgsql security definer set search_path = sparc, pg_temp as $$
begin
  insert into sealing (mark) values (p_mark) on conflict do nothing;
  return (select mark from sealing);
end
$$;

grant execute on function sealing_mark to sparc_system;
