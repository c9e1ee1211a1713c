//! Random numbers of the browser.

use leptos::prelude::window;

/// 256 random bits in hex. Without a source of randomness there is no token, and so no panel.
pub(super) fn bits256() -> Option<String> {
    let mut bytes = [0_u8; 32];
    window().crypto().ok()?.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
