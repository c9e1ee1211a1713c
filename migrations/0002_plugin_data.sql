-- Who is told of a change to what a plugin shares.
create index grants_by_plugin on grants (plugin);

-- What plugins store. One shelf is what one plugin keeps in one place: values of one user, values that all users
-- share, or files of one user. A shelf of all users has no user, and nothing tells who wrote what lies on it.

-- id is made of the other three, so that two brokers that make a shelf at once make the same one.
-- entries and bytes sum up what lies on the shelf; a writer changes them first, and so waits for any other.
create table plugin_shelves (
    id text primary key,
    kind text not null check (kind in ('user-data', 'kv', 'files')),
    plugin text not null,
    user_id text references users (id) on delete cascade,
    entries bigint not null check (entries >= 0),
    bytes bigint not null check (bytes >= 0),
    check ((kind <> 'kv') <> (user_id is null))
);
create index plugin_shelves_by_user on plugin_shelves (user_id);

-- name is UTF-8 in a bytea, which both engines sort alike.
create table plugin_entries (
    shelf_id text not null references plugin_shelves (id) on delete cascade,
    name bytea not null,
    value bytea not null,
    updated_at bigint not null,
    primary key (shelf_id, name)
);
