//! What taiku promises in numbers, measured: `cargo xtask reliability` runs this at its full size and prints a table.
//!
//! Each measurement is a module with one test per engine in submodules `sqlite` and `postgres` (one that needs no
//! database has neither in its name), takes its size from [`taiku_tests::Scale::now`] and ends with
//! [`taiku_tests::figure`]. At the short size it takes at most ten seconds. `docs/reliability.md` has a section for each.

mod bindings;
mod canaries;
mod engine;
mod faults;
mod floods;
mod memory;
mod refresh;
mod rotation;
mod ssrf;
mod start;
