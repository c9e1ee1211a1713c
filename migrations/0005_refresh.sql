-- What refreshing needs to know of a connection beyond its tokens. Times here are of the database's own clock, so that
-- brokers whose clocks differ agree on who may send a refresh token.
--
-- Whoever holds the lease may send. The fence grows with each claim: a holder that was thought dead and wakes up is told
-- from the one that has taken over. attempt_gen is the intent, written before anything is sent: the generation whose
-- refresh token may have been used without an answer that we know. doubts counts such uses of generation doubt_gen;
-- none of them, with doubt_gen the present generation, says that its tokens came of repeating one.
alter table connections add column lease_owner text;
alter table connections add column lease_fence bigint not null default 0;
alter table connections add column lease_until bigint not null default 0;
alter table connections add column attempt_gen bigint;
alter table connections add column attempts bigint not null default 0;
alter table connections add column next_attempt_at bigint not null default 0;
alter table connections add column doubt_gen bigint;
alter table connections add column doubts bigint not null default 0;

create index connections_by_expiry on connections (expires_at) where status = 'ACTIVE' and refresh_token is not null;
create index connections_in_doubt on connections (id) where attempt_gen is not null;
create index connections_by_lease on connections (lease_owner) where lease_owner is not null;

-- When the next request to a toolkit's token endpoint fits under its rate, all brokers together.
create table refresh_pace (
    toolkit text primary key,
    next_at bigint not null
);

-- A provider that does not accept our client: an admin's to mend, and no reason to end anybody's connection.
create table toolkit_alarms (
    toolkit text primary key,
    code text not null,
    since bigint not null,
    seen_at bigint not null,
    times bigint not null
);
