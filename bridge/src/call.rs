//! The methods of the bridge and their typed parameters.

mod data;
pub(crate) mod fields;
mod integrations;
mod page;

pub use data::{Act, Data, Encoding, Entry, Listing, Shelf, Verb};
pub use data::{DEFAULT_ENTRIES, MAX_ENTRIES, MAX_FILE, MAX_NAME, MAX_VALUE};
pub use integrations::{Connect, Execute, Tools, clamp_limit};
pub use integrations::{DEFAULT_LIMIT, MAX_LIMIT, MAX_SEARCH};
pub use page::{Badge, Broadcast, Length, Notification, PanelTarget, ShowToast, Sound, ToastKind};
pub use page::{MAX_BADGE, MAX_EVENT, MAX_EVENT_NAME, MAX_LENGTH, MAX_NOTICE, MAX_TITLE};

use crate::permission::Permission;
use crate::refusal::{Code, Refusal};
use crate::slug::Slug;
use fields::Fields;

/// Longest method name that an error repeats, in characters.
const SHOWN_METHOD: usize = 64;

macro_rules! methods {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $area:ident, $permission:expr;)+) => {
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

            /// What it works on.
            #[must_use]
            pub fn area(self) -> Area {
                match self { $(Self::$variant => Area::$area,)+ }
            }

            /// The permission that a plugin needs for it; none where being allowed at all is enough.
            #[must_use]
            pub fn permission(self) -> Option<Permission> {
                match self { $(Self::$variant => $permission,)+ }
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

/// What a method works on; that says who answers it and what the caller must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// The user's accounts at other services: needs a user, and integrations that are enabled.
    Integrations,
    /// What the broker stores for plugins: needs a user.
    Data,
    /// The host page itself: visitors too.
    Page,
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
    IntegrationsList = "integrations.list", Integrations, Some(Permission::IntegrationsRead);
    /// Begin to connect an account.
    IntegrationsConnect = "integrations.connect", Integrations, Some(Permission::IntegrationsConnect);
    /// The tools of a toolkit.
    IntegrationsTools = "integrations.tools", Integrations, Some(Permission::IntegrationsRead);
    /// Run a tool.
    IntegrationsExecute = "integrations.execute", Integrations, Some(Permission::IntegrationsExecute);
    /// A value that the plugin stored for the user.
    GetUserData = "getUserData", Data, None;
    /// Store a value for the user.
    SetUserData = "setUserData", Data, None;
    /// A value that the plugin shares between all users.
    KvGet = "kv.get", Data, Some(Permission::KvRead);
    /// Share a value between all users.
    KvSet = "kv.set", Data, Some(Permission::KvWrite);
    /// Delete a shared value.
    KvDelete = "kv.delete", Data, Some(Permission::KvWrite);
    /// The keys of shared values.
    KvList = "kv.list", Data, Some(Permission::KvRead);
    /// A file that the plugin stored for the user.
    StorageRead = "storage.read", Data, Some(Permission::StorageRead);
    /// Store a file for the user.
    StorageWrite = "storage.write", Data, Some(Permission::StorageWrite);
    /// Delete a file.
    StorageDelete = "storage.delete", Data, Some(Permission::StorageWrite);
    /// The names of files.
    StorageList = "storage.list", Data, Some(Permission::StorageRead);
    /// The session of the host page.
    GetSession = "getSession", Page, Some(Permission::SessionRead);
    /// The user's role.
    GetUserRole = "getUserRole", Page, Some(Permission::SessionRead);
    /// The shells of the session; this host has none.
    GetShells = "getShells", Page, Some(Permission::SessionRead);
    /// A short message.
    ShowToast = "showToast", Page, Some(Permission::UiToast);
    /// A desktop notification.
    SendNotification = "sendNotification", Page, Some(Permission::UiNotify);
    /// A sound.
    PlaySound = "playSound", Page, Some(Permission::AudioPlay);
    /// Receive events.
    SubscribeEvents = "subscribeEvents", Page, Some(Permission::EventsSubscribe);
    /// Send an event to other plugins.
    BroadcastEvent = "broadcastEvent", Page, Some(Permission::EventsBroadcast);
    /// A number at a toolbar action.
    SetBadge = "setBadge", Page, Some(Permission::UiToolbarCustom);
    /// Show a panel of the plugin.
    OpenPanel = "openPanel", Page, Some(Permission::UiPanel);
    /// Hide a panel of the plugin.
    ClosePanel = "closePanel", Page, Some(Permission::UiPanel);
    /// Change the size of a panel of the plugin.
    ResizePanel = "resizePanel", Page, Some(Permission::UiPanel);
}

impl Method {
    /// Who answers it.
    #[must_use]
    pub fn way(self) -> Way {
        match self.area() {
            Area::Integrations | Area::Data => Way::Broker,
            Area::Page => Way::Host,
        }
    }
}

/// What a name that is no method is answered.
#[must_use]
pub fn unknown(name: &str) -> Refusal {
    let shown: String = name.chars().take(SHOWN_METHOD).collect();
    let cut = if shown.len() < name.len() { "…" } else { "" };
    Refusal::new(Code::UnknownMethod, format!("{shown}{cut} is not supported by this host"))
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
    /// `getUserData`, `setUserData`, `kv.*` and `storage.*`
    Data(Data),
    /// `getSession`
    GetSession,
    /// `getUserRole`
    GetUserRole,
    /// `getShells`
    GetShells,
    /// `showToast`
    ShowToast(ShowToast),
    /// `sendNotification`
    SendNotification(Notification),
    /// `playSound`
    PlaySound(Sound),
    /// `subscribeEvents`
    SubscribeEvents,
    /// `broadcastEvent`
    BroadcastEvent(Broadcast),
    /// `setBadge`
    SetBadge(Badge),
    /// `openPanel`
    OpenPanel(PanelTarget),
    /// `closePanel`
    ClosePanel(PanelTarget),
    /// `resizePanel`
    ResizePanel(PanelTarget),
}

impl Call {
    /// Gives the parameters of a method their type.
    ///
    /// # Errors
    /// `invalid_params` with the pointer of the parameter.
    pub fn parse(method: Method, params: &str) -> Result<Self, Refusal> {
        let fields = || Fields::read(params);
        let bare = |call: Self| Fields::none(params).map(|()| call);
        Ok(match method {
            Method::IntegrationsList => bare(Self::List)?,
            Method::IntegrationsConnect => Self::Connect(Connect::read(&fields()?)?),
            Method::IntegrationsTools => Self::Tools(Tools::read(&fields()?)?),
            Method::IntegrationsExecute => Self::Execute(Execute::read(&fields()?)?.checked()?),
            Method::GetUserData => Self::Data(Data::get(Shelf::UserData, &fields()?)?),
            Method::SetUserData => Self::Data(Data::set(Shelf::UserData, &fields()?)?),
            Method::KvGet => Self::Data(Data::get(Shelf::Kv, &fields()?)?),
            Method::KvSet => Self::Data(Data::set(Shelf::Kv, &fields()?)?),
            Method::KvDelete => Self::Data(Data::delete(Shelf::Kv, &fields()?)?),
            Method::KvList => Self::Data(Data::list(Shelf::Kv, &fields()?)?),
            Method::StorageRead => Self::Data(Data::get(Shelf::Files, &fields()?)?),
            Method::StorageWrite => Self::Data(Data::set(Shelf::Files, &fields()?)?),
            Method::StorageDelete => Self::Data(Data::delete(Shelf::Files, &fields()?)?),
            Method::StorageList => Self::Data(Data::list(Shelf::Files, &fields()?)?),
            Method::GetSession => bare(Self::GetSession)?,
            Method::GetUserRole => bare(Self::GetUserRole)?,
            Method::GetShells => bare(Self::GetShells)?,
            Method::ShowToast => Self::ShowToast(ShowToast::read(&fields()?)?),
            Method::SendNotification => Self::SendNotification(Notification::read(&fields()?)?),
            Method::PlaySound => Self::PlaySound(Sound::read(&fields()?)?),
            Method::SubscribeEvents => bare(Self::SubscribeEvents)?,
            Method::BroadcastEvent => Self::BroadcastEvent(Broadcast::read(&fields()?)?.checked()?),
            Method::SetBadge => Self::SetBadge(Badge::read(&fields()?)?),
            Method::OpenPanel => Self::OpenPanel(PanelTarget::read(&fields()?)?),
            Method::ClosePanel => Self::ClosePanel(PanelTarget::read(&fields()?)?),
            Method::ResizePanel => Self::ResizePanel(PanelTarget::read(&fields()?)?),
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
            Self::Data(data) => data.method(),
            Self::GetSession => Method::GetSession,
            Self::GetUserRole => Method::GetUserRole,
            Self::GetShells => Method::GetShells,
            Self::ShowToast(_) => Method::ShowToast,
            Self::SendNotification(_) => Method::SendNotification,
            Self::PlaySound(_) => Method::PlaySound,
            Self::SubscribeEvents => Method::SubscribeEvents,
            Self::BroadcastEvent(_) => Method::BroadcastEvent,
            Self::SetBadge(_) => Method::SetBadge,
            Self::OpenPanel(_) => Method::OpenPanel,
            Self::ClosePanel(_) => Method::ClosePanel,
            Self::ResizePanel(_) => Method::ResizePanel,
        }
    }

    /// The toolkit that the call reaches for.
    #[must_use]
    pub fn toolkit(&self) -> Option<&Slug> {
        match self {
            Self::Connect(params) => Some(&params.toolkit),
            Self::Tools(params) => Some(&params.toolkit),
            Self::Execute(params) => Some(&params.toolkit),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
