//! What is the user's own to choose.

use leptos::prelude::*;

use super::api_keys::ApiKeyList;
use super::{ForUsers, Page};
use crate::dates;
use crate::state::app;
use crate::theme::Theme;

/// The page.
#[component]
pub(crate) fn Settings() -> impl IntoView {
    view! {
        <Page title="Settings">
            <section aria-labelledby="looks" class="card">
                <h2 id="looks">"Looks"</h2>
                <Themes/>
                <Language/>
            </section>
            <ForUsers><ApiKeyList/></ForUsers>
        </Page>
    }
}

#[component]
fn Themes() -> impl IntoView {
    let app = app();
    let choices = Theme::ALL.into_iter().map(|theme| {
        view! {
            <label class="choice">
                <input
                    type="radio"
                    name="theme"
                    prop:checked=move || app.theme.get() == theme
                    on:change=move |_| app.theme.set(theme)
                />
                <span>{theme.label()}</span>
            </label>
        }
    });
    view! { <fieldset class="choices"><legend>"Theme"</legend>{choices.collect_view()}</fieldset> }
}

#[component]
fn Language() -> impl IntoView {
    let chosen = RwSignal::new(dates::chosen());
    let options = dates::OFFERED.iter().map(|(tag, name)| {
        view! { <option value=*tag selected=move || chosen.get() == *tag>{*name}</option> }
    });
    let example = move || {
        chosen.track();
        dates::shown(&String::from(js_sys::Date::new_0().to_iso_string()))
    };
    view! {
        <div class="field">
            <label for="language">"Language of dates"</label>
            <p class="hint" id="language-hint">"For example: "{example}</p>
            <select
                id="language"
                aria-describedby="language-hint"
                on:change:target=move |event| {
                    let tag = event.target().value();
                    dates::choose(&tag);
                    chosen.set(tag);
                }
            >
                <option value="" selected=move || chosen.get().is_empty()>"As the browser"</option>
                {options.collect_view()}
            </select>
        </div>
    }
}
