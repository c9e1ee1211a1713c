//! What was done as the user, and by which plugin.

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::api::{self, Activities, Activity as Entry};

use super::{ForUsers, Page};
use crate::dates;
use crate::http::Request;
use crate::state::{Loadable, Tone, app, remote};
use crate::text;
use crate::ui::{Empty, Failure, Skeleton, badge, live, live_if};

/// The page.
#[component]
pub(crate) fn Activity() -> impl IntoView {
    view! {
        <Page title="Activity" lead="What was done in your accounts, and which plugin asked for it.">
            <ForUsers><List/></ForUsers>
        </Page>
    }
}

#[component]
fn List() -> impl IntoView {
    let app = app();
    let first = remote(app, api::ACTIVITY);
    let more = RwSignal::new(Vec::<Entry>::new());
    let cursor = RwSignal::new(None::<Option<String>>);
    let next = move || {
        cursor.get().unwrap_or_else(|| first.ready::<Activities>().and_then(|answer| answer.next_cursor))
    };
    let load_more = move |_| {
        let Some(from) = untrack(next) else { return };
        spawn_local(async move {
            let path = format!("{}?cursor={}", api::ACTIVITY, api::segment(&from));
            match Request::get(&path).read::<Activities>().await {
                Ok(answer) => {
                    // The page may have been left.
                    let _ = more.try_update(|more| more.extend(answer.entries));
                    let _ = cursor.try_set(Some(answer.next_cursor));
                }
                Err(error) => app.fail(&error),
            }
        });
    };
    live(move || match first.get::<Activities>() {
        Loadable::Loading => view! { <Skeleton rows=5/> }.into_any(),
        Loadable::Failed(error) => view! { <Failure error retry=move || first.reload()/> }.into_any(),
        Loadable::Ready(answer) if answer.entries.is_empty() => view! {
            <Empty glyph="icon i-activity" title="Nothing was done yet">
                "Run a tool in a plugin; what it did is written down here."
            </Empty>
        }
        .into_any(),
        Loadable::Ready(answer) => view! {
            <div class="table-box" tabindex="0" role="region" aria-label="Activity">
                <table>
                    <thead><tr>
                        <th scope="col">"When"</th><th scope="col">"What"</th>
                        <th scope="col">"By"</th><th scope="col">"Outcome"</th><th scope="col">"Took"</th>
                    </tr></thead>
                    <tbody>
                        {answer.entries.into_iter().map(row).collect_view()}
                        {live(move || more.get().into_iter().map(row).collect_view().into_any())}
                    </tbody>
                </table>
            </div>
            {live_if(move || next().is_some(), move || view! {
                <p><button type="button" class="button" on:click=load_more>"Show older"</button></p>
            }
            .into_any())}
        }
        .into_any(),
    })
}

fn row(entry: Entry) -> AnyView {
    let tone = if entry.outcome == "ok" { Tone::Success } else { Tone::Error };
    let outcome = match entry.upstream_status {
        Some(status) => format!("{} · {status}", entry.outcome),
        None => entry.outcome.clone(),
    };
    let by = entry.plugin.map_or_else(|| "you".into(), |plugin| text::shown(&plugin, text::NAME));
    view! {
        <tr>
            <td><time datetime=entry.at.clone()>{dates::shown(&entry.at)}</time></td>
            <td><code>{text::shown(&entry.action, text::NAME)}</code><span class="muted small">{entry.toolkit}</span></td>
            <td><bdi>{by}</bdi></td>
            <td>{badge(tone, outcome)}</td>
            <td class="number">{format!("{} ms", entry.duration_ms)}</td>
        </tr>
    }
    .into_any()
}
