-- The connection that a consent is to renew. While the user has not decided whether to add another account instead,
-- its row is INITIATED and has tokens.
alter table connections add column replaces text;
