//! Asks the user what a plugin may do. What is shown is what is enforced.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use taiku_bridge::api::{self, OWN_PUBLISHER, Plugin, Source, Wishes};
use taiku_bridge::permission::Risk;
use taiku_bridge::{Code, Permission};
use wasm_bindgen::{JsCast, JsValue};

use crate::http::{HttpError, Request};
use crate::part::{self, part};
use crate::state::{App, Tone, app};
use crate::text;
use crate::ui::{Dialog, PluginIcon, live, live_text};

/// How long the button that allows stays off, in milliseconds: nobody clicks what has just appeared by accident.
const ARM_MS: u64 = 500;

/// A question to the user.
#[derive(Clone)]
pub(crate) struct Consent {
    /// The plugin that asks.
    pub(crate) plugin: Arc<Plugin>,
    /// The panel to open afterwards; none when the plugin is open already.
    pub(crate) panel: Option<String>,
}

/// The dialog, while there is a question.
#[component]
pub(crate) fn ConsentDialog() -> impl IntoView {
    let app = app();
    live(move || match app.consent.get() {
        Some(consent) => part::show(question, consent),
        None => ().into_any(),
    })
}

part! {
    /// The question itself.
    fn question() -> pages, Consent => draw
}

fn draw(consent: Consent) -> AnyView {
    view! { <Question consent/> }.into_any()
}

#[component]
fn Question(consent: Consent) -> impl IntoView {
    let app = app();
    let plugin = consent.plugin.clone();
    let change = plugin.change.clone();
    let error = RwSignal::new(None::<HttpError>);
    let (armed, busy) = (RwSignal::new(false), RwSignal::new(false));
    let arm = move || {
        // The dialog may be gone by then.
        let _ = armed.try_set(true);
    };
    // From when the dialog is drawn: a page that is busy may show it late.
    request_animation_frame(move || set_timeout(arm, Duration::from_millis(ARM_MS)));
    let cancel = cancelling(app, consent.panel.is_some());
    let cancelled = cancel.clone();
    let asked = plugin.clone();
    let allow = move |_| {
        if armed.get_untracked() && !busy.get_untracked() {
            busy.set(true);
            spawn_local(allowed(app, consent.clone(), error, busy));
        }
    };
    let updated = plugin.grant.is_some();
    let name = text::shown(&plugin.name, text::NAME);
    let name = if name.is_empty() { plugin.id.to_string() } else { name };
    let sealed = closes_every_way_out();
    let title = if updated { "Allow what is new?" } else { "Allow this plugin?" };
    let body = match change {
        Some(change) if updated => {
            view! { <Changes plugin=plugin.clone() added=change.added removed=change.removed/> }.into_any()
        }
        Some(_) | None => view! { <Everything plugin=plugin.clone()/> }.into_any(),
    };
    view! {
        <Dialog title=title class="consent" on_cancel=move || cancelled()>
            <div class="consent-who">
                <PluginIcon plugin=asked.clone()/>
                <div>
                    <p class="consent-name"><bdi>{name}</bdi></p>
                    <p class="small"><bdi>{publisher(&asked)}</bdi></p>
                    <p class="muted small wrap"><bdi>{asked.id.to_string()}</bdi></p>
                    <p class="muted small">"Version "<bdi>{asked.version.clone()}</bdi>{author(&asked)}</p>
                </div>
            </div>
            <div class="consent-list" tabindex="0" role="region" aria-label="What it asks for">
                {(!sealed).then(|| view! { <Reach sealed/> })}
                {body}
                {sealed.then(|| view! { <Reach sealed/> })}
            </div>
            <p class="error" role="alert">{live_text(move || error.get().map(|error| error.sentence()).unwrap_or_default())}</p>
            <div class="dialog-foot">
                <button type="button" class="button" on:click=move |_| cancel()>
                    {if updated { "Not now" } else { "Cancel" }}
                </button>
                <button
                    type="button"
                    class="button primary"
                    disabled=move || !armed.get() || busy.get()
                    on:click=allow
                >
                    "Allow"
                </button>
            </div>
        </Dialog>
    }
}

