//! Pictures of strangers: plugins, toolkits, accounts. This page's own glyphs are in its style sheet.

use std::sync::Arc;

use leptos::prelude::*;
use taiku_bridge::api::Plugin;

use crate::text;

/// A plugin's picture: the icon of its first toolbar action, else the first letter of its name.
#[component]
pub(crate) fn PluginIcon(plugin: Arc<Plugin>) -> impl IntoView {
    let icon = plugin.manifest.toolbar_actions.iter().find_map(|action| action.icon.as_deref());
    let hue = hue(&plugin.id.key());
    view! {
        <span class="mark" style:--hue=hue aria-hidden="true">{drawing(icon, &plugin.name)}</span>
    }
}

/// A toolbar action's picture.
#[component]
pub(crate) fn ToolbarIcon(
    /// SVG text of a stranger.
    icon: Option<String>,
    label: String,
) -> impl IntoView {
    drawing(icon.as_deref(), &label)
}

/// A toolkit's picture: its first letter in a colour of its own.
#[component]
pub(crate) fn ToolkitMark(slug: String) -> impl IntoView {
    let hue = hue(&slug);
    view! { <span class="mark round" style:--hue=hue aria-hidden="true">{initial(&slug)}</span> }
}

/// An account's picture, else its first letter. Pictures of other sites are not loaded by this page.
#[component]
pub(crate) fn Avatar(label: String) -> impl IntoView {
    let hue = hue(&label);
    view! { <span class="mark round small" style:--hue=hue aria-hidden="true">{initial(&label)}</span> }
}

/// A stranger's SVG is only ever a mask that a colour is seen through: nothing in it runs or loads.
fn drawing(icon: Option<&str>, name: &str) -> AnyView {
    match icon {
        Some(svg) => view! { <span class="mask" style:--icon=data_url(svg)></span> }.into_any(),
        None => view! { <span>{initial(name)}</span> }.into_any(),
    }
}

fn data_url(svg: &str) -> String {
    format!("url(\"data:image/svg+xml,{}\")", taiku_bridge::api::segment(svg))
}

fn initial(name: &str) -> String {
    text::shown(name, text::NAME).chars().next().map_or_else(|| "?".into(), |c| c.to_uppercase().to_string())
}

/// A colour that stays the same for a name, in degrees.
fn hue(name: &str) -> String {
    let sum = name.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    (sum % 360).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_cannot_leave_its_url() {
        let url = data_url("<svg xmlns=\"x\">\") ; background: url(evil)</svg>");
        assert_eq!(url.matches('"').count(), 2, "{url}");
        assert_eq!(url.matches(')').count(), 1, "{url}");
    }

    #[test]
    fn an_initial_is_one_letter() {
        assert_eq!((initial("\u{202e}ada"), initial("")), ("A".into(), "?".into()));
    }
}
