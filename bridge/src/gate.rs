//! The one decision whether a plugin's call may pass.
//!
//! The host page runs it before the network and the broker runs it again, with what each of them knows; a panel
//! that got past the one is stopped by the other. Checks stand in the order of the codes in
//! [`crate::refusal::Code`], and the first that fails answers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::call::{Area, Call, Method};
use crate::manifest::Manifest;
use crate::permission::Permission;
use crate::refusal::{Code, Refusal};
use crate::slug::Slug;

/// What a user consented to for one plugin.
///
/// It stays in force for later versions of the plugin until the user accepts what they add.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The permissions that were allowed.
    pub permissions: BTreeSet<Permission>,
    /// The toolkits that were allowed.
    pub integrations: BTreeSet<Slug>,
}

impl Grant {
    /// All that a manifest asks for and this host has.
    #[must_use]
    pub fn all_of(manifest: &Manifest) -> Self {
        // One by one: collecting into a set brings a whole sort into the front end.
        let mut all = Self::default();
        for permission in manifest.known_permissions() {
            all.permissions.insert(permission);
        }
        for toolkit in &manifest.integrations {
            all.integrations.insert(toolkit.clone());
        }
        all
    }
}

/// Who asks: a plugin, for a user, on a server.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Whether the admin has enabled integrations.
    pub integrations_enabled: bool,
    /// Whether a user is signed in.
    pub signed_in: bool,
    /// What the plugin's manifest asks for.
    pub manifest: &'a Manifest,
    /// What the user has allowed it, if anything.
    pub grant: Option<&'a Grant>,
}

