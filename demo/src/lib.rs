//! An OAuth 2.1 provider with a small issue tracker behind it, for newcomers and for tests.
//!
//! It needs no network, no account and no file: everything lives in memory and ends with the process.
//! A person sees a consent page with two demo accounts and a page with the issues; a test moves the
//! clock, reads what was received on the wire and makes the provider misbehave (see [`Control`]).
//!
//! | address | what |
//! |---|---|
//! | `/.well-known/oauth-authorization-server` | metadata, RFC 8414 |
//! | `/authorize`, `/authorize/decision` | consent page and its form |
//! | `/token`, `/revoke` | RFC 6749 and RFC 7009 |
//! | `/api/user`, `/api/issues…` | the tracker, with a bearer token |
//! | `/` | the issues of all demo accounts, for people |
//! | `/control`, `/control/log`, `/control/advance` | misbehaviour, observation, clock |
//!
//! State is bounded everywhere: the oldest requests, grants and log entries are forgotten first.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use taiku_demo::{Client, Config, Demo};
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8090").await?;
//! let demo = Demo::new(listener.local_addr()?, Config::default())?;
//! demo.register_client(Client {
//!     id: "client".into(),
//!     secret: "secret".into(),
//!     name: "An application".into(),
//!     redirect_uris: vec!["http://localhost:8080/callback".into()],
//! })?;
//! demo.serve(listener, std::future::pending()).await?;
//! # Ok(()) }
//! ```

mod client;
mod clock;
mod control;
mod demo;
mod form;
mod html;
mod journal;
mod oauth;
mod random;
mod router;
mod tracker;
mod wire;

pub use client::{BadClient, Client};
pub use control::{BadControl, Control, EchoAs, Fault, Plan};
pub use demo::{Config, Demo};
pub use journal::{Counts, Seen};
pub use router::{app, serve};
