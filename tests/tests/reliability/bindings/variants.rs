//! The variants, as data.

use super::attacks::{Attack, Before, Change, Cookie, Delivery, Is, Opened, Path, To, Variant};
use super::world::Who::{Attacker, Victim};

/// A flow of the victim, answered in its own browser.
const OWN: Delivery =
    Delivery { begins: Victim, consents: Victim, before: &[], change: &[], to: To::Own, tries: 0 };
/// A flow of the attacker to which the victim consents, answered in the victim's browser.
const FIXED: Delivery = Delivery { begins: Attacker, consents: Victim, to: To::Other, ..OWN };
/// A flow to which the attacker consents, answered in the victim's browser.
const LOGIN: Delivery = Delivery { consents: Attacker, ..FIXED };

const fn answer(name: &'static str, delivery: Delivery) -> Variant {
    Variant { name, attack: Attack::Answer(delivery) }
}

/// A changed answer in the right browser.
const fn changed(name: &'static str, change: &'static [Change]) -> Variant {
    answer(name, Delivery { change, ..OWN })
}

/// An answer in the right browser after something has happened.
const fn after(name: &'static str, before: &'static [Before]) -> Variant {
    answer(name, Delivery { before, ..OWN })
}

/// The answer to the attacker's flow somewhere else.
const fn fixed(name: &'static str, to: To) -> Variant {
    answer(name, Delivery { to, ..FIXED })
}

const fn login(name: &'static str, to: To) -> Variant {
    answer(name, Delivery { to, ..LOGIN })
}

const fn start(name: &'static str, opened: Opened) -> Variant {
    Variant { name, attack: Attack::Start(Attacker, opened) }
}

const fn land_on(name: &'static str, address: &'static str) -> Variant {
    Variant { name, attack: Attack::LandOn(address) }
}

const fn own(name: &'static str, to: To) -> Variant {
    answer(name, Delivery { to, ..OWN })
}

fn without_last(text: &str) -> String {
    text[..text.len() - 1].to_owned()
}

fn last_changed(text: &str) -> String {
    let last = if text.ends_with('A') { 'B' } else { 'A' };
    format!("{}{last}", without_last(text))
}

fn twice(text: &str) -> String {
    format!("{text}{text}")
}

