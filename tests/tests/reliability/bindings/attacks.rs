//! What an attack consists of, and how it is carried out.

use reqwest::Method;
use serde_json::{Value, json};
use taiku_bridge::api;
use taiku_tests::{Answer, Client, connect_at};
use url::Url;

use super::world::{Begun, Who, World, open};

/// One attack.
pub(crate) struct Variant {
    /// What is tried.
    pub(crate) name: &'static str,
    /// How.
    pub(crate) attack: Attack,
}

/// How an attack goes.
pub(crate) enum Attack {
    /// A flow is begun and consented to, something happens, and a changed answer comes to a browser.
    Answer(Delivery),
    /// The start page of a flow is opened.
    Start(Who, Opened),
    /// A request to connect that is to end on another page, so there must be no flow at all.
    LandOn(&'static str),
    /// The user renews an account, and the consent is given in another one.
    RenewedAsAnother,
    /// The attacker renews, or accepts, a connection of the victim.
    RenewForeign,
    /// Two answers to one flow come at the same time, one of them to the other user's browser.
    TwoAtOnce(Who),
    /// Two flows of a user are answered in the reverse order, each with the other's code.
    CrossedTabs,
    /// The malicious toolkit sends the victim to the honest provider with its own state, and the answer comes on a path.
    BouncedTo(Path),
}

/// An answer of a provider on its way.
pub(crate) struct Delivery {
    /// Who begins.
    pub(crate) begins: Who,
    /// Whose account is consented with.
    pub(crate) consents: Who,
    /// What happens before the answer comes.
    pub(crate) before: &'static [Before],
    /// What is changed in it.
    pub(crate) change: &'static [Change],
    /// Where it comes to.
    pub(crate) to: To,
    /// How often a code may have been tried, because only the provider can tell that it is another flow's.
    pub(crate) tries: u64,
}

/// What happens between consent and answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// The answer is delivered as it is, and connects.
    Finish,
    /// The same, and the connection is removed again.
    FinishAndDisconnect,
    /// The user signs out.
    SignOut,
    /// The user signs out, and in again.
    SignInAgain,
    /// The user signs out, and somebody else signs in, in the same browser.
    OtherSignsIn,
    /// Eleven minutes go by.
    ElevenMinutes,
    /// The session's time is over.
    SessionEnds,
    /// An admin changes the client, and changes it back.
    Disable,
    /// The user removes the connection that is being made.
    Remove,
}

