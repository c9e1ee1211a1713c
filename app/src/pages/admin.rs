//! What admins do: enable toolkits, install plugins.

mod form;
mod plugins;
mod toolkit;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use taiku_bridge::api::{self, AdminToolkit, AdminToolkits};

use super::plugins::Failures;
use super::{ForAdmins, Page};
use crate::state::{Loadable, app, remote};
use crate::text;
use crate::ui::{Empty, Failure, Skeleton, ToolkitMark, effect, live, switch_badge};
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
    view! { <nav class="tabs" aria-label="Administration"><ul>{tabs.collect_view()}</ul></nav> }
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
            let rows = answer.toolkits.into_iter().map(|toolkit| view! { <Row toolkit/> });
            view! {
                <ul class="list">{rows.collect_view()}</ul>
                {(!failed.is_empty()).then(|| view! { <Failures failed/> })}
            }
            .into_any()
        }
    }
    })
}

#[component]
fn Row(toolkit: AdminToolkit) -> impl IntoView {
    let name = text::shown(&toolkit.name, text::NAME);
    view! {
        <li class="card row">
            <ToolkitMark slug=toolkit.slug.to_string()/>
            <div class="grow">
                <h2><bdi>{name.clone()}</bdi></h2>
                <p class="muted small">
                    <bdi>{text::shown(&toolkit.description, 160)}</bdi>
                    {format!(" · {} tools", toolkit.tool_count)}
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
