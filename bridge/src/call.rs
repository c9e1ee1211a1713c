//! The methods of the bridge and their typed parameters.

mod fields;

use serde_json::value::RawValue;

use crate::permission::Permission;
use crate::refusal::{Code, Refusal};
use crate::slug::Slug;
use fields::Fields;

/// How many tools `integrations.tools` answers unless told otherwise.
pub const DEFAULT_LIMIT: u32 = 50;
/// How many tools `integrations.tools` answers at the most.
pub const MAX_LIMIT: u32 = 100;
/// Longest search text, in characters; what is longer is cut, since no tool has so long a name.
pub const MAX_SEARCH: usize = 1024;
/// Longest method name that an error repeats, in characters.
const SHOWN_METHOD: usize = 64;

macro_rules! methods {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $permission:expr, $way:ident;)+) => {
        /// A method that this host has. The enumeration is closed: a name either equals one of these exactly
        /// or is unknown.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Method { $($(#[$doc])* $variant,)+ }

        impl Method {
            /// Every method.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The permission that a plugin needs for it.
            #[must_use]
            pub fn permission(self) -> Permission {
                match self { $(Self::$variant => $permission,)+ }
            }

            /// Who answers it.
            #[must_use]
            pub fn way(self) -> Way {
                match self { $(Self::$variant => Way::$way,)+ }
            }

            /// The method of that exact name.
            ///
            /// # Errors
            /// `unknown_method`, naming it.
            pub fn parse(name: &str) -> Result<Self, Refusal> {
                match name {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(unknown(name)),
                }
            }
        }
    };
}

/// Who answers a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The host page itself, at once.
    Host,
    /// The broker, for the signed-in user.
    Broker,
}

methods! {
    /// The user's connections.
    IntegrationsList = "integrations.list", Permission::IntegrationsRead, Broker;
    /// Begin to connect an account.
    IntegrationsConnect = "integrations.connect", Permission::IntegrationsConnect, Broker;
    /// The tools of a toolkit.
    IntegrationsTools = "integrations.tools", Permission::IntegrationsRead, Broker;
    /// Run a tool.
    IntegrationsExecute = "integrations.execute", Permission::IntegrationsExecute, Broker;
    /// The session of the host page.
    GetSession = "getSession", Permission::SessionRead, Host;
    /// The user's role.
    GetUserRole = "getUserRole", Permission::SessionRead, Host;
    /// The shells of the session; this host has none.
    GetShells = "getShells", Permission::SessionRead, Host;
    /// A short message.
    ShowToast = "showToast", Permission::UiToast, Host;
}

fn unknown(name: &str) -> Refusal {
    let shown: String = name.chars().take(SHOWN_METHOD).collect();
    let cut = if shown.len() < name.len() { "…" } else { "" };
    Refusal::new(Code::UnknownMethod, format!("{shown}{cut} is not supported by this host"))
}

/// How a toast looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToastKind {
    /// Neutral.
    #[default]
    Info,
    /// Something worked.
    Success,
    /// Something failed.
    Error,
}

/// A request with its parameters checked. What is in here is what is carried out.
#[derive(Clone, Debug)]
pub enum Call {
    /// `integrations.list`
    List,
    /// `integrations.connect`
    Connect(Connect),
    /// `integrations.tools`
    Tools(Tools),
    /// `integrations.execute`
    Execute(Execute),
    /// `getSession`
    GetSession,
    /// `getUserRole`
    GetUserRole,
    /// `getShells`
    GetShells,
    /// `showToast`
    ShowToast(ShowToast),
}

/// Parameters of `integrations.connect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// The toolkit to connect.
    pub toolkit: Slug,
    /// Where the browser lands after consent: a path of the host page's own origin. The broker checks it.
    pub callback_url: Option<String>,
}

/// Parameters of `integrations.tools`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    /// The toolkit whose tools are asked for.
    pub toolkit: Slug,
    /// Literal text to look for.
    pub search: Option<String>,
    /// How many to answer, 1 to 100.
    pub limit: u32,
}

/// Parameters of `integrations.execute`.
#[derive(Clone, Debug)]
pub struct Execute {
    /// The toolkit that has the tool.
    pub toolkit: Slug,
    /// The tool's slug.
    pub action: String,
    /// The tool's arguments: a JSON object, kept as the text that was checked.
    pub arguments: Box<RawValue>,
    /// The account to use; the user's default otherwise.
    pub connection_id: Option<String>,
    /// The same key and arguments run the tool once.
    pub idempotency_key: Option<String>,
}

