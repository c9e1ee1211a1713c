//! The host page of taiku: signs people in, shows plugins and speaks the bridge protocol with their panels.
//!
//! Read in this order: [`state`] is what the page knows, [`bridge_host`] is what panels can reach,
//! [`workspace`] shows panels, [`pages`] is everything else, [`shell`] holds it together.

#![expect(clippy::needless_pass_by_value, reason = "the properties of a component are its own values")]
#![expect(unreachable_pub, reason = "the component macro makes public items")]

mod bridge_host;
mod connect;
mod consent;
mod dates;
mod hotkeys;
mod http;
mod pages;
mod part;
mod shell;
mod state;
mod text;
mod theme;
mod ui;
mod wire;
mod workspace;

use leptos::prelude::*;

fn main() {
    console_error_panic_hook::set_once();
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
    mount_to_body(shell::Root);
}
