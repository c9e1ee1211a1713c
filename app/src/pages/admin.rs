//! What admins do: enable toolkits, install plugins.

mod form;
mod plugins;
mod revocations;
mod toolkit;

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use taiku_bridge::api::{self, AdminToolkit, AdminToolkits};

use super::plugins::Failures;
use super::{ForAdmins, Page};
use crate::state::{Loadable, app, remote};
use crate::text;
use crate::ui::{Empty, Failure, Field, Skeleton, ToolkitMark, effect, live, switch_badge};
pub(crate) use plugins::AdminPluginsPage;
pub(crate) use toolkit::AdminToolkitPage;

/// `/admin` is not a page yet.
#[component]
pub(crate) fn AdminHome() -> impl IntoView {
    let navigate = use_navigate();
    effect(move || {
        navigate("/admin/integrations", NavigateOptions { replace: true, ..Default::default() });
    });
}

/// Every toolkit.
#[component]
pub(crate) fn AdminIntegrations() -> impl IntoView {
    view! {
        <Page title="Integrations" lead="Services that users of this server may connect. Each needs an OAuth client that you register there.">
            <AdminTabs/>
            <ForAdmins><List/></ForAdmins>
        </Page>
    }
}

/// The pages of admins: address and name.
const TABS: [(&str, &str); 2] = [("/admin/integrations", "Integrations"), ("/admin/plugins", "Plugins")];

/// Leads from one page of admins to the others.
#[component]
fn AdminTabs() -> impl IntoView {
    let here = use_location().pathname.get_untracked();
    let tabs = TABS.map(|(href, name)| {
        view! { <li><a href=href aria-current=(here == href).then_some("page")>{name}</a></li> }
    });
    view! { <nav class="sections" aria-label="Administration"><ul>{tabs.collect_view()}</ul></nav> }
}

#[component]
fn List() -> impl IntoView {
    let app = app();
    let toolkits = remote(app, api::ADMIN_TOOLKITS);
    live(move || {
        match toolkits.get::<AdminToolkits>() {
        Loadable::Loading => view! { <Skeleton rows=3/> }.into_any(),
        Loadable::Failed(error) => view! { <Failure error retry=move || toolkits.reload()/> }.into_any(),
        Loadable::Ready(answer) if answer.toolkits.is_empty() && answer.failed.is_empty() => view! {
            <Empty glyph="icon i-link" title="No toolkits">"Put a toolkit folder into a folder of TAIKU_TOOLKIT_DIRS."</Empty>
        }
        .into_any(),
        Loadable::Ready(answer) => {
            let failed = answer.failed;
            view! {
                <Groups toolkits=answer.toolkits/>
                {(!failed.is_empty()).then(|| view! { <Failures failed/> })}
            }
            .into_any()
        }
    }
    })
}

/// The toolkits that fit a search: those that are on first, then the others by what they are for.
#[component]
fn Groups(toolkits: Vec<AdminToolkit>) -> impl IntoView {
    let search = RwSignal::new(String::new());
    let hint = format!("{} services, by name, purpose or words of the description.", toolkits.len());
    let found = move || {
        let wanted = search.get().to_lowercase();
        let found: Vec<&AdminToolkit> = toolkits.iter().filter(|toolkit| fits(toolkit, &wanted)).collect();
        if found.is_empty() {
            return view! {
                <Empty glyph="icon i-link" title="Nothing found">"No service here is called so. A toolkit folder can describe it."</Empty>
            }
            .into_any();
        }
        grouped(found)
            .into_iter()
            .map(|(title, members)| view! { <Group title members/> })
            .collect_view()
            .into_any()
    };
    view! {
        <Field id="search-integrations" label="Search" kind="search" hint=hint value=search/>
        {live(found)}
    }
}

#[component]
fn Group(title: String, members: Vec<AdminToolkit>) -> impl IntoView {
    let title = text::shown(&title, text::NAME);
    let label = title.clone();
    view! {
        <section class="stack group" aria-label=label>
            <h2><bdi>{title}</bdi>{format!(" ({})", members.len())}</h2>
            <ul class="list">{members.into_iter().map(|toolkit| view! { <Row toolkit/> }).collect_view()}</ul>
        </section>
    }
}

/// Whether every word of a search is somewhere in what is known of a toolkit.
fn fits(toolkit: &AdminToolkit, wanted: &str) -> bool {
    let known = [toolkit.slug.as_str(), &toolkit.name, &toolkit.description, &toolkit.categories.join(" ")];
    let known = known.join(" ").to_lowercase();
    wanted.split_whitespace().all(|word| known.contains(word))
}

fn grouped(toolkits: Vec<&AdminToolkit>) -> Vec<(String, Vec<AdminToolkit>)> {
    let mut groups: BTreeMap<(u8, String), Vec<AdminToolkit>> = BTreeMap::new();
    for toolkit in toolkits {
        groups.entry(group(toolkit)).or_default().push(toolkit.clone());
    }
    groups.into_iter().map(|((_, title), members)| (title, members)).collect()
}

/// The place and title of a toolkit's group.
fn group(toolkit: &AdminToolkit) -> (u8, String) {
    match toolkit.categories.first() {
        _ if toolkit.enabled => (0, "Switched on".to_owned()),
        Some(category) => (1, capitalised(&category.replace('-', " "))),
        None => (2, "Others".to_owned()),
    }
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

#[component]
fn Row(toolkit: AdminToolkit) -> impl IntoView {
    let name = text::shown(&toolkit.name, text::NAME);
    view! {
        <li class="card row">
            <ToolkitMark slug=toolkit.slug.to_string()/>
            <div class="grow">
                <h3><bdi>{name.clone()}</bdi></h3>
                <p class="muted small">
                    <bdi>{text::shown(&toolkit.description, 160)}</bdi>
                    " · "{text::counted(toolkit.tool_count, "tool")}
                </p>
            </div>
            {switch_badge(toolkit.enabled)}
            <a
                href=format!("/admin/integrations/{}", toolkit.slug)
                class="button"
                aria-label=format!("Configure {name}")
            >
                "Configure"
            </a>
        </li>
    }
}