/// Parameters of `showToast`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShowToast {
    /// The text.
    pub message: String,
    /// How it looks.
    pub kind: ToastKind,
    /// How long it stays, in milliseconds.
    pub duration: Option<u32>,
}

impl Call {
    /// Gives the parameters of a method their type.
    ///
    /// # Errors
    /// `invalid_params` with the pointer of the parameter.
    pub fn parse(method: Method, params: &str) -> Result<Self, Refusal> {
        let fields = Fields::read(params)?;
        Ok(match method {
            Method::IntegrationsList => Self::List,
            Method::IntegrationsConnect => Self::Connect(Connect::read(&fields)?),
            Method::IntegrationsTools => Self::Tools(Tools::read(&fields)?),
            Method::IntegrationsExecute => Self::Execute(Execute::read(&fields)?.checked()?),
            Method::GetSession => Self::GetSession,
            Method::GetUserRole => Self::GetUserRole,
            Method::GetShells => Self::GetShells,
            Method::ShowToast => Self::ShowToast(ShowToast::read(&fields)?),
        })
    }

    /// The method that is called.
    #[must_use]
    pub fn method(&self) -> Method {
        match self {
            Self::List => Method::IntegrationsList,
            Self::Connect(_) => Method::IntegrationsConnect,
            Self::Tools(_) => Method::IntegrationsTools,
            Self::Execute(_) => Method::IntegrationsExecute,
            Self::GetSession => Method::GetSession,
            Self::GetUserRole => Method::GetUserRole,
            Self::GetShells => Method::GetShells,
            Self::ShowToast(_) => Method::ShowToast,
        }
    }

    /// The toolkit that the call reaches for.
    #[must_use]
    pub fn toolkit(&self) -> Option<&Slug> {
        match self {
            Self::Connect(params) => Some(&params.toolkit),
            Self::Tools(params) => Some(&params.toolkit),
            Self::Execute(params) => Some(&params.toolkit),
            Self::List | Self::GetSession | Self::GetUserRole | Self::GetShells | Self::ShowToast(_) => None,
        }
    }
}

impl Connect {
    fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        Ok(Self { toolkit: fields.toolkit()?, callback_url: fields.text("callbackUrl")? })
    }
}

impl Tools {
    fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            toolkit: fields.toolkit()?,
            search: fields.text("search")?.map(|text| text.chars().take(MAX_SEARCH).collect()),
            limit: fields.number("limit")?.map_or(DEFAULT_LIMIT, clamp_limit),
        })
    }
}

impl ShowToast {
    fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        let kind = match fields.raw("kind") {
            None => ToastKind::Info,
            Some(_) => ToastKind::parse(&fields.needed("kind")?)?,
        };
        let duration = match fields.raw("duration") {
            Some(raw) if raw.get() == "null" => None,
            Some(_) | None => fields.number("duration")?.map(milliseconds),
        };
        Ok(Self { message: fields.needed("message")?, kind, duration })
    }
}

impl ToastKind {
    fn parse(name: &str) -> Result<Self, Refusal> {
        match name {
            "info" => Ok(Self::Info),
            "success" => Ok(Self::Success),
            "error" => Ok(Self::Error),
            _ => Err(Refusal::field("/kind", "must be `info`, `success` or `error`")),
        }
    }
}

impl Execute {
    fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        let arguments = match fields.raw("arguments") {
            None => no_arguments(),
            Some(raw) if raw.get().starts_with('{') => raw.to_owned(),
            Some(_) => return Err(Refusal::field("/arguments", "must be an object")),
        };
        Ok(Self {
            toolkit: fields.toolkit()?,
            action: fields.needed("action")?,
            arguments,
            connection_id: fields.text("connectionId")?,
            idempotency_key: fields.text("idempotencyKey")?,
        })
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// `invalid_params` when the action or the key is empty or too long.
    pub fn checked(self) -> Result<Self, Refusal> {
        if self.action.is_empty() || self.action.len() > 256 {
            return Err(Refusal::field("/action", "must name a tool in 1 to 256 characters"));
        }
        if self.idempotency_key.as_ref().is_some_and(|key| key.is_empty() || key.len() > 255) {
            return Err(Refusal::field("/idempotencyKey", "must have 1 to 255 characters"));
        }
        Ok(self)
    }
}

