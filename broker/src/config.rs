//! The configuration: defaults, then `taiku.toml`, then the environment.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use url::{Host, Url};

use crate::vault::SecretString;

/// One variable of the configuration.
pub struct Variable {
    /// Name in the environment; in `taiku.toml` the same without `TAIKU_` and in lower case.
    pub name: &'static str,
    /// What holds when nothing is set, in words where it depends on something.
    pub default: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

macro_rules! variables {
    ($($name:literal, $default:literal, $meaning:literal;)+) => {
        /// Every variable, in the order in which `taiku config` prints them.
        pub const VARIABLES: &[Variable] =
            &[$(Variable { name: $name, default: $default, meaning: $meaning },)+];
    };
}

variables! {
    "TAIKU_LISTEN", "127.0.0.1:8080", "Address of the listener; port 0 takes a free one.";
    "TAIKU_PUBLIC_URL", "http://localhost:<port of the listener>",
        "The app's origin. Plain http only on loopback. The API and pages answer only under its host.";
    "TAIKU_PANEL_URL", "http://127.0.0.1:<port of the listener>",
        "The panels' origin, another site than the app's. Required once a public URL is set.";
    "TAIKU_DATA_DIR", "data", "Folder of the database and the keys.";
    "TAIKU_DATABASE_URL", "sqlite://<data dir>/taiku.db",
        "SQLite, or postgres://… for several brokers.";
    "TAIKU_ROOT_KEY", "", "Base64 of 32 bytes that wrap the keyring; instead of the file.";
    "TAIKU_ROOT_KEY_FILE", "<data dir>/root.key", "The same as a file of mode 0400, made with a new database only.";
    "TAIKU_KEYRING", "<data dir>/keyring.json", "The ring keys, wrapped by the root key.";
    "TAIKU_BACKUP_DAYS", "30", "For how many days you keep backups; a key is not retired before they are gone.";
    "TAIKU_PLUGIN_DIRS", "", "Folders that hold plugin folders, separated by colons.";
    "TAIKU_TOOLKIT_DIRS", "", "Folders that hold toolkit folders, separated by colons.";
    "TAIKU_ADMIN_EMAIL", "", "Makes the first admin at start if there is none.";
    "TAIKU_ADMIN_PASSWORD", "", "Password of that admin.";
    "TAIKU_ADMIN_PASSWORD_FILE", "", "The same as a file.";
    "TAIKU_INTEGRATIONS", "true", "Off: integrations answer `integrations_disabled`.";
    "TAIKU_ANONYMOUS", "true", "Whether visitors who are not signed in may open plugins.";
    "TAIKU_ALLOW_LOOPBACK_HTTP", "false (true under --demo)",
        "Lets a toolkit's settings point at http://127.0.0.1:…, not at localhost.";
    "TAIKU_REFRESH_RATE", "50", "Refreshes in a second at one provider, by all brokers together.";
    "TAIKU_CALLS_PER_SECOND", "100", "Tools that one user may run in a second, sustained; ten times as many at once.";
    "TAIKU_METRICS_LISTEN", "", "Address of a listener of its own for Prometheus, without access control.";
    "TAIKU_DEMO_LISTEN", "127.0.0.1:8090", "Address of the demo provider under --demo; port 0 takes a free one.";
    "TAIKU_LOG", "info", "What is logged, such as `info` or `taiku_broker=debug`.";
    "TAIKU_LOG_FORMAT", "pretty on a terminal, else json", "`pretty` or `json`.";
}

/// Refreshes in a second at one provider. What 10,000 connections made at once need when their tokens live an hour.
const DEFAULT_REFRESH_RATE: NonZeroU32 = NonZeroU32::MIN.saturating_add(49);

/// Why the configuration cannot be used. The program ends with status 78.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not TOML of texts, numbers, flags and lists of texts.
    #[error("{path}: {what}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A value is not of the kind that is needed.
    #[error("{name}: `{value}` {what}")]
    Value {
        /// The variable.
        name: &'static str,
        /// What was given; never a secret.
        value: String,
        /// What is wrong with it.
        what: String,
    },
    /// A secret is given twice.
    #[error("{name} and {name}_FILE are both set: give exactly one")]
    Twice {
        /// The variable.
        name: &'static str,
    },
    /// Two variables do not go together.
    #[error("{0}")]
    Together(String),
}

/// Where the values come from.
#[derive(Clone)]
pub struct Source {
    file: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
}

