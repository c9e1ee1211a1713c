//! taiku
fn main() {}
