-- Claim codes can be withdrawn: those of a site, and those that somebody made who is barred.
-- Name of the user, as in the audit; null: by a program of before, whose codes are good for a day at most.
alter table claim_codes add column made_by text;
grant delete on claim_codes to sparc_app;
