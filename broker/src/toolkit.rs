//! Toolkits as data: external services that are described by a folder of files, and by nothing else.
//!
//! ```text
//! folder ──read──▶ Toolkit ──resolve(settings)──▶ Resolved
//!                     │                              │
//!                     └──tool(slug)──▶ Tool ──prepare(arguments)──▶ Prepared request
//! ```
//!
//! Nothing in here reads the network, and no toolkit is named in code. `docs/toolkits.md` is the reference of the
//! folder's format for those who write one.

mod address;
mod any_request;
mod api;
mod arguments;
mod auth;
mod catalog;
mod condition;
mod entry;
mod fault;
mod file;
mod folder;
mod graphql;
mod headers;
mod import;
pub mod limits;
mod naming;
mod openapi;
mod page;
mod pattern;
mod request;
pub(crate) mod reserved;
mod resolved;
mod revoke;
mod setting;
mod template;
mod tool;
mod value;
pub mod wait;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use taiku_bridge::{Code, Refusal, Slug};

pub use self::address::LoopbackHttp;
pub use self::api::{Api, Authorization};
pub use self::arguments::ARGUMENTS;
pub use self::auth::{
    Account, Auth, ClientAuth, Expires, Habits, Mode, OAuth2, Refresh, RefreshMethod, RefreshWith, Rotation,
    TokenBody,
};
pub use self::catalog::{Catalog, FolderFault};
pub use self::condition::{Condition, Said};
pub use self::fault::Fault;
pub use self::folder::{Folder, embedded};
pub use self::import::{Imported, import};
pub use self::page::Page;
pub use self::pattern::Pattern;
pub use self::request::{Body, Prepared};
pub use self::resolved::{Resolved, ResolvedApi, ResolvedOAuth};
pub use self::revoke::{
    ResolvedRevoke, RevocationBody, Revoke, RevokeAuth, RevokeBody, RevokeMethod, TokenKind,
};
pub use self::setting::Setting;
pub use self::template::Template;
pub use self::tool::{Class, Tool};
pub use self::value::{ConnectionValue, Source};

use self::fault::Faults;
use self::file::{ToolkitFile, ToolsTable};
use self::folder::Kind;

/// An external service, as its folder describes it.
#[derive(Debug)]
pub struct Toolkit {
    /// Its slug, which is the folder's name.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// What it is, in one sentence.
    pub description: String,
    /// What it is for, in words to filter by.
    pub categories: Vec<String>,
    /// The address of the provider's documentation.
    pub docs: Option<String>,
    /// Where the facts about signing in were read.
    pub source: Option<String>,
    /// Its picture, an SVG. Show it as an image only, never inline.
    pub logo: Option<Vec<u8>>,
    /// What an admin may set.
    pub settings: Vec<Setting>,
    /// How to sign in.
    pub auth: Auth,
    /// Where its API is.
    pub api: Api,
    tools: Vec<Arc<Tool>>,
    by_slug: HashMap<String, usize>,
}

impl Toolkit {
    /// The tool of that exact slug.
    #[must_use]
    pub fn tool(&self, slug: &str) -> Option<&Arc<Tool>> {
        self.by_slug.get(slug).and_then(|index| self.tools.get(*index))
    }

    /// The tool of that exact slug, or the refusal of a call to it.
    ///
    /// # Errors
    /// [`Code::ToolUnknown`] when there is none.
    pub fn find(&self, slug: &str) -> Result<&Arc<Tool>, Refusal> {
        self.tool(slug).ok_or_else(|| {
            let shown: String = slug.chars().take(limits::TOOL_SLUG).collect();
            Refusal::new(Code::ToolUnknown, format!("{} has no tool {shown}.", self.slug))
        })
    }

    /// How many tools there are.
    #[must_use]
    pub fn tool_count(&self) -> usize {
        self.tools.len()
    }

    /// Fills in the settings. `lookup` gives the database's or else the environment's value of a key; where it has
    /// none, the setting's default counts.
    ///
    /// # Errors
    /// Every address that cannot be used, and every required setting without a value.
    pub fn resolve(
        &self,
        lookup: &dyn Fn(&str) -> Option<String>,
        loopback: LoopbackHttp,
    ) -> Result<Resolved, Vec<Fault>> {
        resolved::resolve(self, lookup, loopback)
    }
}

