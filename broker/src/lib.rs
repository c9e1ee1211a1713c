//! taiku

pub mod random;
pub mod vault;
