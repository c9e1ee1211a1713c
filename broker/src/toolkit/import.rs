//! A toolkit folder out of an OpenAPI document: what can be tools, where the API is, and how one signs in.

use serde_json::Value;
use taiku_bridge::Slug;

use super::address::{self, LoopbackHttp};
use super::naming::screaming;
use super::openapi::{Survey, survey};

/// The files of a new toolkit, and what did not become a part of it.
#[derive(Debug)]
pub struct Imported {
    /// Content of `toolkit.toml`.
    pub settings: String,
    /// Content of `openapi.json`.
    pub openapi: String,
    /// How many tools it has.
    pub tools: usize,
    /// Operations that were left out, and why.
    pub left_out: Vec<(String, String)>,
    /// What its author still has to say.
    pub open: Vec<String>,
}

/// Makes a toolkit of a document.
///
/// # Errors
/// When the document is no JSON, or of no version that can be read, or nothing of it can be a tool.
pub fn import(slug: &Slug, document: &[u8]) -> Result<Imported, String> {
    let root: Value = serde_json::from_slice(document).map_err(|error| format!("is not JSON: {error}"))?;
    let Survey { document, tools, left_out } = survey(&root, slug.as_str())?;
    let mut writer = Writer { prefix: screaming(slug.as_str()), settings: String::new(), open: Vec::new() };
    let info = |key: &str| root.pointer(&format!("/info/{key}")).and_then(Value::as_str).map(sentence);
    let name = info("title").filter(|name| !name.is_empty()).unwrap_or_else(|| slug.to_string());
    let about = info("description").filter(|about| !about.is_empty()).unwrap_or_else(|| name.clone());
    let base_url = writer.address("API_URL", "Address of the API", server(&root).as_deref());
    let auth = writer.auth(&root);
    let settings = format!(
        "name = {}\ndescription = {}\n{}\n{auth}\n[api]\nbase_url = {}\n\n[tools]\nopenapi = \"openapi.json\"\n",
        quoted(&name),
        quoted(&about),
        writer.settings,
        quoted(&base_url),
    );
    let openapi = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    Ok(Imported { settings, openapi, tools, left_out, open: writer.open })
}

/// The first line of a text, short enough for `toolkit.toml`.
fn sentence(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(300).collect()
}

/// A text as TOML writes it, which is JSON's way but for what JSON need not escape.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The first server's address, with the defaults of its variables.
fn server(root: &Value) -> Option<String> {
    let server = root.pointer("/servers/0")?;
    let mut url = server.get("url")?.as_str()?.trim_end_matches('/').to_owned();
    for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        let default = variable.get("default").and_then(Value::as_str).unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), default);
    }
    Some(url)
}

/// RFC 6749 section 3.3; some documents have sentences there.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

/// Writes `toolkit.toml` piece by piece.
struct Writer {
    prefix: String,
    settings: String,
    open: Vec<String>,
}

impl Writer {
    /// Makes a setting of an address, and gives what stands for it. One that cannot be used is left for the author.
    fn address(&mut self, suffix: &str, description: &str, url: Option<&str>) -> String {
        let key = format!("{}_{suffix}", self.prefix);
        let usable = url.filter(|url| {
            !url.contains(['{', '}', '?']) && address::check(url, LoopbackHttp::Refused).is_ok()
        });
        let value = match usable {
            Some(url) => format!("default = {}", quoted(url)),
            None => {
                let found = url.map_or_else(|| "names none".to_owned(), |url| format!("says `{url}`"));
                self.open
                    .push(format!("{key}: the document {found}; give it a default, or let admins set it"));
                "required = true".to_owned()
            }
        };
        let description = quoted(description);
        self.settings
            .push_str(&format!("\n[[settings]]\nkey = \"{key}\"\ndescription = {description}\n{value}\n"));
        format!("{{{key}}}")
    }

    /// How one signs in, by the first scheme of the document that taiku knows.
    fn auth(&mut self, root: &Value) -> String {
        let schemes = root.pointer("/components/securitySchemes").and_then(Value::as_object);
        let schemes: Vec<&Value> = schemes.into_iter().flat_map(|schemes| schemes.values()).collect();
        let code = schemes.iter().find_map(|scheme| scheme.pointer("/flows/authorizationCode"));
        if let Some(flow) = code {
            return self.oauth(flow);
        }
        let is = |scheme: &&&Value, kind: &str, name: &str| {
            let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
            text("type") == kind && (name.is_empty() || text("scheme").eq_ignore_ascii_case(name))
        };
        if schemes.iter().any(|scheme| is(&scheme, "http", "bearer")) {
            return "[auth]\nmode = \"api_key\"\n".to_owned();
        }
        if schemes.iter().any(|scheme| is(&scheme, "http", "basic")) {
            return "[auth]\nmode = \"basic\"\n".to_owned();
        }
        self.open
            .push("[auth]: the document does not say how to sign in; `none` is for open APIs".to_owned());
        "[auth]\nmode = \"none\"\n".to_owned()
    }