/// Reads a toolkit folder on disk and checks all of it, every schema of its tools too: `taiku toolkit check`.
///
/// # Errors
/// Everything that is wrong with the folder.
pub fn check(folder: &Path) -> Result<Toolkit, Vec<Fault>> {
    let real = folder
        .canonicalize()
        .map_err(|error| vec![Fault::new("", "", format!("{} cannot be read: {error}", folder.display()))])?;
    check_folder(&Folder::on_disk(real))
}

fn check_folder(folder: &Folder) -> Result<Toolkit, Vec<Fault>> {
    let toolkit = read(folder)?;
    let mut faults = Faults::of("");
    for tool in &toolkit.tools {
        if let Err(why) = arguments::compile(tool.input.get()) {
            faults.push("", format!("the schema of {} cannot be used: {why}", tool.slug));
        }
    }
    let faults = faults.into_list();
    if faults.is_empty() { Ok(toolkit) } else { Err(faults) }
}

/// Reads a toolkit folder. The schemas of its tools are compiled when they are first needed.
///
/// # Errors
/// Everything that is wrong with the folder.
pub fn read(folder: &Folder) -> Result<Toolkit, Vec<Fault>> {
    let one = |fault| vec![fault];
    let slug = slug(folder.name()).map_err(one)?;
    let bytes = folder.read(file::NAME, limits::SETTINGS_BYTES).map_err(one)?;
    let bytes =
        bytes.ok_or_else(|| one(Fault::new(file::NAME, "", "is missing; a toolkit folder needs one")))?;
    let mut table = file::parse(&bytes).map_err(one)?;
    if folder.kind() == Kind::Entry {
        entry::expand(slug.as_str(), &mut table);
    }
    let mut faults = Faults::of(file::NAME);
    let (sources, name) = (table.tools.clone(), table.name.clone());
    let head = head(table, &mut faults);
    let mut list = faults.into_list();
    let logo = logo(folder).unwrap_or_else(|fault| {
        list.push(fault);
        None
    });
    let tools = tools(folder, &sources, &slug, &name).unwrap_or_else(|faults| {
        list.extend(faults);
        Vec::new()
    });
    match head {
        Some(head) if list.is_empty() => assemble(slug, head, logo, tools),
        _ => Err(list),
    }
}

fn slug(name: &str) -> Result<Slug, Fault> {
    let wrong = |why: &dyn std::fmt::Display| {
        Fault::new("", "", format!("the folder's name `{name}` {why}; rename it"))
    };
    let slug = Slug::parse(name).map_err(|why| wrong(&why))?;
    if slug.as_str() == name { Ok(slug) } else { Err(wrong(&"must be in lower case")) }
}

/// What `toolkit.toml` gives.
struct Head {
    name: String,
    description: String,
    categories: Vec<String>,
    docs: Option<String>,
    source: Option<String>,
    settings: Vec<Setting>,
    auth: Auth,
    api: Api,
}

fn head(table: ToolkitFile, faults: &mut Faults) -> Option<Head> {
    for (key, text) in [("name", &table.name), ("description", &table.description)] {
        if text.trim().is_empty() || text.chars().count() > 300 {
            faults.push(key, "must have 1 to 300 characters");
        }
    }
    let docs = table.docs.filter(|docs| !docs.is_empty());
    if let Some(docs) = &docs {
        faults.take("docs", address::check(docs, LoopbackHttp::Allowed));
    }
    let source = table.source.filter(|source| !source.is_empty());
    if let Some(source) = &source {
        faults.take("source", address::check(source, LoopbackHttp::Allowed));
    }
    check_sources(&table.tools, faults);
    let settings = setting::read(table.settings, faults);
    let auth = auth::read(table.auth, faults);
    let api = api::read(&table.api, auth.as_ref(), faults);
    let head = Head {
        name: table.name,
        description: table.description,
        categories: table.categories,
        docs,
        source,
        settings,
        auth: auth?,
        api: api?,
    };
    check_keys(&head, faults);
    Some(head)
}

