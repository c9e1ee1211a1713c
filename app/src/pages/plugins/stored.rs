//! What a plugin stores for the user, and deleting it.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::api::{self, Items, Plugin};
use taiku_bridge::call::Shelf;

use crate::http::{HttpError, Request};
use crate::state::{App, Loadable, Question, Remote, Tone, app, remote};
use crate::text;
use crate::ui::{Failure, Skeleton, live, live_if};

/// What a plugin keeps for a user, in the order in which it is shown.
const SHELVES: [Shelf; 2] = [Shelf::UserData, Shelf::Files];

/// What a plugin stores, loaded when it is looked at.
#[component]
pub(super) fn Stored(plugin: Arc<Plugin>) -> impl IntoView {
    let looked = RwSignal::new(false);
    view! {
        <details on:toggle=move |_| looked.set(true)>
            <summary>"What it stores for you"</summary>
            {live_if(move || looked.get(), move || view! { <Shelves plugin=plugin.clone()/> }.into_any())}
        </details>
    }
}

#[component]
fn Shelves(plugin: Arc<Plugin>) -> impl IntoView {
    let app = app();
    let [values, files] = SHELVES.map(|shelf| remote(app, api::shelf(&plugin.id, shelf)));
    live(move || match (values.get::<Items>(), files.get::<Items>()) {
        (Loadable::Ready(values_now), Loadable::Ready(files_now)) => {
            let (kept, used) = (names(values_now), names(files_now));
            let is_empty = kept.names.is_empty() && used.names.is_empty();
            let plugin = plugin.clone();
            let delete = move |_| ask(app, &plugin, [values, files]);
            view! {
                {is_empty.then(|| view! { <p class="muted">"Nothing."</p> })}
                {list("Values", kept)}
                {list("Files", used)}
                {(!is_empty).then(|| view! {
                    <div class="actions">
                        <button type="button" class="button" on:click=delete>"Delete all"</button>
                    </div>
                })}
            }
            .into_any()
        }
        (Loadable::Failed(error), _) | (_, Loadable::Failed(error)) => {
            let retry = move || [values, files].iter().for_each(|shelf| shelf.reload());
            view! { <Failure error retry/> }.into_any()
        }
        (Loadable::Loading, _) | (_, Loadable::Loading) => view! { <Skeleton rows=1/> }.into_any(),
    })
}

/// What lies on a shelf, as it is shown.
struct Names {
    names: Vec<String>,
    more: bool,
    used: i64,
}

fn names(items: Items) -> Names {
    let shown = |name: &str| text::shown(name, text::NAME);
    match items {
        Items::Keys { keys, next_cursor, used_bytes, .. } => Names {
            names: keys.iter().map(|key| shown(key)).collect(),
            more: next_cursor.is_some(),
            used: used_bytes,
        },
        Items::Files { files, next_cursor, used_bytes, .. } => Names {
            names: files
                .iter()
                .map(|file| format!("{} ({})", shown(&file.name), amount(file.size)))
                .collect(),
            more: next_cursor.is_some(),
            used: used_bytes,
        },
    }
}

fn list(title: &'static str, Names { names, more, used }: Names) -> Option<AnyView> {
    if names.is_empty() {
        return None;
    }
    let items = names.into_iter().map(|name| view! { <li class="chip"><bdi>{name}</bdi></li> });
    let list = view! {
        <p class="muted small">{format!("{title}, {}", amount(used))}</p>
        <ul class="chips" aria-label=title>
            {items.collect_view()}
            {more.then(|| view! { <li class="chip">"and more"</li> })}
        </ul>
    };
    Some(list.into_any())
}

fn ask(app: App, plugin: &Arc<Plugin>, shelves: [Remote; 2]) {
    let name = text::shown(&plugin.name, text::NAME);
    let question = Question {
        title: "Delete what it stores for you?",
        sentence: format!("{name} forgets all its values and files of yours. They cannot be brought back."),
        action: "Delete",
    };
    let plugin = plugin.clone();
    app.confirm(question, move || {
        let (plugin, name) = (plugin.clone(), name.clone());
        spawn_local(async move {
            match delete(&plugin).await {
                Ok(()) => app.toast(Tone::Success, format!("What {name} stored for you is deleted.")),
                Err(error) => app.fail(&error),
            }
            shelves.iter().for_each(|shelf| shelf.reload());
        });
    });
}

async fn delete(plugin: &Plugin) -> Result<(), HttpError> {
    for shelf in SHELVES {
        Request::delete(&api::shelf(&plugin.id, shelf)).done().await?;
    }
    Ok(())
}

/// A number of bytes for people.
fn amount(bytes: i64) -> String {
    match bytes {
        ..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        1_000_000.. => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn amounts_are_short() {
        let shown = [0, 999, 1_000, 999_999, 1_000_000, 10_485_760].map(amount);
        assert_eq!(shown, ["0 bytes", "999 bytes", "1 kB", "999 kB", "1.0 MB", "10.4 MB"]);
    }
}
