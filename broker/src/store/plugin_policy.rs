//! What admins allow: which plugins, from where, and installed by whom.

use std::collections::BTreeMap;

use taiku_bridge::PluginId;
use taiku_bridge::api::{Members, PolicyMode, Verdict};

use super::{Result, StoreError, Tx, execute, one, row, text, with};

row! {
    struct PolicyRow {
        mode: String,
        members: String,
    }
}

row! {
    struct RuleRow {
        plugin: String,
        rule: Option<String>,
        preinstalled: bool,
    }
}

/// What an admin says of one plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Whether it may be used; none leaves that to the mode.
    pub verdict: Option<Verdict>,
    /// Whether everybody finds it on their page.
    pub preinstalled: bool,
}

/// What holds on this server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What holds for plugins without a verdict.
    pub mode: PolicyMode,
    /// What members may install.
    pub members: Members,
    /// Further registries, in the order in which they are shown.
    pub registries: Vec<String>,
    /// By [`PluginId::key`].
    pub rules: BTreeMap<String, Rule>,
}

impl Policy {
    /// Whether users may use a plugin.
    #[must_use]
    pub fn permits(&self, plugin: &PluginId) -> bool {
        match (self.rule(plugin).verdict, self.mode) {
            (Some(Verdict::Allowed), _) | (None, PolicyMode::Open) => true,
            (Some(Verdict::Blocked), _) | (None, PolicyMode::Listed) => false,
        }
    }

    /// What was said of a plugin.
    #[must_use]
    pub fn rule(&self, plugin: &PluginId) -> Rule {
        self.rules.get(&plugin.key()).copied().unwrap_or_default()
    }
}

/// The policy as it stands.
///
/// # Errors
/// When the database fails.
pub async fn load(tx: &mut Tx) -> Result<Policy> {
    let row: Option<PolicyRow> =
        with!(tx, |conn| sqlx::query_as("select mode, members from plugin_policy").fetch_optional(conn))?;
    let rules: Vec<RuleRow> =
        with!(tx, |conn| sqlx::query_as("select plugin, rule, preinstalled from plugin_rules")
            .fetch_all(conn))?;
    let registries: Vec<String> =
        with!(tx, |conn| sqlx::query_scalar("select url from plugin_registries order by position")
            .fetch_all(conn))?;
    let (mode, members) = match row {
        None => Default::default(),
        Some(row) => (
            PolicyMode::parse(&row.mode).ok_or_else(|| unknown("plugin_policy", "mode", "1", &row.mode))?,
            Members::parse(&row.members)
                .ok_or_else(|| unknown("plugin_policy", "members", "1", &row.members))?,
        ),
    };
    let rules = rules.into_iter().map(rule).collect::<Result<_>>()?;
    Ok(Policy { mode, members, registries, rules })
}

fn rule(row: RuleRow) -> Result<(String, Rule)> {
    let parse =
        |name: &str| Verdict::parse(name).ok_or_else(|| unknown("plugin_rules", "rule", &row.plugin, name));
    let verdict = row.rule.as_deref().map(parse).transpose()?;
    Ok((row.plugin, Rule { verdict, preinstalled: row.preinstalled }))
}

fn unknown(table: &'static str, column: &'static str, id: &str, value: &str) -> StoreError {
    StoreError::Inconsistent { table, column, id: id.to_owned(), what: format!("`{value}` is not known") }
}

/// Stores mode, members and registries; the rules are stored one by one.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &mut Tx, policy: &Policy) -> Result<()> {
    let query = "insert into plugin_policy (id, mode, members) values (1, $1, $2) \
                 on conflict (id) do update set mode = excluded.mode, members = excluded.members";
    let done = execute!(tx, sqlx::query(query).bind(policy.mode.as_str()).bind(policy.members.as_str()))?;
    one("storing the policy on plugins", done)?;
    execute!(tx, sqlx::query("delete from plugin_registries"))?;
    for (position, url) in (0_i64..).zip(&policy.registries) {
        let query = "insert into plugin_registries (url, position) values ($1, $2)";
        one("storing a registry", execute!(tx, sqlx::query(query).bind(text(url)?).bind(position))?)?;
    }
    Ok(())
}

/// Stores what an admin says of one plugin; nothing said leaves no row.
///
/// # Errors
/// When the database fails.
pub async fn put_rule(tx: &mut Tx, plugin: &PluginId, rule: Rule) -> Result<()> {
    if rule == Rule::default() {
        execute!(tx, sqlx::query("delete from plugin_rules where plugin = $1").bind(plugin.key()))?;
        return Ok(());
    }
    let query = "insert into plugin_rules (plugin, rule, preinstalled) values ($1, $2, $3) \
                 on conflict (plugin) do update set rule = excluded.rule, preinstalled = excluded.preinstalled";
    let done = execute!(
        tx,
        sqlx::query(query).bind(plugin.key()).bind(rule.verdict.map(Verdict::as_str)).bind(rule.preinstalled)
    )?;
    one("storing a rule on a plugin", done)
}
