//! Hostile hosts, driven through the real binary on a machine whose every address is a canary. Cases G5, G6, G7, G14.
//!
//! The test starts itself once more in a network namespace of its own, where the kernel takes *every* address of IPv4
//! and IPv6 for this machine's. A listener on the port of https therefore hears each connection to anywhere, and the
//! address that was dialled is the accepted socket's own. A name server of the test answers the machine's resolver.
//! So a form that got through would be heard, and the control proves that: it dials the same forms without the guard.

mod canary;
mod dns;
mod forms;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use taiku_tests::{Answer, Client, Goal, Launch, Scale, TestApp, figure};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use self::canary::Canary;
use self::forms::{Form, OWN};

/// Set in the namespace.
const INSIDE: &str = "TAIKU_TEST_ALONE_ON_THE_NET";
/// What `docs/reliability.md` asks for.
const GOAL: usize = 300;

/// Makes every address this machine's, without giving each one a source of its own, which would make it look like an
/// address that the machine was given; [`OWN`] are such.
fn script() -> String {
    let own: String = OWN.iter().map(|ip| format!("ip addr add {ip} dev lo nodad\n")).collect();
    format!(
        "set -e
        ip link set lo up
        ip route add local 0.0.0.0/0 dev lo src 127.0.0.1
        ip -6 route add local ::/0 dev lo src ::1
        {own}
        exec \"$@\""
    )
}

#[test]
fn no_hostile_form_of_a_host_is_connected_to() {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        return runtime.expect("threads can be started").block_on(inside());
    }
    let mut again = Command::new("unshare");
    again.args(["--user", "--map-root-user", "--net", "sh", "-c", &script(), "sh"]);
    again.arg(std::env::current_exe().expect("a test knows its own file"));
    again
        .args(["--exact", "ssrf::no_hostile_form_of_a_host_is_connected_to", "--nocapture"])
        .env(INSIDE, "1");
    let out = again.output().expect("unshare (of util-linux) and ip (of iproute2) are installed");
    print!("{}", String::from_utf8_lossy(&out.stdout));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

async fn inside() {
    let names = dns::serve().await;
    let canary = Canary::start().await;
    let all: Vec<Form> = forms::all(&names).into_iter().step_by(step()).collect();
    let attack = Attack::start().await;

    // The road is open: a public host is dialled, at exactly the address that its name has.
    for form in forms::honest(&names) {
        attack.by_setting(&form.url()).await;
        assert_eq!(canary.heard().await, BTreeSet::from([form.reaches]), "{}", form.host);
    }
    let mut connects = Vec::new();
    for form in &all {
        names.forget_questions();
        attack.by_setting(&form.url()).await;
        note(&mut connects, form, "setting", canary.heard().await);
        names.forget_questions();
        attack.by_plugin(&form.url()).await;
        note(&mut connects, form, "plugin", canary.heard().await);
    }
    let redirects = forms::redirects(&all);
    let provider = attack.provider.clone();
    for form in &redirects {
        provider.redirects_to(&form.url());
        attack.by_redirect().await;
        note(&mut connects, form, "redirect", canary.heard().await);
    }
    assert_eq!(provider.asked(), redirects.len(), "each redirect was handed out");

    let mut live = 0;
    for form in &all {
        names.forget_questions();
        if dialled_without_guard(&form.url(), &canary).await {
            live += 1;
        }
    }
    // Each form goes two roads, and some a third.
    connects.iter().for_each(|connect| println!("connected to: {connect}"));
    println!("{} forms, {live} of them proven live, and {} redirects", all.len(), redirects.len());
    figure(
        "hostile forms of a host, proven live, that were tried",
        "-",
        live as f64,
        "",
        Goal::AtLeast(GOAL as f64),
    );
    figure("SSRF connects", "-", connects.len() as f64, "", Goal::Exactly(0.0));
}

/// Every form where there is time for it, and every third otherwise: 3 is prime to the number of notations, so each
/// notation and each address is among them.
fn step() -> usize {
    Scale::now().pick(3, 1)
}

/// Keeps what was dialled and may not be.
fn note(connects: &mut Vec<String>, form: &Form, road: &str, heard: BTreeSet<IpAddr>) {
    for ip in heard.into_iter().filter(|ip| !form.may_reach(*ip)) {
        connects.push(format!("{road} {}: {ip}", form.host));
    }
}