/// Who publishes a plugin, as far as this server knows: nothing of it is the author's own word.
pub(crate) fn publisher(plugin: &Plugin) -> String {
    let publisher = text::shown(&plugin.publisher, text::NAME);
    match plugin.source {
        Source::Registry if plugin.publisher == OWN_PUBLISHER => "Shipped with this server".into(),
        Source::Registry => format!("From the registry {publisher}"),
        Source::Folder => "From a folder of this server".into(),
        Source::Url => format!("From {publisher}"),
        Source::File => format!("Uploaded by {publisher}"),
        Source::Trial => "Tried out by you; nobody else sees it".into(),
    }
}

/// What a panel reaches beside what is listed: nothing, as far as this browser can hold it.
#[component]
fn Reach(sealed: bool) -> impl IntoView {
    let (class, glyph) = if sealed { ("banner", "icon i-shield") } else { ("banner warn", "icon i-alert") };
    let sentence = if sealed {
        "Its panels reach nothing on the network. All that they can use is listed here."
    } else {
        "Its panels reach nothing on the network but for one gap: this browser cannot keep a panel from opening a \
         direct (WebRTC) connection and sending away what it sees."
    };
    view! {
        <h3>"Network"</h3>
        <div class=class><i class=glyph aria-hidden="true"></i><p>{sentence}</p></div>
    }
}

/// The first Chromium that was seen to obey `Connection-Allowlist`. No other engine has it, and no script can ask.
const SEALING_CHROMIUM: f64 = 156.0;

fn closes_every_way_out() -> bool {
    let get = |value: &JsValue, name: &str| js_sys::Reflect::get(value, &name.into()).unwrap_or_default();
    let brands = get(&get(&window().navigator(), "userAgentData"), "brands");
    let Ok(brands) = brands.dyn_into::<js_sys::Array>() else { return false };
    brands.iter().any(|brand| {
        let version = get(&brand, "version").as_string().and_then(|version| version.parse::<f64>().ok());
        get(&brand, "brand").as_string().as_deref() == Some("Chromium")
            && version.is_some_and(|version| version >= SEALING_CHROMIUM)
    })
}

fn author(plugin: &Plugin) -> Option<impl IntoView + use<>> {
    let author = text::shown(plugin.manifest.author.as_ref()?, text::NAME);
    Some(view! { " · says it is by "<bdi>{author}</bdi> })
}

/// Takes the question away; the address goes back to the workspace when it named the panel.
fn cancelling(app: App, leave: bool) -> impl Fn() + Clone {
    let navigate = use_navigate();
    let path = use_location().pathname;
    move || {
        app.consent.set(None);
        if leave && path.get_untracked().starts_with("/panel/") {
            navigate("/", NavigateOptions { replace: true, ..Default::default() });
        }
    }
}

async fn allowed(app: App, consent: Consent, error: RwSignal<Option<HttpError>>, busy: RwSignal<bool>) {
    let plugin = consent.plugin;
    match app.allow(&plugin).await {
        Ok(()) => {
            app.consent.set(None);
            let name = text::shown(&plugin.name, text::NAME);
            app.toast(Tone::Success, format!("{name} may now do what you allowed."));
            if let Some(panel) = consent.panel
                && let Err(sentence) = app.open_panel(plugin.id.as_str(), &panel)
            {
                app.toast(Tone::Error, sentence);
            }
        }
        Err(refused) if refused.code() == Some(Code::Conflict) => {
            app.toast(Tone::Error, refused.sentence());
            ask_again(app, &plugin, consent.panel).await;
        }
        Err(refused) => {
            app.notice_expiry(&refused);
            // The dialog may have been closed meanwhile.
            let _ = error.try_set(Some(refused));
            let _ = busy.try_set(false);
        }
    }
}

/// What was looked at is not what is there: shows the plugin as it is now.
async fn ask_again(app: App, plugin: &Plugin, panel: Option<String>) {
    app.load_plugins();
    let now = Request::get(&api::plugin(&plugin.id)).read::<Plugin>().await.ok();
    app.consent.set(now.map(|plugin| Consent { plugin: Arc::new(plugin), panel }));
}

