-- The gateway whose place the one takes that is claimed by this code.
alter table claim_codes add column replaces bytea check (octet_length(replaces) = 32);
