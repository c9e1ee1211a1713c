//! What the authorization server remembers: open requests, codes, and families of tokens.
//!
//! No input or output happens here: time and new tokens are parameters. Tokens are stored as digests.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::bounded::Bounded;
use super::pkce::Challenge;
use super::scope::Scopes;
use crate::random::{Digest, Token};
use crate::tracker::AccountId;

/// How long a consent page may wait for its answer.
pub(crate) const REQUEST_LIFE: Duration = Duration::from_secs(600);
/// How long a code can be exchanged.
pub(crate) const CODE_LIFE: Duration = Duration::from_secs(60);

const MAX_REQUESTS: usize = 1000;
const MAX_CODES: usize = 2000;
const MAX_FAMILIES: usize = 2000;
const MAX_ACCESS_PER_FAMILY: usize = 64;
/// A family that was refreshed more often than this forgets its oldest refresh tokens, which are then
/// refused as unknown instead of ending the family.
const MAX_SPENT_PER_FAMILY: usize = 1024;

/// An authorization request that was found valid.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) scopes: Scopes,
    pub(crate) challenge: Challenge,
}

#[derive(Debug)]
struct Pending {
    request: Request,
    browser: Digest,
    until: Instant,
}

#[derive(Debug)]
struct Code {
    request: Request,
    account: AccountId,
    until: Instant,
    state: CodeState,
}

#[derive(Clone, Copy, Debug)]
enum CodeState {
    Fresh,
    Used(FamilyId),
}

type FamilyId = u64;

/// What becomes of a refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// It ends its family when it comes again (RFC 9700 section 4.14.2).
    Strict,
    /// The one that was used last is honoured for a while: its answer may have been lost.
    Grace(Duration),
    /// It stays as it is.
    Never,
}

/// What is presented to refresh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refresh<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) token: &'a str,
    pub(crate) rotation: Rotation,
}

/// All tokens that descend from one consent.
#[derive(Debug)]
struct Family {
    client_id: String,
    account: AccountId,
    scopes: Scopes,
    /// Refresh tokens that were not used yet: one, and more only where an answer was given twice within a grace.
    refresh: VecDeque<Digest>,
    spent: VecDeque<Digest>,
    /// When the last one was spent.
    spent_at: Option<Instant>,
    access: VecDeque<Digest>,
}

#[derive(Debug)]
struct Access {
    family: FamilyId,
    scopes: Scopes,
    until: Instant,
}

/// Tokens made before the state is locked, because making them can fail.
#[derive(Debug)]
pub(crate) struct NewTokens {
    pub(crate) access: Token,
    pub(crate) refresh: Token,
    pub(crate) access_life: Duration,
}

/// Tokens that now live, for the answer.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) tokens: NewTokens,
    pub(crate) scopes: Scopes,
}

/// Tokens for a refresh token.
#[derive(Debug)]
pub(crate) struct Refreshed {
    pub(crate) issued: Issued,
    /// Whether the refresh token had been used before.
    pub(crate) repeated: bool,
}

impl Family {
    /// Whether a refresh token that was used before is taken once more.
    fn honours(&self, spent: &Digest, rotation: Rotation, now: Instant) -> bool {
        let Rotation::Grace(grace) = rotation else { return false };
        self.spent.back() == Some(spent) && self.spent_at.is_some_and(|at| now < at + grace)
    }
}

/// What is presented to exchange a code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) verifier: &'a str,
}

/// Why a code or a refresh token was not honoured.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the code is unknown, too old, or of another client")]
    Code,
    #[error("the code was used before; the tokens that it gave are revoked")]
    CodeReplayed,
    #[error("redirect_uri is not the one of the authorization request")]
    RedirectUri,
    #[error("code_verifier does not fit the code_challenge")]
    Verifier,
    #[error("the refresh token is unknown, revoked, or of another client")]
    Refresh,
    #[error("the refresh token was used before; all tokens of this consent are revoked")]
    RefreshReused,
    #[error("the refresh token does not have all of these scopes")]
    Scope,
}