/// The configuration of a broker.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the listener.
    pub listen: SocketAddr,
    /// The app's origin, if it was set.
    pub public_url: Option<Url>,
    /// The panels' origin, if it was set.
    pub panel_url: Option<Url>,
    /// Folder of the database and the keys.
    pub data_dir: PathBuf,
    /// The database.
    pub database_url: String,
    /// The root key as a value, base64; the file otherwise.
    pub root_key: Option<std::sync::Arc<SecretHolder>>,
    /// The root key's file.
    pub root_key_file: PathBuf,
    /// The ring keys.
    pub keyring: PathBuf,
    /// For how many days backups are kept.
    pub backup_days: u32,
    /// Folders of plugin folders.
    pub plugin_dirs: Vec<PathBuf>,
    /// Folders of toolkit folders.
    pub toolkit_dirs: Vec<PathBuf>,
    /// Address and password of the first admin.
    pub first_admin: Option<(String, std::sync::Arc<SecretHolder>)>,
    /// Whether integrations are enabled.
    pub integrations: bool,
    /// Whether visitors may open plugins.
    pub anonymous: bool,
    /// Whether toolkits may point at plain http on loopback; `None` leaves it to the command.
    pub allow_loopback_http: Option<bool>,
    /// How often in a second all brokers together ask one provider for new tokens.
    pub refresh_rate: NonZeroU32,
    /// Tools that one user may run in a second, sustained.
    pub calls_per_second: i64,
    /// Address of the listener for Prometheus, if there is to be one.
    pub metrics_listen: Option<SocketAddr>,
    /// Address of the demo provider.
    pub demo_listen: SocketAddr,
    /// What is logged.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
}

/// A secret of the configuration.
pub struct SecretHolder(pub SecretString);

impl std::fmt::Debug for SecretHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For programs.
    Json,
}

impl Source {
    /// Reads the file, if there is one, and takes the environment.
    ///
    /// # Errors
    /// When the file was named and is missing, or is not what it should be.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let (path, named) = file.map_or((Path::new("taiku.toml"), false), |path| (path, true));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if !named && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ConfigError::Read { path: path.to_owned(), error }),
        };
        Ok(Self { file: read_file(path, &text)?, environment: environment.collect() })
    }

    /// These variables and no file.
    #[must_use]
    pub fn of(environment: impl Iterator<Item = (String, String)>) -> Self {
        Self { file: BTreeMap::new(), environment: environment.collect() }
    }

    /// The value of a variable and whether it came from the environment. Empty is not set.
    fn get(&self, name: &str) -> Option<&str> {
        self.environment
            .get(name)
            .or_else(|| self.file.get(name))
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The value of any variable of the environment, for the settings of toolkits.
    #[must_use]
    pub fn environment(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All values as an environment, without the root key: what the role that answers requests is started with.
    #[must_use]
    pub fn without_root_key(&self) -> Vec<(String, String)> {
        let mut values = self.file.clone();
        values.extend(self.environment.clone());
        values.remove("TAIKU_ROOT_KEY");
        values.into_iter().collect()
    }

    fn parse<T>(
        &self,
        name: &'static str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        match self.get(name) {
            None => Ok(default),
            Some(value) => {
                parse(value).map_err(|what| ConfigError::Value { name, value: value.to_owned(), what })
            }
        }
    }

    fn flag(&self, name: &'static str, default: bool) -> Result<bool, ConfigError> {
        self.parse(name, default, |value| match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err("must be true or false".into()),
        })
    }

    fn secret(
        &self,
        name: &'static str,
        file_name: &'static str,
    ) -> Result<Option<std::sync::Arc<SecretHolder>>, ConfigError> {
        let secret = match (self.get(name), self.get(file_name)) {
            (Some(_), Some(_)) => return Err(ConfigError::Twice { name }),
            (None, None) => return Ok(None),
            (Some(value), None) => value.to_owned(),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|error| ConfigError::Read { path: path.into(), error })?
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
        };
        Ok(Some(std::sync::Arc::new(SecretHolder(SecretString::new(secret)))))
    }

    fn dirs(&self, name: &str) -> Vec<PathBuf> {
        self.get(name).map_or_else(Vec::new, |value| {
            value.split(':').filter(|dir| !dir.is_empty()).map(PathBuf::from).collect()
        })
    }
}

