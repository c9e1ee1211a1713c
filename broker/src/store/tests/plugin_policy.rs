//! What admins allow.

use taiku_bridge::PluginId;
use taiku_bridge::api::{Members, PolicyMode, Verdict};

use super::{on_both_engines, sql, write};
use crate::store::Store;
use crate::store::plugin_policy::{self, Policy, Rule};

on_both_engines!(migrated:
    nothing_said_is_open_and_for_admins
    what_is_said_is_found
    a_rule_that_says_nothing_leaves_no_row
    values_that_nobody_writes_are_refused
);

fn id(text: &str) -> PluginId {
    PluginId::parse(text).unwrap()
}

async fn nothing_said_is_open_and_for_admins(store: Store) {
    let mut tx = write(&store).await;
    let policy = plugin_policy::load(&mut tx).await.unwrap();
    assert_eq!(policy, Policy::default());
    assert_eq!((policy.mode, policy.members), (PolicyMode::Open, Members::Nothing));
    assert!(policy.permits(&id("any")));
}

async fn what_is_said_is_found(store: Store) {
    let mut tx = write(&store).await;
    let registries = vec!["https://z.test/".to_owned(), "https://a.test/".to_owned()];
    for (mode, members) in [
        (PolicyMode::Listed, Members::Registries),
        (PolicyMode::Open, Members::Anything),
        (PolicyMode::Listed, Members::Nothing),
    ] {
        let policy = Policy { mode, members, registries: registries.clone(), ..Policy::default() };
        plugin_policy::save(&mut tx, &policy).await.unwrap();
        assert_eq!(plugin_policy::load(&mut tx).await.unwrap(), policy);
    }
    for (plugin, verdict, preinstalled) in [
        ("Good.One", Some(Verdict::Allowed), true),
        ("bad.one", Some(Verdict::Blocked), false),
        ("other", None, true),
    ] {
        plugin_policy::put_rule(&mut tx, &id(plugin), Rule { verdict, preinstalled }).await.unwrap();
    }
    let policy = plugin_policy::load(&mut tx).await.unwrap();
    let permits = |text: &str| policy.permits(&id(text));
    assert_eq!(
        [permits("gOOD.oNE"), permits("BAD.one"), permits("other"), permits("none")],
        [true, false, false, false]
    );
    let open = Policy { mode: PolicyMode::Open, ..policy.clone() };
    assert!(!open.permits(&id("bad.one")) && open.permits(&id("other")));
    assert!(policy.rule(&id("GOOD.ONE")).preinstalled);
}

async fn a_rule_that_says_nothing_leaves_no_row(store: Store) {
    let mut tx = write(&store).await;
    let blocked = Rule { verdict: Some(Verdict::Blocked), preinstalled: false };
    plugin_policy::put_rule(&mut tx, &id("a"), blocked).await.unwrap();
    plugin_policy::put_rule(&mut tx, &id("A"), Rule::default()).await.unwrap();
    assert_eq!(plugin_policy::load(&mut tx).await.unwrap(), Policy::default());
}

async fn values_that_nobody_writes_are_refused(store: Store) {
    for statement in [
        "insert into plugin_rules (plugin, rule, preinstalled) values ('a', 'maybe', true)",
        "insert into plugin_policy (id, mode, members) values (1, 'closed', 'nothing')",
        "insert into plugin_policy (id, mode, members) values (1, 'open', 'all')",
        "insert into plugin_policy (id, mode, members) values (2, 'open', 'nothing')",
    ] {
        let mut tx = write(&store).await;
        assert!(sql(&mut tx, statement).await.is_err(), "{statement}");
    }
}
