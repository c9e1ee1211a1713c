//! A plugin that its author is trying out, and the calls of its panels.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::BASE;
use crate::id::PluginId;

/// Path of a plugin on trial.
#[must_use]
pub fn trial(id: &PluginId) -> String {
    format!("{BASE}/trials/{id}")
}

/// Path of the calls that the panels of a plugin on trial made.
#[must_use]
pub fn trial_calls(id: &PluginId) -> String {
    format!("{BASE}/trials/{id}/calls")
}

/// One message between a panel and the host page, with what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenCall {
    /// When it came, in milliseconds since 1970.
    pub at: f64,
    /// The panel.
    pub panel: String,
    /// The method; for what the host says by itself the type of its message.
    pub method: String,
    /// What it was called with.
    #[serde(default)]
    pub params: Value,
    /// Why it was refused or failed; nothing when it was answered with a result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same as a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long the answer took, in milliseconds.
    #[serde(default)]
    pub ms: f64,
    /// The provider's status, where a provider was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Length of the answer as JSON text, in UTF-16 units, where it has a result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Body of `POST /trials/{id}/calls`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeenCalls {
    /// In their order.
    pub calls: Vec<SeenCall>,
}

/// A call with its number, which grows by one with each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumberedCall {
    /// From 1.
    pub number: u64,
    /// The call.
    #[serde(flatten)]
    pub call: SeenCall,
}

/// Answer of `GET /trials/{id}/calls`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumberedCalls {
    /// In their order; empty when there were none within the time that the server waits.
    pub calls: Vec<NumberedCall>,
}
