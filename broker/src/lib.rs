//! The broker of taiku.

pub mod clock;
pub mod random;
pub mod store;
pub mod vault;
