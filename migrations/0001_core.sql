-- The store of a broker. One text for SQLite and Postgres: text, bigint (times are milliseconds since 1970),
-- boolean, bytea, checks, partial unique indexes and foreign keys are what both understand alike.
-- Columns that hold secrets hold vault records; see docs/security.md.

create table users (
    id text primary key,
    email text not null unique,
    name text not null,
    role text not null check (role in ('admin', 'member')),
    password_hash text not null,
    disabled_at bigint,
    created_at bigint not null
);

-- id_hash is the SHA-256 of the cookie's value.
create table sessions (
    id_hash bytea primary key,
    public_id text not null,
    user_id text not null references users (id) on delete cascade,
    created_at bigint not null,
    seen_at bigint not null
);
create index sessions_by_user on sessions (user_id);

create table api_keys (
    id text primary key,
    key_hash bytea not null unique,
    user_id text not null references users (id) on delete cascade,
    name text not null,
    scopes text,
    created_at bigint not null,
    expires_at bigint,
    last_used_at bigint
);
create index api_keys_by_user on api_keys (user_id);

-- A row is made when an admin first looks at a toolkit, because context_id is part of the redirect URI.
create table integrations (
    toolkit text primary key,
    context_id text not null unique,
    enabled boolean not null,
    client_id text,
    client_secret bytea,
    scopes text,
    generation bigint not null,
    updated_at bigint not null
);

create table integration_settings (
    toolkit text not null references integrations (toolkit) on delete cascade,
    key text not null,
    value text,
    sealed bytea,
    check ((value is null) <> (sealed is null)),
    primary key (toolkit, key)
);

-- context_hash binds the tokens to the toolkit, issuer, endpoints and client that they were made with.
create table connections (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    toolkit text not null,
    context_hash bytea not null,
    status text not null check (status in ('INITIATED', 'ACTIVE', 'EXPIRED', 'FAILED', 'REVOKED')),
    why text,
    account_id text,
    account_label text,
    account_avatar text,
    alias text,
    is_default boolean not null,
    scopes text not null,
    generation bigint not null,
    access_token bytea,
    refresh_token bytea,
    lifetime bigint,
    expires_at bigint,
    created_at bigint not null,
    last_used_at bigint,
    check (status <> 'ACTIVE' or access_token is not null)
);
create index connections_by_user on connections (user_id, toolkit);
create unique index one_default_connection on connections (user_id, toolkit) where is_default;

-- state_hash and cookie_hash are SHA-256; secrets is a vault record of state and PKCE verifier.
create table flows (
    id text primary key,
    state_hash bytea not null unique,
    cookie_hash bytea not null,
    session_hash bytea not null,
    user_id text not null references users (id) on delete cascade,
    connection_id text not null references connections (id) on delete cascade,
    toolkit text not null,
    context_id text not null,
    context_hash bytea not null,
    plugin text,
    callback_url text not null,
    scopes text not null,
    secrets bytea not null,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);
create index flows_by_session on flows (session_hash);
create index flows_by_user on flows (user_id, expires_at);

create table grants (
    user_id text not null references users (id) on delete cascade,
    plugin text not null,
    version text not null,
    permissions text not null,
    integrations text not null,
    granted_at bigint not null,
    primary key (user_id, plugin)
);

-- The content that was current when the first user granted a version of a plugin.
create table plugin_pins (
    plugin text primary key,
    version text not null,
    hash text not null
);

-- record is a vault record of the answer; null while the call runs.
create table idempotency (
    user_id text not null references users (id) on delete cascade,
    key text not null,
    request_hash bytea not null,
    record bytea,
    created_at bigint not null,
    primary key (user_id, key)
);
create index idempotency_by_age on idempotency (created_at);

create table activity (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    at bigint not null,
    plugin text,
    toolkit text not null,
    action text not null,
    connection_id text,
    outcome text not null,
    upstream_status bigint,
    duration_ms bigint not null
);
create index activity_by_user on activity (user_id, at, id);

-- Each entry's hash covers its fields and the hash of the one before.
create table audit (
    seq bigint primary key,
    at bigint not null,
    actor text not null,
    action text not null,
    subject text not null,
    detail text not null,
    hash bytea not null
);

-- One row: the last entry that was written, so that deleting the newest ones shows.
create table audit_head (
    id bigint primary key check (id = 1),
    seq bigint not null,
    hash bytea not null
);

-- A known answer for each ring, so that a foreign keyring is noticed before anything is written.
create table vault_checks (
    ring text primary key,
    record bytea not null
);
