-- A revision that was signed after the backup which the database was restored from. It came back with the log of the
-- authority; who published it, and what it says, is not known here.
alter table policy_revisions add column recovered boolean not null default false;