fn read_file(path: &Path, text: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let syntax = |what: String| ConfigError::Syntax { path: path.to_owned(), what };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| syntax(error.to_string()))?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        let name = format!("TAIKU_{}", key.to_ascii_uppercase());
        if !VARIABLES.iter().any(|variable| variable.name == name) {
            return Err(syntax(format!("`{key}` is not known; `taiku config` prints what is")));
        }
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            toml::Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| syntax(format!("`{key}` must be a list of texts")))?
                .join(":"),
            toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => {
                return Err(syntax(format!(
                    "`{key}` must be a text, a whole number, a flag or a list of texts"
                )));
            }
        };
        values.insert(name, text);
    }
    Ok(values)
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// With the variable that is wrong.
    pub fn read(source: &Source, terminal: bool) -> Result<Self, ConfigError> {
        let address =
            |value: &str| value.parse().map_err(|_| "must be an address such as 127.0.0.1:8080".into());
        let data_dir = PathBuf::from(source.get("TAIKU_DATA_DIR").unwrap_or("data"));
        let in_data_dir = |name: &'static str, file: &str| {
            source.get(name).map_or_else(|| data_dir.join(file), PathBuf::from)
        };
        let root_key = match source.get("TAIKU_ROOT_KEY") {
            Some(_) => source.secret("TAIKU_ROOT_KEY", "TAIKU_ROOT_KEY_FILE")?,
            None => None,
        };
        let config = Self {
            listen: source.parse("TAIKU_LISTEN", SocketAddr::from(([127, 0, 0, 1], 8080)), address)?,
            public_url: source.parse("TAIKU_PUBLIC_URL", None, |value| origin(value).map(Some))?,
            panel_url: source.parse("TAIKU_PANEL_URL", None, |value| origin(value).map(Some))?,
            database_url: source
                .get("TAIKU_DATABASE_URL")
                .map_or_else(|| format!("sqlite://{}", data_dir.join("taiku.db").display()), str::to_owned),
            root_key,
            root_key_file: in_data_dir("TAIKU_ROOT_KEY_FILE", "root.key"),
            keyring: in_data_dir("TAIKU_KEYRING", "keyring.json"),
            data_dir: data_dir.clone(),
            backup_days: source.parse("TAIKU_BACKUP_DAYS", 30, |value| {
                value.parse().map_err(|_| "must be a number of days".into())
            })?,
            plugin_dirs: source.dirs("TAIKU_PLUGIN_DIRS"),
            toolkit_dirs: source.dirs("TAIKU_TOOLKIT_DIRS"),
            first_admin: first_admin(source)?,
            integrations: source.flag("TAIKU_INTEGRATIONS", true)?,
            anonymous: source.flag("TAIKU_ANONYMOUS", true)?,
            allow_loopback_http: match source.get("TAIKU_ALLOW_LOOPBACK_HTTP") {
                Some(_) => Some(source.flag("TAIKU_ALLOW_LOOPBACK_HTTP", false)?),
                None => None,
            },
            refresh_rate: source.parse("TAIKU_REFRESH_RATE", DEFAULT_REFRESH_RATE, |value| {
                value.parse().map_err(|_| "must be a whole number from 1 on".into())
            })?,
            calls_per_second: source.parse("TAIKU_CALLS_PER_SECOND", 100, |value| {
                let rate = value.parse().ok().filter(|rate| (1..=1_000_000).contains(rate));
                rate.ok_or_else(|| "must be a whole number from 1 to 1000000".into())
            })?,
            metrics_listen: source.parse("TAIKU_METRICS_LISTEN", None, |value| address(value).map(Some))?,
            demo_listen: source.parse(
                "TAIKU_DEMO_LISTEN",
                SocketAddr::from(([127, 0, 0, 1], 8090)),
                address,
            )?,
            log: source.get("TAIKU_LOG").unwrap_or("info").to_owned(),
            log_format: source.parse(
                "TAIKU_LOG_FORMAT",
                if terminal { LogFormat::Pretty } else { LogFormat::Json },
                |value| match value {
                    "pretty" => Ok(LogFormat::Pretty),
                    "json" => Ok(LogFormat::Json),
                    _ => Err("must be `pretty` or `json`".into()),
                },
            )?,
        };
        config.origins(config.listen.port())?;
        Ok(config)
    }

    /// The files of an SQLite database; none for Postgres.
    #[must_use]
    pub fn database_files(&self) -> Vec<PathBuf> {
        crate::store::files(&self.database_url)
    }

    /// The app's origin and the panels' origin, once the listener's port is known.
    ///
    /// # Errors
    /// When they are of one site, so that panels could reach the app.
    pub fn origins(&self, port: u16) -> Result<Origins, ConfigError> {
        let local = |host: &str| Url::parse(&format!("http://{host}:{port}"));
        let together = |text: &str| Err(ConfigError::Together(text.to_owned()));
        let (app, panels) = match (&self.public_url, &self.panel_url) {
            (None, panels) => (local("localhost"), panels.clone().map_or_else(|| local("127.0.0.1"), Ok)),
            (Some(app), Some(panels)) => (Ok(app.clone()), Ok(panels.clone())),
            (Some(_), None) => {
                return together(
                    "TAIKU_PANEL_URL is needed once TAIKU_PUBLIC_URL is set: another site for the panels, \
                     such as https://panels.example.net",
                );
            }
        };
        let (Ok(app), Ok(panels)) = (app, panels) else {
            return together("TAIKU_LISTEN: the port makes no URL");
        };
        if same_site(&app, &panels) {
            return Err(ConfigError::Together(format!(
                "TAIKU_PANEL_URL ({panels}) is of the same site as TAIKU_PUBLIC_URL ({app}): \
                 give panels a registrable domain of their own",
            )));
        }
        Ok(Origins { app: Origin::new(&app), panels: Origin::new(&panels) })
    }
}

