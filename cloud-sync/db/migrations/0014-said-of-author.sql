-- What a page starts from, by author and in the order of its log: so that of one who records very much no more is read than
-- counts.
create index on events (tenant_id, author, epoch, epoch_random, sequence) where is_of_delivery(record);