/// Whether the same URL, looked up again and again, leads to the canary when nobody vets it.
async fn dialled_without_guard(url: &str, canary: &Canary) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return false };
    let host = host.trim_matches(['[', ']']).to_owned();
    for _ in 0..2 {
        let found = tokio::net::lookup_host((host.as_str(), port)).await;
        for address in found.into_iter().flatten() {
            let _ = timeout(Duration::from_secs(2), TcpStream::connect(address)).await;
        }
    }
    !canary.heard().await.is_empty()
}

/// The roads by which somebody's URL reaches the broker's outbound client.
struct Attack {
    app: TestApp,
    admin: Client,
    /// A broker that may reach the provider below, which is on loopback.
    lenient: TestApp,
    lenient_admin: Client,
    provider: canary::Redirector,
    _toolkits: TempDir,
}

const TOOLKIT: &str = "/api/v1/admin/toolkits/target";
const TOOL: &str = "/api/v1/toolkits/target/tools/TARGET_READ";

impl Attack {
    async fn start() -> Self {
        let toolkits = toolkit();
        let provider = canary::Redirector::start().await;
        let app = launch(&toolkits).env("TAIKU_ALLOW_LOOPBACK_HTTP", "false").start().await;
        let lenient = launch(&toolkits).start().await;
        let (admin, lenient_admin) = (app.ada().await, lenient.ada().await);
        let pointed = json!({ "enabled": true, "settings": { "TARGET_URL": provider.url() } });
        let _ = lenient_admin.put(TOOLKIT, &pointed).await.expect(200);
        let allowed = json!({ "enabled": true });
        let _ = admin.put(TOOLKIT, &allowed).await.expect(200);
        Self { app, admin, lenient, lenient_admin, provider, _toolkits: toolkits }
    }

    /// An admin points a toolkit at a host, and a user runs its tool.
    async fn by_setting(&self, url: &str) {
        let set = self.admin.put(TOOLKIT, &json!({ "settings": { "TARGET_URL": url } })).await;
        if set.status == 200 {
            stopped_at_the_guard(&self.admin.post(TOOL, &json!({ "arguments": {} })).await);
        } else {
            assert_eq!(set.problem(), (422, "invalid_params".into()), "{url}");
        }
    }

    /// Somebody installs a plugin from there.
    async fn by_plugin(&self, url: &str) {
        let body = json!({ "url": format!("{url}/plugin.json") });
        stopped_at_the_guard(&self.admin.post("/api/v1/admin/plugins", &body).await);
    }

    /// A provider sends the broker there.
    async fn by_redirect(&self) {
        let answer = self.lenient_admin.post(TOOL, &json!({ "arguments": {} })).await;
        assert_eq!(answer.upstream(), Some(302), "{answer:?}");
        assert_eq!(answer.header("location"), "", "a provider's redirect is not handed on");
        let _ = (&self.app, &self.lenient);
    }
}

/// A request that some other limit kept back would prove nothing.
fn stopped_at_the_guard(answer: &Answer) {
    let (status, code) = answer.problem();
    let expected = ["upstream_unreachable", "plugin_unreachable", "invalid_params"];
    assert!(expected.contains(&code.as_str()), "{status} {code}: {answer:?}");
}

fn launch(toolkits: &TempDir) -> Launch {
    TestApp::launch().env("TAIKU_TOOLKIT_DIRS", &toolkits.path().display().to_string())
}

/// A toolkit of one tool whose address is a setting.
fn toolkit() -> TempDir {
    let folder = TempDir::new().expect("a folder can be made");
    let target = folder.path().join("target");
    std::fs::create_dir(&target).expect("a folder can be made");
    let toml = r#"
        name = "Target"
        description = "Whatever its setting points at"
        [[settings]]
        key = "TARGET_URL"
        description = "Where it is"
        default = "https://example.com"
        [auth]
        mode = "none"
        [api]
        base_url = "{TARGET_URL}"
        [tools]
        openapi = "openapi.json"
    "#;
    let openapi = json!({
        "openapi": "3.1.0",
        "info": { "title": "Target", "version": "1" },
        "paths": { "/": { "get": { "summary": "Read", "responses": {} } } },
    });
    std::fs::write(target.join("toolkit.toml"), toml).expect("a file can be written");
    std::fs::write(target.join("openapi.json"), openapi.to_string()).expect("a file can be written");
    folder
}
