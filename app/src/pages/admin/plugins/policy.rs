//! What holds for plugins of which nothing was said, what members may install, and further registries.

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::api::{self, Members, PluginPolicy, PluginPolicyBody, PolicyMode};
use web_sys::SubmitEvent;

use crate::http::{self, HttpError, Request};
use crate::state::{Loadable, Remote, Tone, app, remote};
use crate::ui::{Failure, Skeleton, live, live_text};

const MODES: &[(&str, &str)] =
    &[("open", "Every plugin that is not blocked"), ("listed", "Only plugins that are marked as allowed")];
const MEMBERS: &[(&str, &str)] = &[
    ("nothing", "Nothing"),
    ("registries", "What the registries below offer"),
    ("anything", "Files and addresses, too"),
];

/// The part of the page.
#[component]
pub(super) fn Policy() -> impl IntoView {
    let policy = remote(app(), api::ADMIN_PLUGIN_POLICY);
    view! {
        <section class="card" aria-labelledby="policy">
            <h2 id="policy">"Policy"</h2>
            {live(move || match policy.get::<PluginPolicy>() {
                Loadable::Loading => view! { <Skeleton rows=2/> }.into_any(),
                Loadable::Failed(error) => view! { <Failure error retry=move || policy.reload()/> }.into_any(),
                Loadable::Ready(known) => view! { <Edit known policy/> }.into_any(),
            })}
        </section>
    }
}

#[component]
fn Edit(known: PluginPolicy, policy: Remote) -> impl IntoView {
    let app = app();
    let mode = RwSignal::new(known.mode.as_str().to_owned());
    let members = RwSignal::new(known.members.as_str().to_owned());
    let registries = RwSignal::new(known.registries.join("\n"));
    let error = RwSignal::new(None::<HttpError>);
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        let body = PluginPolicyBody {
            mode: PolicyMode::parse(&mode.get_untracked()),
            members: Members::parse(&members.get_untracked()),
            registries: Some(registries.get_untracked().split_whitespace().map(str::to_owned).collect()),
        };
        spawn_local(async move {
            match Request::put(api::ADMIN_PLUGIN_POLICY, http::json(&body)).json().await {
                Ok(saved) => {
                    app.toast(Tone::Success, "The policy is saved.");
                    policy.put(saved);
                    app.load_plugins();
                }
                Err(refused) => {
                    app.notice_expiry(&refused);
                    let _ = error.try_set(Some(refused));
                }
            }
        });
    };
    view! {
        <form class="stack" aria-label="Policy" novalidate=true on:submit=save>
            <Choices legend="Users may use" name="mode" choices=MODES value=mode/>
            <Choices legend="Members may install" name="members" choices=MEMBERS value=members/>
            <div class="field">
                <label for="registries">"Further registries"</label>
                <p class="hint" id="registries-hint">"One address of a registry's list per line."</p>
                <textarea
                    id="registries"
                    rows="3"
                    spellcheck="false"
                    aria-describedby="registries-hint registries-error"
                    prop:value=move || registries.get()
                    on:input:target=move |event| registries.set(event.target().value())
                ></textarea>
                <p class="error" id="registries-error" role="alert">
                    {live_text(move || error.get().map(|error| error.sentence()).unwrap_or_default())}
                </p>
            </div>
            <div class="form-foot"><button type="submit" class="button primary">"Save the policy"</button></div>
        </form>
    }
}

#[component]
fn Choices(
    legend: &'static str,
    name: &'static str,
    choices: &'static [(&'static str, &'static str)],
    value: RwSignal<String>,
) -> impl IntoView {
    let choice = |(word, shown): &'static (&'static str, &'static str)| {
        view! {
            <label class="choice">
                <input type="radio" name=name value=*word checked=value.get_untracked() == *word
                    on:change=move |_| value.set((*word).to_owned())/>
                <span>{*shown}</span>
            </label>
        }
    };
    view! {
        <fieldset class="choices">
            <legend>{legend}</legend>
            {choices.iter().map(choice).collect_view()}
        </fieldset>
    }
}