fn no_arguments() -> Box<RawValue> {
    RawValue::from_string("{}".into()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Brings a requested number of tools between 1 and [`MAX_LIMIT`].
#[must_use]
pub fn clamp_limit(limit: f64) -> u32 {
    // A float converts to an integer by saturating, so no number is out of range here.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 100 by then")]
    let whole = limit.clamp(1.0, f64::from(MAX_LIMIT)) as u32;
    whole
}

fn milliseconds(number: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "such a cast saturates")]
    let whole = number as u32;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(method: Method, params: &str) -> Refusal {
        Call::parse(method, params).unwrap_err()
    }

    #[test]
    fn method_names_are_exact() {
        for method in Method::ALL {
            assert_eq!(Method::parse(method.as_str()), Ok(*method));
        }
        for name in [
            "__proto__",
            "constructor",
            "toString",
            "integrations.execute ",
            "Integrations.Execute",
            "іntegrations.execute",
            "",
            "integrations",
            "getsession",
        ] {
            let refusal = Method::parse(name).unwrap_err();
            assert_eq!(refusal.code, Code::UnknownMethod);
            assert_eq!(refusal.message, format!("{name} is not supported by this host"));
        }
        let long = Method::parse(&"x".repeat(1 << 20)).unwrap_err();
        assert!(long.message.len() < 200);
    }

    #[test]
    fn a_limit_is_clamped_and_typed() {
        for (given, expected) in [("1e9", 100), ("0", 1), ("-1", 1), ("2.9", 2), ("100", 100), ("50", 50)] {
            let Ok(Call::Tools(tools)) =
                Call::parse(Method::IntegrationsTools, &format!(r#"{{"toolkit":"GitHub","limit":{given}}}"#))
            else {
                panic!("{given}")
            };
            assert_eq!((tools.limit, tools.toolkit.as_str()), (expected, "github"), "{given}");
        }
        for given in ["\"50\"", "null", "true", "[1]"] {
            let refusal =
                refusal(Method::IntegrationsTools, &format!(r#"{{"toolkit":"x","limit":{given}}}"#));
            assert_eq!((refusal.code, refusal.pointer.as_deref()), (Code::InvalidParams, Some("/limit")));
        }
    }

    #[test]
    fn wrong_parameters_name_their_place() {
        let cases = [
            (Method::IntegrationsConnect, "{}", ""),
            (Method::IntegrationsConnect, "[]", ""),
            (Method::IntegrationsConnect, r#"{"toolkit":"github "}"#, "/toolkit"),
            (Method::IntegrationsConnect, r#"{"toolkit":7}"#, "/toolkit"),
            (Method::IntegrationsConnect, r#"{"toolkit":"a","callbackUrl":1}"#, "/callbackUrl"),
            (Method::IntegrationsExecute, r#"{"toolkit":"a","action":""}"#, "/action"),
            (Method::IntegrationsExecute, r#"{"toolkit":"a","action":"A","arguments":[]}"#, "/arguments"),
            (Method::IntegrationsExecute, r#"{"toolkit":"a","action":"A","arguments":null}"#, "/arguments"),
            (
                Method::IntegrationsExecute,
                r#"{"toolkit":"a","action":"A","arguments":{"b":1,"b":2}}"#,
                "/arguments/b",
            ),
            (Method::IntegrationsList, "7", ""),
            (Method::ShowToast, r#"{"message":"a","kind":"loud"}"#, "/kind"),
        ];
        for (method, params, pointer) in cases {
            let refusal = refusal(method, params);
            assert_eq!(
                (refusal.code, refusal.pointer.as_deref()),
                (Code::InvalidParams, Some(pointer)),
                "{params}"
            );
        }
    }

    #[test]
    fn arguments_stay_the_text_that_was_checked() {
        let text =
            r#"{"toolkit":"demo","action":"A","arguments":{ "n": 1.0, "big": 12345678901234567890123 }}"#;
        let Ok(Call::Execute(call)) = Call::parse(Method::IntegrationsExecute, text) else { panic!() };
        assert_eq!(call.arguments.get(), r#"{ "n": 1.0, "big": 12345678901234567890123 }"#);
        let Ok(Call::Execute(call)) =
            Call::parse(Method::IntegrationsExecute, r#"{"toolkit":"a","action":"A"}"#)
        else {
            panic!()
        };
        assert_eq!(call.arguments.get(), "{}");
    }
}
