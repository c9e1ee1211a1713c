-- Processes that hold ring keys, as they last said themselves, by the database's clock. keys is a JSON list of
-- {ring, version, fingerprint, state}.
create table replicas (
    id text primary key,
    role text not null,
    started_at bigint not null,
    seen_at bigint not null,
    keys text not null
);

-- How far sealing again has come: one row. target names the keys that it seals under; place, after_first and
-- after_second name the last record that was looked at.
create table key_rewrap (
    id bigint primary key check (id = 1),
    target text not null,
    place text not null,
    after_first text not null,
    after_second text not null,
    sealed bigint not null,
    started_at bigint not null,
    finished_at bigint
);

-- Since when no record of this database needs a key that seals no longer.
create table key_drained (
    ring text not null,
    version bigint not null,
    at bigint not null,
    primary key (ring, version)
);
