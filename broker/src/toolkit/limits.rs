//! How large a toolkit folder may be. Whoever writes a folder meets these before anything is compiled.

/// Bytes of `toolkit.toml`.
pub const SETTINGS_BYTES: u64 = 256 * 1024;
/// Bytes of the OpenAPI document. The largest public ones are below 16 MB.
pub const OPENAPI_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of `logo.svg`.
pub const LOGO_BYTES: u64 = 64 * 1024;
/// Tools of one toolkit.
pub const TOOLS: usize = 2_000;
/// Arguments of one tool.
pub const ARGUMENTS: usize = 256;
/// How deep schemas may nest within one another, references not followed.
pub const SCHEMA_DEPTH: usize = 48;
/// How much one tool's schemas may hold, those they refer to included: one for each schema and value, and one for
/// each 64 bytes of text.
pub const SCHEMAS_PER_TOOL: usize = 20_000;
/// How much the schemas of all tools of a toolkit may hold together, counted alike.
pub const SCHEMAS: usize = 1_000_000;
/// How many references may stand in a row before the thing they name.
pub const REFERENCE_HOPS: usize = 8;
/// Characters of a tool's slug.
pub const TOOL_SLUG: usize = 160;
/// Faults that are reported of one folder.
pub const FAULTS: usize = 50;
/// Bytes of a compiled regular expression of a schema.
pub const PATTERN_BYTES: usize = 256 * 1024;
/// Tools on one page.
pub const PAGE: usize = 100;
/// Different words of a search. A search with more of them matches nothing.
pub const SEARCH_WORDS: usize = 64;
/// Bytes of the address of a request. HTTP libraries fail at 64 KiB, and most providers long before.
pub const ADDRESS: usize = 32 * 1024;
/// Bytes of one header of a request.
pub const HEADER: usize = 8 * 1024;