/// Every key in an address must be a setting, and not a secret one, because addresses are shown and logged.
fn check_keys(head: &Head, faults: &mut Faults) {
    let mut check = |at: &str, key: &str| match head.settings.iter().find(|setting| setting.key == key) {
        None => faults.push(at, format!("{{{key}}} is not among the settings")),
        Some(setting) if setting.secret => {
            faults.push(at, format!("{{{key}}} is secret and cannot be in an address"));
        }
        Some(_) => {}
    };
    let own: &[ConnectionValue] = match &head.auth {
        Auth::OAuth2(oauth) => &oauth.habits.values,
        Auth::None => &[],
    };
    let of_connection = |key: &str| own.iter().any(|value| value.key == key);
    head.api.base_url.keys().filter(|key| !of_connection(key)).for_each(|key| check("api.base_url", key));
    let in_headers = head.api.filled_headers.iter().flat_map(|(_, text)| text.keys());
    in_headers.filter(|key| !of_connection(key)).for_each(|key| check("api.headers", key));
    head.api
        .more
        .iter()
        .flat_map(Template::keys)
        .filter(|key| !of_connection(key))
        .for_each(|key| check("api.hosts", key));
    head.settings.iter().flat_map(Setting::keys_in_default).for_each(|key| check("settings.default", &key));
    let Auth::OAuth2(oauth) = &head.auth else { return };
    for value in own {
        if let Source::Lookup(url, _) = &value.source {
            // A look-up may need what the token answer or the callback has said, but no other look-up.
            let known =
                |key: &str| own.iter().any(|one| one.key == key && !matches!(one.source, Source::Lookup(..)));
            url.keys().filter(|key| !known(key)).for_each(|key| check("auth.values.url", key));
        }
    }
    for (at, address) in [
        ("auth.authorize_url", &oauth.authorize_url),
        ("auth.token_url", &oauth.token_url),
        ("auth.device_url", &oauth.device_url),
        ("auth.par_url", &oauth.par_url),
    ] {
        address.iter().flat_map(Template::keys).for_each(|key| check(at, key));
    }
    oauth.refresh_url.iter().flat_map(Template::keys).for_each(|key| check("auth.refresh.url", key));
    oauth.issuer.iter().flat_map(Template::keys).for_each(|key| check("auth.issuer", key));
    oauth.revoke.iter().flat_map(Revoke::setting_keys).for_each(|key| check("auth.revoke.url", key));
}

fn logo(folder: &Folder) -> Result<Option<Vec<u8>>, Fault> {
    const NAME: &str = "logo.svg";
    const ACTIVE: [&str; 5] = ["<script", "<!doctype", "<!entity", "<foreignobject", "javascript:"];
    let Some(bytes) = folder.read(NAME, limits::LOGO_BYTES)? else { return Ok(None) };
    let text = std::str::from_utf8(&bytes).map_err(|_| Fault::new(NAME, "", "is not UTF-8"))?.to_lowercase();
    if !text.contains("<svg") {
        return Err(Fault::new(NAME, "", "is not an SVG picture"));
    }
    match ACTIVE.iter().find(|word| text.contains(*word)) {
        Some(word) => Err(Fault::new(NAME, "", format!("must not contain `{word}`"))),
        None => Ok(Some(bytes.into_owned())),
    }
}

/// Where tools come from, each file by its plain name.
fn check_sources(tools: &ToolsTable, faults: &mut Faults) {
    let named = [
        ("tools.openapi", &tools.openapi),
        ("tools.graphql", &tools.graphql),
        ("tools.graphql_schema", &tools.graphql_schema),
    ];
    for (at, name) in named {
        if name.as_ref().is_some_and(|name| !folder::is_plain_name(name)) {
            faults.push(at, "must be the name of a file in this folder");
        }
    }
    match (&tools.openapi, &tools.graphql) {
        (Some(_), Some(_)) => faults.push("tools", "needs either `openapi` or `graphql`"),
        (None, None) if !tools.http_request => {
            faults.push("tools", "needs `openapi`, `graphql` or `http_request = true`");
        }
        _ => {}
    }
    if tools.graphql_schema.is_some() && tools.graphql.is_none() {
        faults.push("tools.graphql_schema", "is for `graphql` only; remove it");
    }
}

fn tools(
    folder: &Folder,
    sources: &ToolsTable,
    slug: &Slug,
    name: &str,
) -> Result<Vec<Arc<Tool>>, Vec<Fault>> {
    let mut tools = described(folder, sources, slug)?;
    if sources.http_request {
        let tool = any_request::tool(&naming::screaming(slug.as_str()), name);
        if tools.iter().any(|other| other.slug == tool.slug) {
            let why = format!("{} is a tool already; give that operation another slug", tool.slug);
            return Err(vec![Fault::new(file::NAME, "tools.http_request", why)]);
        }
        tools.push(Arc::new(tool));
        tools.sort_by(|a, b| a.slug.cmp(&b.slug));
    }
    Ok(tools)
}