fn first_admin(source: &Source) -> Result<Option<(String, std::sync::Arc<SecretHolder>)>, ConfigError> {
    let password = source.secret("TAIKU_ADMIN_PASSWORD", "TAIKU_ADMIN_PASSWORD_FILE")?;
    match (source.get("TAIKU_ADMIN_EMAIL"), password) {
        (None, None) => Ok(None),
        (Some(email), Some(password)) => Ok(Some((email.to_owned(), password))),
        (Some(_), None) => Err(ConfigError::Together(
            "TAIKU_ADMIN_EMAIL is set without TAIKU_ADMIN_PASSWORD or TAIKU_ADMIN_PASSWORD_FILE".into(),
        )),
        (None, Some(_)) => {
            Err(ConfigError::Together("TAIKU_ADMIN_PASSWORD is set without TAIKU_ADMIN_EMAIL".into()))
        }
    }
}

/// Where the two halves of the host answer.
#[derive(Clone, Debug)]
pub struct Origins {
    /// The app, its API and the OAuth pages.
    pub app: Origin,
    /// The panels.
    pub panels: Origin,
}

impl Origins {
    /// The two sites that a listener on a port of this machine has by default.
    ///
    /// # Errors
    /// When the port makes no URL.
    pub(crate) fn on_loopback(port: u16) -> Result<Self, url::ParseError> {
        let origin = |host: &str| Url::parse(&format!("http://{host}:{port}")).map(|url| Origin::new(&url));
        Ok(Self { app: origin("localhost")?, panels: origin("127.0.0.1")? })
    }
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: String,
    authority: String,
    secure: bool,
    port_on_loopback: Option<u16>,
}

impl Origin {
    fn new(url: &Url) -> Self {
        let text = url.origin().ascii_serialization();
        let authority = text.split_once("://").map_or_else(String::new, |(_, rest)| rest.to_owned());
        let port_on_loopback = if is_loopback(url) { url.port_or_known_default() } else { None };
        Self { authority, secure: url.scheme() == "https", port_on_loopback, text }
    }

    /// Such as `https://taiku.example`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Such as `taiku.example`, or `localhost:8080`: what a `Host` header must say.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether it is served over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The port of a loopback origin. Browsers share cookies between the ports of a host, so names carry it.
    #[must_use]
    pub fn port_on_loopback(&self) -> Option<u16> {
        self.port_on_loopback
    }
}

