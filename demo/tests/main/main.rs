//! The provider from outside: what a client, a browser and a test on the other end of the wire see.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

mod api;
mod authorize;
mod misbehaviour;
mod pages;
mod tokens;
mod wire;
