-- What was asked for; scopes is what the provider granted.
alter table connections add column requested text not null default '[]';

-- When an answer was first refused that came to the wrong browser, on the wrong path or from the wrong issuer. The
-- audit log has one entry of it, however often it is tried.
alter table flows add column refused_at bigint;

-- Ids that were handed out for a consent which then renewed an older connection of the same account.
create table connection_ids (
    id text primary key,
    connection_id text not null references connections (id) on delete cascade
);
create index connection_ids_by_connection on connection_ids (connection_id);
