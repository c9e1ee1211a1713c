//! What a token lets its holder do.

use std::collections::BTreeSet;

/// One right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    IssuesRead,
    IssuesWrite,
    Profile,
}

impl Scope {
    /// All of them, in the order of the consent page.
    pub(crate) const ALL: [Self; 3] = [Self::IssuesRead, Self::IssuesWrite, Self::Profile];

    /// The name on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::IssuesRead => "issues:read",
            Self::IssuesWrite => "issues:write",
            Self::Profile => "profile",
        }
    }

    /// What the consent page says about it.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::IssuesRead => "See the issues of this account",
            Self::IssuesWrite => "Create, close and delete issues of this account",
            Self::Profile => "See the name and the picture of this account",
        }
    }
}

/// A set of rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scopes(BTreeSet<Scope>);

/// A scope that this provider does not have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such scope; the demo provider has issues:read, issues:write and profile")]
pub(crate) struct UnknownScope;

impl Scopes {
    /// Reads names that are separated by spaces (RFC 6749 section 3.3).
    pub(crate) fn parse(text: &str) -> Result<Self, UnknownScope> {
        text.split(' ')
            .filter(|name| !name.is_empty())
            .map(|name| Scope::ALL.into_iter().find(|scope| scope.name() == name).ok_or(UnknownScope))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// What a client gets that asks for nothing in particular.
    pub(crate) fn least() -> Self {
        Self(BTreeSet::from([Scope::Profile]))
    }

    pub(crate) fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    pub(crate) fn is_subset(&self, of: &Self) -> bool {
        self.0.is_subset(&of.0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }

    /// The names, separated by spaces.
    pub(crate) fn text(&self) -> String {
        self.iter().map(Scope::name).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_a_closed_set() {
        let scopes = Scopes::parse("profile issues:read profile").unwrap();
        assert_eq!(scopes.text(), "issues:read profile");
        for unknown in ["issues", "ISSUES:READ", "issues:read,profile", "*"] {
            assert_eq!(Scopes::parse(unknown), Err(UnknownScope), "{unknown}");
        }
    }
}