/// Whom a living access token speaks for.
#[derive(Clone, Debug)]
pub(crate) struct Bearer {
    pub(crate) account: AccountId,
    pub(crate) scopes: Scopes,
}

/// The memory of the authorization server.
#[derive(Debug)]
pub(crate) struct Grants {
    pending: Bounded<Pending>,
    codes: Bounded<Code>,
    families: BTreeMap<FamilyId, Family>,
    /// Current and spent refresh tokens.
    refresh: HashMap<Digest, FamilyId>,
    access: HashMap<Digest, Access>,
    next_family: FamilyId,
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            pending: Bounded::new(MAX_REQUESTS),
            codes: Bounded::new(MAX_CODES),
            families: BTreeMap::new(),
            refresh: HashMap::new(),
            access: HashMap::new(),
            next_family: 0,
        }
    }
}

impl Grants {
    /// Remembers a request while `browser` looks at its consent page.
    pub(crate) fn ask(&mut self, now: Instant, key: Digest, browser: Digest, request: Request) {
        self.pending.retain(|pending| pending.until > now);
        self.pending.insert(key, Pending { request, browser, until: now + REQUEST_LIFE });
    }

    /// Takes out the request that `browser` answers, once.
    pub(crate) fn answer(&mut self, now: Instant, key: &Digest, browser: &Digest) -> Option<Request> {
        let pending = self.pending.get(key)?;
        if pending.browser != *browser || pending.until <= now {
            return None;
        }
        self.pending.remove(key).map(|pending| pending.request)
    }

    /// Remembers a code for what `account` allowed.
    pub(crate) fn allow(&mut self, now: Instant, code: Digest, account: AccountId, request: Request) {
        let until = now + CODE_LIFE;
        self.codes.insert(code, Code { request, account, until, state: CodeState::Fresh });
    }

    /// Exchanges a code for the first tokens of a family (RFC 6749 section 4.1.3).
    ///
    /// # Errors
    /// [`Refused`]; a code that comes a second time also ends what the first time gave (section 4.1.2).
    pub(crate) fn exchange(
        &mut self,
        now: Instant,
        presented: Exchange<'_>,
        tokens: NewTokens,
    ) -> Result<Issued, Refused> {
        let code = self.codes.get_mut(&crate::random::digest(presented.code)).ok_or(Refused::Code)?;
        if code.request.client_id != presented.client_id {
            return Err(Refused::Code);
        }
        match code.state {
            CodeState::Used(family) => {
                self.end(family);
                return Err(Refused::CodeReplayed);
            }
            CodeState::Fresh if code.until <= now => return Err(Refused::Code),
            CodeState::Fresh => {}
        }
        if code.request.redirect_uri != presented.redirect_uri {
            return Err(Refused::RedirectUri);
        }
        if !code.request.challenge.accepts(presented.verifier) {
            return Err(Refused::Verifier);
        }
        let id = self.next_family;
        self.next_family += 1;
        code.state = CodeState::Used(id);
        let scopes = code.request.scopes.clone();
        let family = Family {
            client_id: code.request.client_id.clone(),
            account: code.account,
            scopes: scopes.clone(),
            refresh: VecDeque::from([tokens.refresh.digest()]),
            spent: VecDeque::new(),
            spent_at: None,
            access: VecDeque::new(),
        };
        self.begin(id, family);
        Ok(self.issue(now, id, scopes, tokens))
    }

