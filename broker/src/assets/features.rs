//! `Permissions-Policy`: what of the browser's powers no page of ours needs.

use axum::http::{HeaderName, HeaderValue};

/// The header's name.
pub(crate) const NAME: HeaderName = HeaderName::from_static("permissions-policy");

/// Powers that browsers know by these names today; an unknown one would be a warning in the console.
const POWERS: &[&str] = &[
    "accelerometer",
    "autoplay",
    "camera",
    "clipboard-read",
    "clipboard-write",
    "cross-origin-isolated",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "keyboard-map",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "usb",
    "window-management",
    "xr-spatial-tracking",
];

/// Denies every power but those in `own`, which the page itself keeps and frames within it do not get.
pub(crate) fn denied(own: &[&str]) -> HeaderValue {
    let directive = |power: &&str| {
        if own.contains(power) { format!("{power}=(self)") } else { format!("{power}=()") }
    };
    let policy = POWERS.iter().map(directive).collect::<Vec<_>>().join(", ");
    HeaderValue::from_str(&policy)
        .unwrap_or(HeaderValue::from_static("camera=(), microphone=(), geolocation=()"))
}