fn origin(value: &str) -> Result<Url, String> {
    let url = Url::parse(value).map_err(|error| format!("is no URL: {error}"))?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("must be an origin: scheme, host and port, without a path".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not carry a user name or password".into());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("may be plain http on loopback only: use https".into()),
        _ => Err("must be https".into()),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// Whether a browser takes two URLs for one site: the same registrable domain and scheme, or the same address.
fn same_site(a: &Url, b: &Url) -> bool {
    match (a.host(), b.host()) {
        (Some(Host::Domain(a)), Some(Host::Domain(b))) => registrable(a) == registrable(b),
        (a, b) => a == b,
    }
}

fn registrable(domain: &str) -> String {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    psl::domain_str(&domain).map_or_else(|| domain.clone(), str::to_owned)
}

/// The annotated configuration, as a `taiku.toml` in which everything is commented out.
#[must_use]
pub fn annotated() -> String {
    let mut text = String::from(
        "# taiku.toml: every key can also be set in the environment, as TAIKU_ and the key in capitals,\n\
         # which then holds. Folders are a list here and separated by colons there.\n",
    );
    for variable in VARIABLES {
        let key = variable.name.trim_start_matches("TAIKU_").to_ascii_lowercase();
        text.push_str(&format!("\n# {}\n# {key} = \"{}\"\n", variable.meaning, variable.default));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Source::load(None, environment)
            .and_then(|source| Config::read(&source, false))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_two_sites_of_one_listener() {
        let origins = read(&[]).unwrap().origins(4711).unwrap();
        assert_eq!(origins.app.as_str(), "http://localhost:4711");
        assert_eq!(origins.panels.authority(), "127.0.0.1:4711");
        assert_eq!(origins.app.port_on_loopback(), Some(4711));
    }

    #[test]
    fn panels_need_a_site_of_their_own() {
        let app = ("TAIKU_PUBLIC_URL", "https://app.taiku.example");
        assert!(read(&[app]).unwrap_err().contains("TAIKU_PANEL_URL is needed"));
        for panels in
            ["https://panels.taiku.example", "https://app.taiku.example:8443", "https://taiku.example"]
        {
            assert!(read(&[app, ("TAIKU_PANEL_URL", panels)]).unwrap_err().contains("same site"), "{panels}");
        }
        assert!(read(&[app, ("TAIKU_PANEL_URL", "https://taiku-panels.example")]).is_ok());
        let shared =
            [("TAIKU_PUBLIC_URL", "https://a.github.io"), ("TAIKU_PANEL_URL", "https://b.github.io")];
        assert!(read(&shared).is_ok(), "a public suffix separates sites");
    }

    #[test]
    fn wrong_values_name_their_variable() {
        for (name, value) in [
            ("TAIKU_LISTEN", "8080"),
            ("TAIKU_PUBLIC_URL", "http://app.example"),
            ("TAIKU_PUBLIC_URL", "https://app.example/path"),
            ("TAIKU_PUBLIC_URL", "https://u:p@app.example"),
            ("TAIKU_INTEGRATIONS", "perhaps"),
            ("TAIKU_LOG_FORMAT", "xml"),
        ] {
            assert!(read(&[(name, value)]).unwrap_err().starts_with(name), "{name}={value}");
        }
        assert!(read(&[("TAIKU_ADMIN_EMAIL", "a@b.c")]).unwrap_err().contains("TAIKU_ADMIN_PASSWORD"));
    }

    #[test]
    fn a_secret_is_a_value_or_a_file() {
        let both = [("TAIKU_ROOT_KEY", "x"), ("TAIKU_ROOT_KEY_FILE", "y")];
        assert!(read(&both).unwrap_err().contains("give exactly one"));
        let config = read(&[("TAIKU_ADMIN_EMAIL", "a@b.c"), ("TAIKU_ADMIN_PASSWORD", "canary")]).unwrap();
        assert!(!format!("{config:?}").contains("canary"));
    }

    #[test]
    fn the_file_is_checked_and_the_environment_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taiku.toml");
        let load = |text: &str, environment: &[(&str, &str)]| {
            std::fs::write(&path, text).unwrap();
            let environment = environment.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
            Source::load(Some(&path), environment.collect::<Vec<_>>().into_iter())
                .and_then(|source| Config::read(&source, false))
                .map_err(|error| error.to_string())
        };
        let text = "listen = \"127.0.0.1:1\"\nplugin_dirs = [\"a\", \"b\"]\nintegrations = false";
        let config = load(text, &[("TAIKU_LISTEN", "127.0.0.1:2")]).unwrap();
        assert_eq!((config.listen.port(), config.plugin_dirs.len(), config.integrations), (2, 2, false));
        assert!(load("lisen = 1", &[]).unwrap_err().contains("`lisen` is not known"));
        assert!(load("listen = 1.5", &[]).unwrap_err().contains("`listen` must be"));
    }
}