#[component]
fn Everything(plugin: Arc<Plugin>) -> impl IntoView {
    let mut permissions: Vec<Permission> = plugin.manifest.known_permissions().collect();
    by_risk(&mut permissions);
    let toolkits: Vec<String> = plugin.manifest.integrations.iter().map(ToString::to_string).collect();
    let nothing = permissions.is_empty() && toolkits.is_empty();
    view! {
        {nothing.then(|| view! { <p>"It asks for nothing: it only shows its panel."</p> })}
        {(!permissions.is_empty()).then(|| view! {
            <h3>"It will be able to"</h3>
            <PermissionList permissions/>
        })}
        {(!toolkits.is_empty()).then(|| view! {
            <h3>"In accounts you connect at"</h3>
            <ToolkitList toolkits/>
        })}
        <Unsupported plugin/>
    }
}

/// Names that this host does not have. They are never granted.
#[component]
fn Unsupported(plugin: Arc<Plugin>) -> impl IntoView {
    let unsupported: Vec<String> =
        plugin.manifest.unsupported_permissions().map(|name| text::shown(name, text::NAME)).collect();
    (!unsupported.is_empty()).then(|| {
        view! {
            <h3>"It also asks for"</h3>
            <ul class="wishes">
                {unsupported.into_iter().map(|name| view! {
                    <li class="wish unsupported">
                        <code><bdi>{name}</bdi></code>
                        <span class="muted">"not supported by this host"</span>
                    </li>
                }).collect_view()}
            </ul>
        }
    })
}

#[component]
fn Changes(plugin: Arc<Plugin>, added: Wishes, removed: Wishes) -> impl IntoView {
    let some = |wishes: &Wishes| !wishes.permissions.is_empty() || !wishes.integrations.is_empty();
    let (is_added, is_removed) = (some(&added), some(&removed));
    let before = plugin.grant.as_ref().map(|stored| stored.version.clone()).unwrap_or_default();
    view! {
        <p>
            "You allowed version "<bdi>{before}</bdi>". Version "<bdi>{plugin.version.clone()}</bdi>
            " asks for something else. Until you allow it, what you allowed before holds for the new version too."
        </p>
        {is_added.then(|| view! { <h3>"Added"</h3><div class="added"><WishList wishes=added/></div> })}
        {is_removed.then(|| view! { <h3>"Removed"</h3><div class="removed"><WishList wishes=removed/></div> })}
        <Unsupported plugin/>
    }
}

#[component]
fn WishList(wishes: Wishes) -> impl IntoView {
    let toolkits: Vec<String> = wishes.integrations.iter().map(ToString::to_string).collect();
    view! {
        {(!wishes.permissions.is_empty()).then(|| view! { <PermissionList permissions=wishes.permissions/> })}
        {(!toolkits.is_empty()).then(|| view! { <ToolkitList toolkits/> })}
    }
}

/// Brings the permissions that can do most harm to the front. The lists are short, and the standard library's
/// sort would weigh more than this page's consent.
pub(crate) fn by_risk(permissions: &mut Vec<Permission>) {
    let all = std::mem::take(permissions);
    for risk in [Risk::High, Risk::Medium, Risk::Low] {
        permissions.extend(all.iter().filter(|permission| permission.risk() == risk));
    }
}

/// Permissions, each with its sentence and how much harm it can do.
#[component]
pub(crate) fn PermissionList(permissions: Vec<Permission>) -> impl IntoView {
    let items = permissions.into_iter().map(|permission| {
        let class = match permission.risk() {
            Risk::Low => "risk low",
            Risk::Medium => "risk medium",
            Risk::High => "risk high",
        };
        view! {
            <li class="wish">
                <span class=class>{permission.risk().as_str()}" risk"</span>
                <span class="wish-text">
                    {permission.sentence()}
                    <code>{permission.as_str()}</code>
                </span>
            </li>
        }
    });
    view! { <ul class="wishes">{items.collect_view()}</ul> }
}

#[component]
fn ToolkitList(toolkits: Vec<String>) -> impl IntoView {
    let items = toolkits.into_iter().map(|slug| {
        view! { <li class="chip"><i class="icon i-link" aria-hidden="true"></i>{slug}</li> }
    });
    view! { <ul class="chips">{items.collect_view()}</ul> }
}
