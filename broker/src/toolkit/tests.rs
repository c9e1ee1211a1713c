//! The rules of toolkits, seen from outside of the module.

use super::*;

mod built_in;
