//! Pictures: this page's own glyphs, and the icons of plugins, which are strangers' drawings.

use std::sync::Arc;

use leptos::prelude::*;
use taiku_bridge::api::Plugin;

use crate::text;

/// A drawing of this page, on a grid of 24 by 24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Glyph {
    Activity,
    Alert,
    Arrow,
    Check,
    Close,
    Copy,
    External,
    Grid,
    Link,
    Menu,
    Plugin,
    Reload,
    Settings,
    Shield,
    SignOut,
    Stop,
}

impl Glyph {
    fn path(self) -> &'static str {
        match self {
            Self::Activity => "M3 12h4l3 8 4-16 3 8h4",
            Self::Alert => {
                "M12 9v4m0 4h.01M10.3 3.9 2 18a2 2 0 0 0 1.7 3h16.6a2 2 0 0 0 1.7-3L13.7 3.9a2 2 0 0 0-3.4 0z"
            }
            Self::Arrow => "M5 12h14m-6-6 6 6-6 6",
            Self::Check => "m5 13 4 4L19 7",
            Self::Close => "M6 6l12 12M18 6 6 18",
            Self::Copy => "M9 9h11v11H9zM5 15H4V4h11v1",
            Self::External => "M14 4h6v6m0-6-9 9M19 14v6H4V5h6",
            Self::Grid => "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
            Self::Link => {
                "M10 14a5 5 0 0 0 7.1 0l2.8-2.8a5 5 0 0 0-7.1-7.1L11.5 5.4M14 10a5 5 0 0 0-7.1 0l-2.8 2.8a5 5 0 0 0 7.1 7.1l1.3-1.3"
            }
            Self::Menu => "M4 7h16M4 12h16M4 17h16",
            Self::Plugin => "M9 3v5m6-5v5M6 8h12v3a6 6 0 0 1-12 0zm6 9v4",
            Self::Reload => "M20 11a8 8 0 1 0-.6 4M20 4v7h-7",
            Self::Settings => "M4 7h9m5 0h2M4 17h2m5 0h9M15.5 4.5v5M8.5 14.5v5",
            Self::Shield => "M12 3l8 3v6c0 4.5-3.3 7.9-8 9-4.700-1.100-8-4.500-8-9V6z",
            Self::SignOut => "M15 4h4v16h-4M10 8l-4 4 4 4M6 12h10",
            Self::Stop => "M8 3h8l5 5v8l-5 5H8l-5-5V8zM9 9l6 6m0-6-6 6",
        }
    }
}

/// A glyph; what it means is said by the text or the label beside it.
#[component]
pub(crate) fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=glyph.path()></path>
        </svg>
    }
}

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