    fn oauth(&mut self, flow: &Value) -> String {
        let url = |key: &str| flow.get(key).and_then(Value::as_str);
        let authorize = self.address("AUTHORIZE_URL", "Where users consent", url("authorizationUrl"));
        let token = self.address("TOKEN_URL", "Where tokens are issued", url("tokenUrl"));
        let scopes = flow.get("scopes").and_then(Value::as_object);
        let scopes: Vec<String> = scopes
            .into_iter()
            .flat_map(|all| all.keys())
            .filter(|scope| is_scope(scope))
            .map(|scope| quoted(scope))
            .collect();
        if scopes.len() > 20 {
            self.open
                .push(format!("auth.scopes: the document has {}; keep those that are needed", scopes.len()));
        }
        format!(
            "[auth]\nmode = \"oauth2\"\nauthorize_url = {}\ntoken_url = {}\nscopes = [{}]\n",
            quoted(&authorize),
            quoted(&token),
            scopes.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::toolkit::{Folder, read};

    fn slug() -> Slug {
        Slug::parse("shop").unwrap()
    }

    fn document() -> Value {
        json!({
            "openapi": "3.0.3",
            "info": { "title": "Shop \"one\"", "description": "Things\nand more" },
            "servers": [{ "url": "https://{region}.shop.test/v1/", "variables": { "region": { "default": "eu" } } }],
            "paths": {
                "/things/{id}": {
                    "parameters": [{ "$ref": "#/components/parameters/id" }],
                    "get": { "summary": "Get a thing", "responses": { "200": { "description": "It." } } },
                    "put": {
                        "summary": "Change a thing",
                        "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } }
                    }
                },
                "/files": {
                    "post": { "summary": "Upload", "requestBody": { "content": { "multipart/form-data": {} } } },
                    "get": { "summary": "List", "parameters": [{ "name": "s", "in": "cookie" }] }
                },
                "/odd": {
                    "get": { "summary": "Odd", "parameters": [{ "name": "p", "in": "query", "schema": { "type": "string", "pattern": "(" } }] }
                }
            },
            "components": {
                "parameters": { "id": { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } } },
                "schemas": {
                    "Thing": { "type": "object", "properties": { "maker": { "$ref": "#/components/schemas/Maker" } } },
                    "Maker": { "type": "object" },
                    "Unused": { "type": "object" }
                },
                "securitySchemes": { "o": { "type": "oauth2", "flows": { "authorizationCode": {
                    "authorizationUrl": "https://shop.test/authorize", "tokenUrl": "/token", "scopes": { "read": "x", "two words": "y" }
                } } } }
            }
        })
    }

    #[test]
    fn what_can_be_tools_becomes_a_toolkit_and_the_rest_is_told() {
        let imported = import(&slug(), document().to_string().as_bytes()).unwrap();
        let left: Vec<&str> = imported.left_out.iter().map(|(what, _)| what.as_str()).collect();
        assert_eq!((imported.tools, left), (2, vec!["GET /files", "POST /files", "GET /odd"]));
        assert!(
            imported.open.iter().any(|open| open.starts_with("SHOP_TOKEN_URL: the document says `/token`")),
            "{:?}",
            imported.open
        );
        let files = [
            ("toolkit.toml", imported.settings.clone().into_bytes()),
            ("openapi.json", imported.openapi.clone().into_bytes()),
        ];
        let toolkit = read(&Folder::in_memory("shop", files))
            .unwrap_or_else(|faults| panic!("{faults:?}\n{}", imported.settings));
        assert_eq!((toolkit.name.as_str(), toolkit.description.as_str()), ("Shop \"one\"", "Things"));
        assert!(toolkit.tool("SHOP_GET_A_THING").is_some() && toolkit.tool("SHOP_CHANGE_A_THING").is_some());
        assert!(imported.settings.contains("default = \"https://eu.shop.test/v1\""), "{}", imported.settings);
        assert!(imported.openapi.contains("Maker") && !imported.openapi.contains("Unused"));
    }

    #[test]
    fn documents_that_are_none_are_refused_with_a_reason() {
        for (text, why) in [
            ("{", "is not JSON"),
            ("{}", "is missing"),
            (r#"{"swagger": "2.0", "paths": {}}"#, "OpenAPI 3.0 or 3.1"),
            (r#"{"openapi": "3.1.0", "paths": {}}"#, "has no operation"),
        ] {
            let error = import(&slug(), text.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
