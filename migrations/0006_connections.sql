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

-- Taking back every access of a toolkit: a row for each time that an admin has asked for it. next_at keeps the rate
-- that the provider is asked at, over all brokers and restarts.
create table revocations (
    id text primary key,
    toolkit text not null,
    asked_by text not null,
    per_minute bigint not null check (per_minute > 0),
    next_at bigint not null,
    created_at bigint not null,
    finished_at bigint
);
create index revocations_by_toolkit on revocations (toolkit, created_at);

-- A connection as it was, with the records of its tokens until the provider has been asked. user_id, connection_id,
-- context_hash and generation are what the records are bound to. outcome is a JSON list of what became of each token.
create table revocation_items (
    revocation_id text not null references revocations (id) on delete cascade,
    connection_id text not null,
    user_id text not null,
    account_label text,
    context_hash bytea not null,
    generation bigint not null,
    access_token bytea,
    refresh_token bytea,
    tries bigint not null,
    due_at bigint not null,
    outcome text,
    failed boolean not null,
    primary key (revocation_id, connection_id)
);
create index revocation_items_waiting on revocation_items (revocation_id, due_at) where outcome is null;