    /// Exchanges a refresh token for new tokens; what becomes of the old one is said by `presented`.
    ///
    /// # Errors
    /// [`Refused`]; a spent refresh token that comes again ends the whole family.
    pub(crate) fn refresh(
        &mut self,
        now: Instant,
        presented: Refresh<'_>,
        narrowed: Option<Scopes>,
        mut tokens: NewTokens,
    ) -> Result<Refreshed, Refused> {
        let digest = crate::random::digest(presented.token);
        let id = *self.refresh.get(&digest).ok_or(Refused::Refresh)?;
        let family = self.families.get_mut(&id).ok_or(Refused::Refresh)?;
        if family.client_id != presented.client_id {
            return Err(Refused::Refresh);
        }
        let repeated = !family.refresh.contains(&digest);
        if repeated && !family.honours(&digest, presented.rotation, now) {
            self.end(id);
            return Err(Refused::RefreshReused);
        }
        let scopes = narrowed.unwrap_or_else(|| family.scopes.clone());
        if !scopes.is_subset(&family.scopes) {
            return Err(Refused::Scope);
        }
        if presented.rotation == Rotation::Never {
            tokens.refresh = Token::again(presented.token);
            return Ok(Refreshed { issued: self.issue(now, id, scopes, tokens), repeated });
        }
        family.refresh.retain(|unused| *unused != digest);
        family.refresh.push_back(tokens.refresh.digest());
        if !repeated {
            family.spent.push_back(digest);
            family.spent_at = Some(now);
        }
        if family.spent.len() > MAX_SPENT_PER_FAMILY
            && let Some(forgotten) = family.spent.pop_front()
        {
            self.refresh.remove(&forgotten);
        }
        Ok(Refreshed { issued: self.issue(now, id, scopes, tokens), repeated })
    }

    /// Ends a token of `client_id`: an access token alone, a refresh token with its family (RFC 7009).
    pub(crate) fn revoke(&mut self, client_id: &str, presented: &str) {
        let presented = crate::random::digest(presented);
        let owns = |id: &FamilyId| self.families.get(id).is_some_and(|family| family.client_id == client_id);
        if let Some(id) = self.refresh.get(&presented).copied().filter(owns) {
            self.end(id);
        } else if self.access.get(&presented).is_some_and(|access| owns(&access.family)) {
            self.access.remove(&presented);
        }
    }

    /// Whom an access token speaks for, if it lives.
    pub(crate) fn bearer(&self, now: Instant, presented: &str) -> Option<Bearer> {
        let access = self.access.get(&crate::random::digest(presented))?;
        let family = self.families.get(&access.family)?;
        (access.until > now).then(|| Bearer { account: family.account, scopes: access.scopes.clone() })
    }

    /// Ends everything that `account` allowed, as a person does in the settings of a provider.
    pub(crate) fn end_account(&mut self, account: AccountId) -> usize {
        let of_account = |(id, family): (&FamilyId, &Family)| (family.account == account).then_some(*id);
        let ids: Vec<_> = self.families.iter().filter_map(of_account).collect();
        ids.iter().for_each(|id| self.end(*id));
        ids.len()
    }

    /// How many consents live, by account.
    pub(crate) fn living(&self, account: AccountId) -> usize {
        self.families.values().filter(|family| family.account == account).count()
    }

    /// How many consents live.
    pub(crate) fn all_living(&self) -> usize {
        self.families.len()
    }

    fn begin(&mut self, id: FamilyId, family: Family) {
        self.families.insert(id, family);
        while self.families.len() > MAX_FAMILIES
            && let Some(oldest) = self.families.keys().next().copied()
        {
            self.end(oldest);
        }
    }

    fn issue(&mut self, now: Instant, id: FamilyId, scopes: Scopes, tokens: NewTokens) -> Issued {
        let access = tokens.access.digest();
        self.refresh.insert(tokens.refresh.digest(), id);
        self.access
            .insert(access, Access { family: id, scopes: scopes.clone(), until: now + tokens.access_life });
        if let Some(family) = self.families.get_mut(&id) {
            family.access.push_back(access);
            if family.access.len() > MAX_ACCESS_PER_FAMILY
                && let Some(oldest) = family.access.pop_front()
            {
                self.access.remove(&oldest);
            }
        }
        Issued { tokens, scopes }
    }

    fn end(&mut self, id: FamilyId) {
        let Some(family) = self.families.remove(&id) else { return };
        for spent in family.refresh.iter().chain(&family.spent) {
            self.refresh.remove(spent);
        }
        for access in &family.access {
            self.access.remove(access);
        }
    }
}

#[cfg(test)]
mod tests;