/// The tools of the folder's document.
fn described(folder: &Folder, tools: &ToolsTable, slug: &Slug) -> Result<Vec<Arc<Tool>>, Vec<Fault>> {
    let read = |key: &str, file: &str| {
        if !folder::is_plain_name(file) {
            return Ok(None);
        }
        let bytes = folder.read(file, limits::OPENAPI_BYTES).map_err(|fault| vec![fault])?;
        let missing = || vec![Fault::new(file, "", format!("is missing; `{key}` of toolkit.toml names it"))];
        bytes.ok_or_else(missing).map(Some)
    };
    if let Some(file) = &tools.graphql {
        let Some(operations) = read("tools.graphql", file)? else { return Ok(Vec::new()) };
        let types = match &tools.graphql_schema {
            Some(file) => read("tools.graphql_schema", file)?.map(|bytes| (file, bytes)),
            None => None,
        };
        let types = types.as_ref().map(|(file, bytes)| graphql::Source { file: file.as_str(), bytes });
        return graphql::tools(graphql::Source { file, bytes: &operations }, types, slug.as_str());
    }
    let Some(file) = &tools.openapi else { return Ok(Vec::new()) };
    let Some(bytes) = read("tools.openapi", file)? else { return Ok(Vec::new()) };
    openapi::tools(file, &bytes, slug.as_str())
}

fn assemble(
    slug: Slug,
    head: Head,
    logo: Option<Vec<u8>>,
    tools: Vec<Arc<Tool>>,
) -> Result<Toolkit, Vec<Fault>> {
    let by_slug = tools.iter().enumerate().map(|(index, tool)| (tool.slug.clone(), index)).collect();
    let toolkit = Toolkit {
        slug,
        name: head.name,
        description: head.description,
        categories: head.categories,
        docs: head.docs,
        source: head.source,
        logo,
        settings: head.settings,
        auth: head.auth,
        api: head.api,
        tools,
        by_slug,
    };
    let mut faults = Faults::of(file::NAME);
    check_account(&toolkit, &mut faults);
    check_tokens(&toolkit, &mut faults);
    let faults = faults.into_list();
    if faults.is_empty() { Ok(toolkit) } else { Err(faults) }
}

/// A tool can only ask for a token that a consent brings.
fn check_tokens(toolkit: &Toolkit, faults: &mut Faults) {
    for tool in &toolkit.tools {
        let Some(name) = &tool.token else { continue };
        let known =
            matches!(&toolkit.auth, Auth::OAuth2(oauth) if oauth.habits.more_tokens.contains_key(name));
        if !known {
            faults.push(
                "auth.more_tokens",
                format!("{} asks for the token {name}, which is not here", tool.slug),
            );
        }
    }
}

fn check_account(toolkit: &Toolkit, faults: &mut Faults) {
    let Auth::OAuth2(oauth) = &toolkit.auth else { return };
    let Some(account) = &oauth.habits.account else { return };
    match toolkit.tool(&account.tool) {
        None => faults.push("auth.account.tool", format!("there is no tool {}", account.tool)),
        Some(tool) if tool.class != Class::Read => {
            faults.push("auth.account.tool", format!("{} must only read", account.tool));
        }
        Some(tool) if arguments::needs_arguments(tool) => {
            faults.push("auth.account.tool", format!("{} must not need arguments", account.tool));
        }
        Some(_) => {}
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A toolkit without sign-in of these files, whose tools are as these lines of `[tools]` say.
    pub(crate) fn open(slug: &str, files: &[(&str, &str)], tools: &str) -> Toolkit {
        let settings = format!(
            "name = 'Test'\ndescription = 'A toolkit of the tests'\n[auth]\nmode = 'none'\n\
             [api]\nbase_url = 'https://api.test/graphql'\n[tools]\n{tools}\n"
        );
        let all = files.iter().copied().chain([("toolkit.toml", settings.as_str())]);
        read(&Folder::in_memory(slug, all.map(|(name, text)| (name, text.as_bytes().to_vec())))).unwrap()
    }

    /// The provider that a table `[auth]` describes.
    pub(crate) fn oauth(table: &str) -> OAuth2 {
        let mut faults = Faults::of("");
        let auth = auth::read(toml::from_str(table).unwrap(), &mut faults);
        assert_eq!(faults.into_list(), []);
        match auth {
            Some(Auth::OAuth2(oauth)) => *oauth,
            other => panic!("{other:?}"),
        }
    }
}
#[cfg(test)]
mod tests;
