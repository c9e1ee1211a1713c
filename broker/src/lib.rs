//! taiku
