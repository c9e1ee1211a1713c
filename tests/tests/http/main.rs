//! The API and the pages from outside, with the real binary.

mod admin;
mod canaries;
mod connect;
mod csrf;
mod keys;
mod panels;
mod plugins;
mod roles;
mod secrets;
mod sessions;
mod start;
mod switches;
mod tools;
mod vault;
