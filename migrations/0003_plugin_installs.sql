-- Plugins that were installed while the server ran, what admins allow, and what users took off their page.
-- A plugin is named by its id in lower case.

-- hash is the SHA-256 of the plugin's files, under which panels are served; archive is those files, packed.
create table plugin_contents (
    hash text primary key,
    archive bytea not null,
    created_at bigint not null
);

-- publisher is who a new version must come from: a registry's address, an origin, or the id of the user who
-- uploaded the file. shown is the same for people. location is where a new version is looked for.
create table plugin_installs (
    plugin text primary key,
    version text not null,
    hash text not null references plugin_contents (hash),
    source text not null check (source in ('registry', 'url', 'file')),
    publisher text not null,
    shown text not null,
    location text,
    installed_by text not null,
    installed_at bigint not null,
    updated_at bigint not null,
    check ((source = 'file') = (location is null))
);
create index plugin_installs_by_content on plugin_installs (hash);

-- What an admin says of one plugin, whether it is on this server or not.
create table plugin_rules (
    plugin text primary key,
    rule text check (rule in ('allowed', 'blocked')),
    preinstalled boolean not null
);

-- One row, made by the first change: mode is what holds for plugins without a rule, members what members may install.
create table plugin_policy (
    id bigint primary key check (id = 1),
    mode text not null check (mode in ('open', 'listed')),
    members text not null check (members in ('nothing', 'registries', 'anything'))
);

create table plugin_registries (
    url text primary key,
    position bigint not null
);

-- Plugins that a user uninstalled and has not added again.
create table plugin_removals (
    user_id text not null references users (id) on delete cascade,
    plugin text not null,
    removed_at bigint not null,
    primary key (user_id, plugin)
);