/// All of them.
pub(crate) static VARIANTS: &[Variant] = &[
    // Fixation: the attacker begins, the victim consents.
    fixed("the victim is sent to the provider and signed in here", To::Other),
    fixed("the victim is sent to the provider and not signed in here", To::Nobody),
    fixed("the victim has a flow under way as well", To::OtherWithFlow),
    fixed(
        "the flow's cookie is planted without its prefix",
        To::PlantedAs(|name| name.replace("__Host-", "")),
    ),
    fixed("the flow's cookie is planted in lower case", To::PlantedAs(str::to_lowercase)),
    fixed(
        "the flow's cookie is planted with another prefix",
        To::PlantedAs(|name| name.replace("Host", "Secure")),
    ),
    fixed(
        "the flow's cookie is planted without the port",
        To::PlantedAs(|name| name.rsplit_once('-').map_or_else(String::new, |(name, _)| name.to_owned())),
    ),
    fixed("the answer is loaded by another site's page", To::OtherCrossSite),
    start("the victim opens the start page", Opened::AsItIs),
    start("the victim opens the start page with the cookie in the address", Opened::CookieInAddress),
    start("the victim opens the start page with the cookie of a flow of theirs", Opened::CookieOfAnother),
    Variant { name: "the attacker renews the victim's connection", attack: Attack::RenewForeign },
    // Fixation the other way round: the attacker consents, and the victim's browser brings the answer.
    login("the attacker's code and state in the victim's browser", To::Other),
    login("the attacker's code and state in the browser of nobody", To::Nobody),
    login("the attacker's code and state beside a flow of the victim", To::OtherWithFlow),
    login("the attacker's code and state loaded by another site's page", To::OtherCrossSite),
    login(
        "the attacker's answer with the cookie under another name",
        To::PlantedAs(|name| format!("x{name}")),
    ),
    Variant { name: "the attacker's account given to a renewal", attack: Attack::RenewedAsAnother },
    answer(
        "the attacker's code in the victim's flow",
        Delivery { change: &[Change::Set("code", Is::OfOther)], tries: 1, ..OWN },
    ),
    answer(
        "the attacker's state with the victim's code",
        Delivery { change: &[Change::Set("state", Is::OfOther)], ..OWN },
    ),
    answer("the victim's state in the attacker's browser", Delivery { to: To::Other, ..OWN }),
    answer(
        "the victim's code in the attacker's flow",
        Delivery {
            begins: Attacker,
            consents: Attacker,
            change: &[Change::Set("code", Is::OfOther)],
            tries: 1,
            ..OWN
        },
    ),
    // Mix-up: the answer of one provider comes as if it were another's.
    changed("the answer comes on the malicious toolkit's path", &[Change::On(Path::Evil)]),
    changed("the answer comes on the path of a toolkit without flows", &[Change::On(Path::Idle)]),
    changed("the path is in upper case", &[Change::On(Path::Changed(str::to_uppercase))]),
    changed("the path ends with a slash", &[Change::On(Path::Changed(|path| format!("{path}/")))]),
    changed("the path has one character less", &[Change::On(Path::Changed(without_last))]),
    changed("the path ends with another character", &[Change::On(Path::Changed(last_changed))]),
    changed("the path has a segment more", &[Change::On(Path::Changed(|path| format!("{path}/x")))]),
    changed("the path has an encoded slash", &[Change::On(Path::Changed(|path| format!("{path}%2f")))]),
    changed("the path has an encoded NUL", &[Change::On(Path::Changed(|path| format!("{path}%00")))]),
    changed("the path has no context", &[Change::On(Path::Changed(|_| "/oauth/callback/".into()))]),
    Variant {
        name: "the malicious toolkit bounces to the honest provider",
        attack: Attack::BouncedTo(Path::Demo),
    },
    Variant { name: "the same to a path without flows", attack: Attack::BouncedTo(Path::Idle) },
    changed("no issuer is named", &[Change::Without("iss")]),
    changed("another issuer is named", &[Change::Set("iss", Is::Text("https://evil.example"))]),
    changed("the issuer is empty", &[Change::Set("iss", Is::Text(""))]),
    changed("the issuer ends with a slash", &[Change::Set("iss", Is::Changed(|iss| format!("{iss}/")))]),
    changed("the issuer is in upper case", &[Change::Set("iss", Is::Changed(str::to_uppercase))]),
    changed(
        "the issuer is under https",
        &[Change::Set("iss", Is::Changed(|iss| iss.replace("http:", "https:")))],
    ),
    changed("the issuer has blanks around it", &[Change::Set("iss", Is::Changed(|iss| format!(" {iss} ")))]),
    changed(
        "the issuer has a user name",
        &[Change::Set("iss", Is::Changed(|iss| iss.replace("://", "://a@")))],
    ),
    // Replay.
    after("the answer comes again", &[Before::Finish]),
    answer(
        "the answer comes again in the other browser",
        Delivery { before: &[Before::Finish], to: To::Other, ..OWN },
    ),
    answer(
        "the answer comes again with another code",
        Delivery { before: &[Before::Finish], change: &[Change::Set("code", Is::OfSibling)], ..OWN },
    ),
    answer(
        "the spent code comes in another flow",
        Delivery {
            before: &[Before::Finish],
            change: &[Change::Set("state", Is::OfSibling)],
            tries: 1,
            ..OWN
        },
    ),
    after("the answer comes again after disconnecting", &[Before::FinishAndDisconnect]),
    after("the answer comes after the connection was removed", &[Before::Remove]),
    after("the answer comes eleven minutes later", &[Before::ElevenMinutes]),
    after("the answer comes after signing out", &[Before::SignOut]),
    after("the answer comes after signing out and in", &[Before::SignInAgain]),
    after("the answer comes after somebody else has signed in", &[Before::OtherSignsIn]),
    after("the answer comes after the session has ended", &[Before::SessionEnds]),
    after("the answer comes after the client has changed", &[Before::Disable]),
    Variant { name: "two answers at once", attack: Attack::TwoAtOnce(Victim) },
    Variant { name: "two answers at once to the attacker's flow", attack: Attack::TwoAtOnce(Attacker) },
    Variant { name: "two tabs with each other's code", attack: Attack::CrossedTabs },
    answer(
        "the code of another flow of the same browser",
        Delivery { change: &[Change::Set("code", Is::OfSibling)], tries: 1, ..OWN },
    ),
    // Pollution: parameters and cookies that come twice, under odd names or elsewhere.
    changed("the state comes twice", &[Change::Add("state", Is::Changed(str::to_owned))]),
    changed("the attacker's state comes second", &[Change::Add("state", Is::OfOther)]),
    changed("the attacker's state comes first", &[Change::AddBefore("state", Is::OfOther)]),
    changed("the code comes twice", &[Change::Add("code", Is::Changed(str::to_owned))]),
    changed("the attacker's code comes second", &[Change::Add("code", Is::OfOther)]),
    changed("the attacker's code comes first", &[Change::AddBefore("code", Is::OfOther)]),
    changed("another issuer comes second", &[Change::Add("iss", Is::Text("https://evil.example"))]),
    changed("another issuer comes first", &[Change::AddBefore("iss", Is::Text("https://evil.example"))]),
    changed(
        "an error comes twice",
        &[Change::Add("error", Is::Text("access_denied")), Change::Add("error", Is::Text("server_error"))],
    ),
    changed("the state is a list", &[Change::Rename("state", "state[]")]),
    changed("the state's name is in upper case", &[Change::Rename("state", "STATE")]),
    changed("the code is a list", &[Change::Rename("code", "code[0]")]),
    own("the flow's cookie is missing", To::WithoutCookie),
    own("the flow's cookie is another flow's", To::CookieOf(Cookie::Sibling)),
    own("the flow's cookie is empty", To::CookieOf(Cookie::Empty)),
    own("the flow's cookie comes twice", To::CookieOf(Cookie::Twice)),
    own("the flow's cookie is the flow's id", To::CookieOf(Cookie::FlowId)),
    // Forged answers.
    changed("no state", &[Change::Without("state")]),
    changed("an empty state", &[Change::Set("state", Is::Text(""))]),
    changed("a state with its last character changed", &[Change::Set("state", Is::Changed(last_changed))]),
    changed("a state without its last character", &[Change::Set("state", Is::Changed(without_last))]),
    changed("a state in upper case", &[Change::Set("state", Is::Changed(str::to_uppercase))]),
    changed("a state with a blank", &[Change::Set("state", Is::Changed(|state| format!("{state} ")))]),
    changed("a state with a NUL", &[Change::Set("state", Is::Changed(|state| format!("{state}\0")))]),
    changed("a state of twice the length", &[Change::Set("state", Is::Changed(twice))]),
    changed("a state of SQL", &[Change::Set("state", Is::Text("' or 1=1 --"))]),
    changed("no code", &[Change::Without("code")]),
    changed("a code and an error", &[Change::Add("error", Is::Text("server_error"))]),
    answer(
        "a made-up code",
        Delivery { change: &[Change::Set("code", Is::Text("made-up"))], tries: 1, ..OWN },
    ),
    land_on("the browser is to land on another site", "https://evil.example/"),
    land_on("the same without a scheme", "//evil.example"),
    land_on("the same behind a backslash", "/\\evil.example"),
    land_on("the same behind a dot", "/.//evil.example"),
    land_on("the same with our name as the user's", "http://localhost@evil.example/"),
    land_on("a script", "javascript:alert(1)"),
    land_on("another port of ours", "http://localhost:1/"),
    own("the answer by POST", To::ByPost),
    own("the answer by HEAD", To::ByHead),
    own("the answer to a script with the user's key", To::Script),
    own("the answer under the panels' name", To::Host("127.0.0.1")),
    own("the answer under a foreign name", To::Host("evil.example")),
];