/// A change to an answer.
pub(crate) enum Change {
    /// A parameter is gone.
    Without(&'static str),
    /// A parameter has another value.
    Set(&'static str, Is),
    /// A parameter comes a second time, behind the first.
    Add(&'static str, Is),
    /// A parameter comes a second time, before the first.
    AddBefore(&'static str, Is),
    /// A parameter has another name.
    Rename(&'static str, &'static str),
    /// The answer comes on another path.
    On(Path),
}

/// A value.
pub(crate) enum Is {
    /// This one.
    Text(&'static str),
    /// What it was, changed.
    Changed(fn(&str) -> String),
    /// What it is in the answer to a flow that the other user has begun and consented to.
    OfOther,
    /// What it is in the answer to another flow of the same browser.
    OfSibling,
}

/// A path.
#[derive(Clone, Copy)]
pub(crate) enum Path {
    /// The honest toolkit's.
    Demo,
    /// The malicious toolkit's.
    Evil,
    /// That of a toolkit without any flow.
    Idle,
    /// The honest one, changed.
    Changed(fn(&str) -> String),
}

/// Where an answer comes to.
#[derive(Clone, Copy)]
pub(crate) enum To {
    /// The browser that began.
    Own,
    /// The other user's.
    Other,
    /// The other user's, who has a flow under way as well.
    OtherWithFlow,
    /// One in which nobody is signed in.
    Nobody,
    /// A script with an API key of the user who began.
    Script,
    /// The browser that began, without the flow's cookie.
    WithoutCookie,
    /// The other user's, with the flow's cookie under a name that a neighbouring site could set.
    PlantedAs(fn(&str) -> String),
    /// The browser that began, with the value of another cookie.
    CookieOf(Cookie),
    /// The browser that began, by another method, the parameters in the body.
    ByPost,
    /// The same by HEAD.
    ByHead,
    /// The other user's, as a page of another site has it loaded.
    OtherCrossSite,
    /// Under another name of the server.
    Host(&'static str),
}

/// The value of a cookie.
#[derive(Clone, Copy)]
pub(crate) enum Cookie {
    /// Another flow's, of the same browser.
    Sibling,
    /// Nothing.
    Empty,
    /// Twice, once of the flow and once another.
    Twice,
    /// The flow's id.
    FlowId,
}

/// How a start page is opened.
#[derive(Clone, Copy)]
pub(crate) enum Opened {
    /// As it is.
    AsItIs,
    /// With the cookie in the address.
    CookieInAddress,
    /// With another flow's cookie.
    CookieOfAnother,
}

impl Variant {
    /// Carries it out and tells what is bound that should not be, in words.
    pub(crate) async fn run(&self, world: &World) -> Vec<String> {
        let before = world.token_requests().await;
        let (allowed, tries) = self.attack.run(world).await;
        let spent = world.token_requests().await - before;
        // A connection that is there by right has cost one request.
        let most = allowed.len() as u64 + tries;
        assert!(spent <= most, "{}: {spent} requests for tokens instead of {most}", self.name);
        let mut wrong = world.bound().await;
        for binding in &allowed {
            let place = wrong.iter().position(|bound| bound == binding);
            wrong.remove(place.unwrap_or_else(|| panic!("{}: {binding:?} is gone", self.name)));
        }
        world.clean().await;
        self.control(world).await;
        wrong.into_iter().map(|(who, account)| format!("{}: {who:?} has {account}", self.name)).collect()
    }

    /// The same users, accounts and provider without the attack: it connects.
    async fn control(&self, world: &World) {
        let (begins, account) = match &self.attack {
            Attack::Answer(Delivery { begins, .. })
            | Attack::Start(begins, _)
            | Attack::TwoAtOnce(begins) => (*begins, *begins),
            Attack::RenewForeign => (Who::Attacker, Who::Attacker),
            _ => (Who::Victim, Who::Victim),
        };
        let browser = world.browser(begins);
        let begun = world.begin(browser, account).await;
        let page = open(browser, &begun.callback).await;
        assert_eq!(page.status, 200, "control of {}: {page:?}", self.name);
        let expected = [(begins, account.account().to_owned())];
        assert_eq!(world.bound().await, expected, "control of {}", self.name);
    }
}

/// What is bound by right afterwards, and how many codes may have been tried besides.
type Outcome = (Vec<(Who, String)>, u64);

impl Attack {
    async fn run(&self, world: &World) -> Outcome {
        match self {
            Self::Answer(delivery) => delivery.run(world).await,
            Self::Start(begins, opened) => start(world, *begins, *opened).await,
            Self::LandOn(address) => {
                let body = json!({"callbackUrl": address});
                let answer = world.victim.post("/api/v1/toolkits/demo/connections", &body).await;
                assert_eq!(answer.status, 422, "{body}: {answer:?}");
                assert_eq!(world.connections(Who::Victim).await, []);
                (Vec::new(), 0)
            }
            Self::RenewedAsAnother => renewed_as_another(world).await,
            Self::RenewForeign => renew_foreign(world).await,
            Self::TwoAtOnce(begins) => two_at_once(world, *begins).await,
            Self::CrossedTabs => crossed_tabs(world).await,
            Self::BouncedTo(path) => bounced(world, *path).await,
        }
    }
}

/// A page on which nothing was connected: one that says so, or another page of the server.
fn refused(page: &Answer) {
    assert!(!page.text.contains("is connected"), "not refused: {page:?}");
    assert!(!page.status.is_server_error() || page.status == 502, "failed instead: {page:?}");
}

impl Delivery {
    async fn run(&self, world: &World) -> Outcome {
        let own = self.own_browser(world).await;
        let browser = own.as_ref().unwrap_or(world.browser(self.begins));
        let begun = world.begin(browser, self.consents).await;
        let mut bound = Vec::new();
        for event in self.before {
            bound.extend(self.happen(world, browser, &begun, *event).await);
        }
        let changed = self.changed(world, browser, &begun).await;
        let page = self.deliver(world, browser, &begun, &changed).await;
        if !bound.is_empty() {
            // What the honest answer has connected stays, whatever came after it.
            return (bound, self.tries);
        }
        refused(&page);
        (bound, self.tries + u64::from(self.before.contains(&Before::FinishAndDisconnect)))
    }

    /// A browser of its own where the session ends in the course of it.
    async fn own_browser(&self, world: &World) -> Option<Client> {
        let ends = [Before::SignOut, Before::SignInAgain, Before::OtherSignsIn, Before::SessionEnds];
        let ends = self.before.iter().any(|event| ends.contains(event));
        if ends { Some(world.signed_in(self.begins).await) } else { None }
    }

    async fn happen(
        &self,
        world: &World,
        browser: &Client,
        begun: &Begun,
        event: Before,
    ) -> Vec<(Who, String)> {
        let connection = api::connection(&begun.connecting.connection_id);
        let cookies = browser.cookies();
        let flow_cookie = cookies.iter().find(|cookie| cookie.name.contains(begun.flow()));
        let finish = async || {
            let page = open(browser, &begun.callback).await;
            assert_eq!(page.status, 200, "{page:?}");
            // The cookie is gone with the flow; the attacker has kept it.
            let cookie = flow_cookie.expect("a flow has a cookie");
            browser.set_cookie(&cookie.name, &cookie.value);
        };
        match event {
            Before::Finish => {
                finish().await;
                return vec![(self.begins, self.consents.account().to_owned())];
            }
            Before::FinishAndDisconnect => {
                finish().await;
                let _ = browser.delete(&connection).await.expect(200);
            }
            Before::Remove => {
                let _ = browser.delete(&connection).await.expect(200);
            }
            Before::SignOut | Before::SignInAgain | Before::OtherSignsIn => {
                let _ = browser.delete(api::SESSION).await.expect(204);
                let next = match event {
                    Before::SignInAgain => Some(self.begins),
                    Before::OtherSignsIn => Some(self.begins.other()),
                    _ => None,
                };
                if let Some(next) = next {
                    let signed_in = world.signed_in(next).await;
                    for cookie in signed_in.cookies() {
                        browser.set_cookie(&cookie.name, &cookie.value);
                    }
                }
                // Browsers may keep what they were told to forget.
                let cookie = flow_cookie.expect("a flow has a cookie");
                browser.set_cookie(&cookie.name, &cookie.value);
            }
            Before::ElevenMinutes => {
                let rows = world.database.run("update flows set expires_at = expires_at - 660000").await;
                assert!(rows > 0);
            }
            Before::SessionEnds => {
                let hash = "delete from sessions where id_hash in (select session_hash from flows)";
                assert!(world.database.run(hash).await > 0);
            }
            Before::Disable => {
                let toolkit = "/api/v1/admin/toolkits/demo";
                let before: Value = world.victim.get(toolkit).await.read();
                let put = async |body: Value| world.victim.put(toolkit, &body).await.expect(200);
                let _ = put(json!({"clientId": "another"})).await;
                let page = open(browser, &begun.callback).await;
                refused(&page);
                let _ = put(json!({"clientId": before["clientId"], "enabled": false})).await;
                let page = open(browser, &begun.callback).await;
                refused(&page);
                let _ = put(json!({"clientId": before["clientId"], "enabled": true})).await;
                world.clean().await;
            }
        }
        Vec::new()
    }

    /// The answer as it comes.
    async fn changed(&self, world: &World, browser: &Client, begun: &Begun) -> Url {
        let mut url = begun.callback.clone();
        for change in self.change {
            let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            let place = |name: &str| pairs.iter().position(|(key, _)| key == name);
            let parallel = match change {
                Change::Set(_, Is::OfOther)
                | Change::Add(_, Is::OfOther)
                | Change::AddBefore(_, Is::OfOther) => {
                    let other = self.begins.other();
                    Some(world.begin(world.browser(other), other).await.callback)
                }
                Change::Set(_, Is::OfSibling)
                | Change::Add(_, Is::OfSibling)
                | Change::AddBefore(_, Is::OfSibling) => {
                    Some(world.begin(browser, self.consents).await.callback)
                }
                _ => None,
            };
            let value = |name: &str, is: &Is| match is {
                Is::Text(text) => (*text).to_owned(),
                Is::Changed(change) => change(&param(&url, name)),
                Is::OfOther | Is::OfSibling => param(parallel.as_ref().expect("it was begun"), name),
            };
            match change {
                Change::Without(name) => pairs.retain(|(key, _)| key != name),
                Change::Set(name, is) => {
                    let value = value(name, is);
                    match place(name) {
                        Some(index) => pairs[index].1 = value,
                        None => pairs.push(((*name).to_owned(), value)),
                    }
                }
                Change::Add(name, is) => pairs.push(((*name).to_owned(), value(name, is))),
                Change::AddBefore(name, is) => pairs.insert(0, ((*name).to_owned(), value(name, is))),
                Change::Rename(name, new) => {
                    let index = place(name).expect("the parameter is there");
                    pairs[index].0 = (*new).to_owned();
                }
                Change::On(path) => {
                    url.set_path(&path.of(world));
                    continue;
                }
            }
            url.query_pairs_mut().clear().extend_pairs(pairs);
        }
        url
    }

    async fn deliver(&self, world: &World, browser: &Client, begun: &Begun, url: &Url) -> Answer {
        let other = world.browser(self.begins.other());
        let cookies = browser.cookies();
        let cookie = cookies.iter().find(|cookie| cookie.name.contains(begun.flow()));
        match self.to {
            To::Own => open(browser, url).await,
            To::Other => open(other, url).await,
            To::OtherWithFlow => {
                world.begin(other, self.begins.other()).await;
                open(other, url).await
            }
            To::Nobody => open(&world.app.anonymous(), url).await,
            To::Script => {
                let key: api::CreatedApiKey =
                    browser.post(api::API_KEYS, &json!({"name": "a test"})).await.expect(201).read();
                open(&Client::with_key(&world.app.url, &key.key), url).await
            }
            To::WithoutCookie => {
                browser.forget(|name| name.contains(begun.flow()));
                open(browser, url).await
            }
            To::PlantedAs(name) => {
                let cookie = cookie.expect("a flow has a cookie");
                let planted = name(&cookie.name);
                other.set_cookie(&planted, &cookie.value);
                let page = open(other, url).await;
                other.forget(|name| name == planted);
                page
            }
            To::CookieOf(which) => {
                let own = cookie.expect("a flow has a cookie");
                let value = match which {
                    Cookie::Sibling => {
                        let sibling = world.begin(browser, self.consents).await;
                        let cookies = browser.cookies();
                        let found = cookies.iter().find(|cookie| cookie.name.contains(sibling.flow()));
                        found.expect("a flow has a cookie").value.clone()
                    }
                    Cookie::Empty => String::new(),
                    Cookie::Twice => format!("{}; {}=another", own.value, own.name),
                    Cookie::FlowId => begun.flow().to_owned(),
                };
                let header = format!("{}={value}", own.name);
                let sent = world.app.anonymous();
                sent.bare(Method::GET, url.as_str()).header("cookie", &header).send().await
            }
            To::ByPost => {
                let body = url.query().unwrap_or_default().to_owned();
                let form = "application/x-www-form-urlencoded";
                browser.bare(Method::POST, url.path()).body(form, body).send().await
            }
            To::ByHead => browser.bare(Method::HEAD, url.as_str()).send().await,
            To::OtherCrossSite => {
                let sent = other.bare(Method::GET, url.as_str());
                sent.header("sec-fetch-site", "cross-site").header("sec-fetch-dest", "image").send().await
            }
            To::Host(host) => browser.bare(Method::GET, url.as_str()).host(host).send().await,
        }
    }
}

fn param(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

impl Path {
    fn of(self, world: &World) -> String {
        match self {
            Self::Demo => world.demo_path.clone(),
            Self::Evil => world.evil_path.clone(),
            Self::Idle => world.idle_path.clone(),
            Self::Changed(change) => change(&world.demo_path),
        }
    }
}

/// A start page that opens where it should not would lead the victim to the provider with the attacker's flow.
async fn start(world: &World, begins: Who, opened: Opened) -> Outcome {
    let browser = world.browser(begins);
    let connecting = connect_at(browser, "demo").await;
    let victim = world.browser(begins.other());
    let cookies = browser.cookies();
    let flow = connecting.redirect_url.rsplit('/').next().unwrap_or_default();
    let cookie = cookies.iter().find(|cookie| cookie.name.contains(flow)).expect("a flow has a cookie");
    let mut address = Url::parse(&connecting.redirect_url).expect("an address");
    for visitor in [victim, &world.app.anonymous()] {
        match opened {
            Opened::AsItIs => {}
            Opened::CookieInAddress => {
                address.query_pairs_mut().append_pair(&cookie.name, &cookie.value);
            }
            Opened::CookieOfAnother => {
                let own = connect_at(victim, "demo").await;
                let own = own.redirect_url.rsplit('/').next().unwrap_or_default().to_owned();
                let cookies = victim.cookies();
                let found = cookies.iter().find(|cookie| cookie.name.contains(&own));
                visitor.set_cookie(&cookie.name, &found.expect("a flow has a cookie").value);
            }
        }
        let page = open(visitor, &address).await;
        refused(&page);
        assert_eq!(page.header("set-cookie"), "", "a GET sets no cookie");
        assert!(!page.text.contains("/authorize"), "{page:?}");
        visitor.forget(|name| name == cookie.name);
    }
    (Vec::new(), 0)
}

async fn renewed_as_another(world: &World) -> Outcome {
    let begun = world.begin(&world.victim, Who::Victim).await;
    assert_eq!(open(&world.victim, &begun.callback).await.status, 200);
    let id = &begun.connecting.connection_id;
    let renew = world.victim.post("/api/v1/toolkits/demo/connections", &json!({"connectionId": id})).await;
    let renewed = world.consent(&world.victim, renew.expect(201).read(), Who::Attacker).await;
    let page = open(&world.victim, &renewed.callback).await;
    assert!(page.text.contains("another account"), "{page:?}");
    let waiting = world.connections(Who::Victim).await.into_iter().find(|one| one.id != *id);
    let waiting = waiting.expect("the user has to decide");
    let accept = world.attacker.post(&api::accept(&waiting.id), &json!({})).await;
    assert_eq!(accept.status, 404);
    (vec![(Who::Victim, Who::Victim.account().to_owned())], 1)
}

async fn renew_foreign(world: &World) -> Outcome {
    let begun = world.begin(&world.victim, Who::Victim).await;
    assert_eq!(open(&world.victim, &begun.callback).await.status, 200);
    let id = &begun.connecting.connection_id;
    let renew = world.attacker.post("/api/v1/toolkits/demo/connections", &json!({"connectionId": id})).await;
    assert_eq!(renew.problem(), (422, "invalid_params".into()));
    (vec![(Who::Victim, Who::Victim.account().to_owned())], 0)
}

async fn two_at_once(world: &World, begins: Who) -> Outcome {
    let browser = world.browser(begins);
    let begun = world.begin(browser, begins).await;
    let other = world.browser(begins.other());
    let pages = tokio::join!(open(browser, &begun.callback), open(other, &begun.callback));
    assert_eq!((pages.0.status.as_u16(), pages.1.status.as_u16()), (200, 400));
    (vec![(begins, begins.account().to_owned())], 0)
}

async fn crossed_tabs(world: &World) -> Outcome {
    let first = world.begin(&world.victim, Who::Victim).await;
    let second = world.begin(&world.victim, Who::Victim).await;
    for (flow, other) in [(&second, &first), (&first, &second)] {
        let mut crossed = flow.callback.clone();
        let pairs: Vec<(String, String)> = flow.callback.query_pairs().into_owned().collect();
        let code = param(&other.callback, "code");
        let pairs = pairs.into_iter().map(|(key, value)| match &*key {
            "code" => (key, code.clone()),
            _ => (key, value),
        });
        crossed.query_pairs_mut().clear().extend_pairs(pairs.collect::<Vec<_>>());
        refused(&open(&world.victim, &crossed).await);
    }
    // Both codes were tried, each with the other's verifier.
    (Vec::new(), 2)
}

/// The malicious toolkit's page sends the browser on to the honest provider, with everything of the honest toolkit
/// but the state, which is its own.
async fn bounced(world: &World, path: Path) -> Outcome {
    let evil = connect_at(&world.victim, "evil").await;
    let page = world.victim.bare(Method::GET, &evil.redirect_url).send().await.expect(200);
    let link = page.text.split("href=\"").find(|part| part.contains("/authorize?")).expect("the link");
    let link = link.split('"').next().unwrap_or_default().replace("&amp;", "&");
    let state = param(&Url::parse(&link).expect("an address"), "state");
    let honest = world.begin(&world.attacker, Who::Victim).await;
    let mut callback = honest.callback.clone();
    let pairs: Vec<(String, String)> = honest.callback.query_pairs().into_owned().collect();
    let pairs: Vec<_> = pairs
        .into_iter()
        .map(|(key, value)| if key == "state" { (key, state.clone()) } else { (key, value) })
        .collect();
    callback.query_pairs_mut().clear().extend_pairs(pairs);
    callback.set_path(&path.of(world));
    refused(&open(&world.victim, &callback).await);
    (Vec::new(), 0)
}
