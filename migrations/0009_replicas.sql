-- What brokers over one database tell each other, and what they count together.

-- One row: the number of the newest bulletin. A writer raises it first and so waits for any other, so that
-- bulletins become visible in the order of their numbers.
create table bulletin_head (
    id bigint primary key check (id = 1),
    seq bigint not null
);
insert into bulletin_head (id, seq) values (1, 0);

-- origin is the broker that has told its own pages already. user_id is who is told, nobody for everybody.
-- Rows are removed after some minutes: who missed more reads everything again.
create table bulletins (
    seq bigint primary key,
    origin text not null,
    user_id text,
    name text not null,
    data text not null,
    created_at bigint not null
);
create index bulletins_by_age on bulletins (created_at);

-- What somebody has left of a measure that all brokers keep together, in thousandths.
create table allowances (
    kind text not null,
    subject text not null,
    remaining bigint not null,
    since bigint not null,
    primary key (kind, subject)
);
create index allowances_by_age on allowances (since);

-- Browsers in which a user has signed in. cookie_hash is the SHA-256 of a cookie that says no more than that.
create table known_browsers (
    cookie_hash bytea primary key,
    user_id text not null references users (id) on delete cascade,
    seen_at bigint not null
);
create index known_browsers_by_user on known_browsers (user_id, seen_at);

-- Connections that came from a backup and were not renewed since: their refresh tokens may be used up. The mark
-- holds for one generation, so whatever renews the connection takes it away.
create table restored_connections (
    connection_id text primary key references connections (id) on delete cascade,
    generation bigint not null,
    restored_at bigint not null
);