impl Caller<'_> {
    /// Decides on a request by its method's name and its parameters as JSON text.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn decide(&self, method: &str, params: &str) -> Result<Call, Refusal> {
        let method = Method::parse(method)?;
        self.decide_with(method, || Call::parse(method, params))
    }

    /// Decides on a request whose parameters come in another form, such as a path and a body.
    ///
    /// # Errors
    /// The first check that fails; `parse` runs only after those that do not need the parameters.
    pub fn decide_with(
        &self,
        method: Method,
        parse: impl FnOnce() -> Result<Call, Refusal>,
    ) -> Result<Call, Refusal> {
        self.may_use(method)?;
        let call = parse()?;
        if let Some(toolkit) = call.toolkit() {
            self.may_reach(toolkit)?;
        }
        Ok(call)
    }

    fn may_use(&self, method: Method) -> Result<(), Refusal> {
        match method.area() {
            Area::Integrations if !self.integrations_enabled => return Err(Refusal::integrations_disabled()),
            Area::Integrations if !self.signed_in => return Err(Refusal::not_signed_in()),
            Area::Data if !self.signed_in => return Err(Refusal::no_shelf()),
            Area::Integrations | Area::Data | Area::Page => {}
        }
        match method.permission() {
            Some(permission) => self.may(method, permission),
            None if self.grant.is_some() => Ok(()),
            None => Err(self.not_allowed(&format!("use {}", method.as_str()))),
        }
    }

    fn may(&self, method: Method, permission: Permission) -> Result<(), Refusal> {
        let plugin = &self.manifest.id;
        if !self.manifest.asks_for(permission) {
            return Err(Refusal::new(
                Code::PermissionMissing,
                format!(
                    "{} needs the permission {permission}, which the manifest of {plugin} does not declare.",
                    method.as_str()
                ),
            ));
        }
        if self.grant.is_some_and(|grant| grant.permissions.contains(&permission)) {
            return Ok(());
        }
        Err(self.not_allowed(&format!("use {permission}")))
    }

    fn may_reach(&self, toolkit: &Slug) -> Result<(), Refusal> {
        let plugin = &self.manifest.id;
        if !self.manifest.integrations.contains(toolkit) {
            return Err(Refusal::new(
                Code::ToolkitNotDeclared,
                format!("{plugin} did not declare the toolkit {toolkit}."),
            ));
        }
        if self.grant.is_some_and(|grant| grant.integrations.contains(toolkit)) {
            return Ok(());
        }
        Err(self.not_allowed(&format!("reach {toolkit}")))
    }

    fn not_allowed(&self, what: &str) -> Refusal {
        let plugin = &self.manifest.id;
        Refusal::new(
            Code::GrantMissing,
            format!("You have not allowed {plugin} to {what}. Open the plugin and allow it."),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHODS: [Method; 4] = [
        Method::IntegrationsList,
        Method::IntegrationsConnect,
        Method::IntegrationsTools,
        Method::IntegrationsExecute,
    ];
    const PERMISSIONS: [Permission; 3] =
        [Permission::IntegrationsRead, Permission::IntegrationsConnect, Permission::IntegrationsExecute];

    fn manifest(permissions: &[Permission], toolkits: &[&str]) -> Manifest {
        let text = serde_json::json!({
            "id": "a.plugin", "name": "A", "version": "1.0.0", "panels": [],
            "permissions": permissions, "integrations": toolkits,
        });
        Manifest::parse(&text.to_string()).unwrap().manifest
    }

    fn caller<'a>(manifest: &'a Manifest, grant: Option<&'a Grant>) -> Caller<'a> {
        Caller { integrations_enabled: true, signed_in: true, manifest, grant }
    }

    fn code(caller: Caller<'_>, method: &str, params: &str) -> Option<Code> {
        caller.decide(method, params).err().map(|refusal| refusal.code)
    }

    #[test]
    fn every_combination_of_method_permissions_and_declaration() {
        for subset in 0..8_usize {
            let held: Vec<Permission> =
                (0..3).filter(|bit| subset & (1 << bit) != 0).map(|bit| PERMISSIONS[bit]).collect();
            let manifest = manifest(&held, &["github"]);
            let grant = Grant::all_of(&manifest);
            for method in METHODS {
                for (toolkit, declared) in [("GitHub", true), ("slack", false)] {
                    let params = format!(r#"{{"toolkit":"{toolkit}","action":"X_Y"}}"#);
                    let verdict = code(caller(&manifest, Some(&grant)), method.as_str(), &params);
                    let expected =
                        if !method.permission().is_some_and(|permission| held.contains(&permission)) {
                            Some(Code::PermissionMissing)
                        } else if !declared && method != Method::IntegrationsList {
                            Some(Code::ToolkitNotDeclared)
                        } else {
                            None
                        };
                    assert_eq!(verdict, expected, "{method:?} {held:?} {toolkit}");
                }
            }
        }
    }

    #[test]
    fn the_first_check_in_order_answers() {
        let full = manifest(&PERMISSIONS, &["github"]);
        let grant = Grant::all_of(&full);
        let bare = manifest(&[], &[]);
        let (bad, undeclared) = (r#"{"toolkit":"#, r#"{"toolkit":"slack"}"#);
        let all = caller(&full, Some(&grant));
        let off = Caller { integrations_enabled: false, signed_in: false, ..caller(&bare, None) };
        assert_eq!(code(off, "integrations.connectt", bad), Some(Code::UnknownMethod));
        assert_eq!(code(off, "integrations.connect", bad), Some(Code::IntegrationsDisabled));
        let anonymous = Caller { signed_in: false, ..caller(&bare, None) };
        assert_eq!(code(anonymous, "integrations.connect", bad), Some(Code::NotSignedIn));
        assert_eq!(code(caller(&bare, None), "integrations.connect", bad), Some(Code::PermissionMissing));
        assert_eq!(code(caller(&full, None), "integrations.connect", bad), Some(Code::GrantMissing));
        assert_eq!(code(all, "integrations.connect", bad), Some(Code::InvalidParams));
        assert_eq!(code(all, "integrations.connect", undeclared), Some(Code::ToolkitNotDeclared));
        assert_eq!(code(all, "integrations.connect", r#"{"toolkit":"github"}"#), None);
    }

    #[test]
    fn a_grant_holds_for_what_it_names_and_no_more() {
        let old = manifest(&[Permission::IntegrationsRead], &["github"]);
        let new = manifest(&PERMISSIONS, &["github", "slack"]);
        let grant = Grant::all_of(&old);
        let caller = caller(&new, Some(&grant));
        assert_eq!(code(caller, "integrations.tools", r#"{"toolkit":"github"}"#), None);
        assert_eq!(code(caller, "integrations.tools", r#"{"toolkit":"slack"}"#), Some(Code::GrantMissing));
        assert_eq!(code(caller, "integrations.connect", r#"{"toolkit":"github"}"#), Some(Code::GrantMissing));
    }

    #[test]
    fn stored_data_needs_a_user_and_what_has_no_permission_needs_to_be_allowed_at_all() {
        let manifest = manifest(&[Permission::KvRead], &[]);
        let grant = Grant::all_of(&manifest);
        let user = Caller { integrations_enabled: false, ..caller(&manifest, Some(&grant)) };
        let visitor = Caller { signed_in: false, ..user };
        let key = r#"{"key":"k","value":1}"#;
        for method in Method::ALL.iter().filter(|method| method.area() == Area::Data) {
            assert_eq!(code(visitor, method.as_str(), "{}"), Some(Code::NotSignedIn), "{method:?}");
        }
        assert_eq!(code(user, "kv.get", key), None);
        assert_eq!(code(user, "kv.set", key), Some(Code::PermissionMissing));
        assert_eq!(code(user, "setUserData", key), None);
        assert_eq!(code(caller(&manifest, None), "setUserData", key), Some(Code::GrantMissing));
    }

    #[test]
    fn every_permission_of_the_protocol_guards_its_methods() {
        for method in Method::ALL {
            let Some(needed) = method.permission() else { continue };
            let others: Vec<Permission> =
                Permission::ALL.iter().copied().filter(|permission| *permission != needed).collect();
            for (held, expected) in [(others, Code::PermissionMissing), (vec![needed], Code::InvalidParams)] {
                let manifest = manifest(&held, &["github"]);
                let grant = Grant::all_of(&manifest);
                let verdict = code(caller(&manifest, Some(&grant)), method.as_str(), "[");
                assert_eq!(verdict, Some(expected), "{method:?}");
            }
        }
    }

    #[test]
    fn what_the_host_answers_itself_needs_no_user() {
        let manifest = manifest(&[Permission::SessionRead], &[]);
        let grant = Grant::all_of(&manifest);
        let visitor =
            Caller { integrations_enabled: false, signed_in: false, ..caller(&manifest, Some(&grant)) };
        assert_eq!(code(visitor, "getUserRole", "{}"), None);
        assert_eq!(code(visitor, "showToast", r#"{"message":"x"}"#), Some(Code::PermissionMissing));
    }
}
