//! Names and values as `application/x-www-form-urlencoded`, in a query or a body.

use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::scalar;
use crate::toolkit::tool::Style;

/// A query or form that is being written.
#[derive(Debug, Default)]
pub(in crate::toolkit) struct Form {
    text: String,
}

impl Form {
    /// Adds one parameter in its style. Null is left out.
    pub(in crate::toolkit) fn add(
        &mut self,
        name: &str,
        value: &Value,
        style: Style,
    ) -> Result<(), &'static str> {
        match (style, value) {
            (_, Value::Null) => Ok(()),
            (Style::Json, value) => {
                self.pair(name, &encode(&value.to_string()));
                Ok(())
            }
            (Style::Repeated, Value::Array(items)) => {
                items.iter().try_for_each(|item| self.scalar(name, item))
            }
            (Style::Repeated, Value::Object(fields)) => {
                fields.iter().try_for_each(|(field, value)| self.scalar(field, value))
            }
            (Style::Joined(separator), Value::Array(items)) => {
                let texts: Option<Vec<String>> =
                    items.iter().map(|item| Some(encode(&scalar(item)?))).collect();
                self.pair(name, &texts.ok_or(NESTED)?.join(separator));
                Ok(())
            }
            (Style::Joined(_), Value::Object(_)) => Err(NESTED),
            (Style::Deep, value) => {
                self.deep(name, value);
                Ok(())
            }
            (_, one) => self.scalar(name, one),
        }
    }

    /// Writes lists and objects with brackets, to any depth.
    fn deep(&mut self, name: &str, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (field, value) in fields {
                    self.deep(&format!("{name}[{field}]"), value);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.deep(&format!("{name}[{index}]"), item);
                }
            }
            one => {
                if let Some(text) = scalar(one) {
                    self.pair(name, &encode(&text));
                }
            }
        }
    }

    fn scalar(&mut self, name: &str, value: &Value) -> Result<(), &'static str> {
        let text = scalar(value).ok_or(NESTED)?;
        self.pair(name, &encode(&text));
        Ok(())
    }

    fn pair(&mut self, name: &str, encoded: &str) {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.extend(byte_serialize(name.as_bytes()));
        self.text.push('=');
        self.text.push_str(encoded);
    }

    pub(in crate::toolkit) fn finish(self) -> String {
        self.text
    }
}

const NESTED: &str = "must hold texts, numbers or booleans and no further lists or objects";

fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(value: &Value, style: Style) -> Result<String, &'static str> {
        let mut form = Form::default();
        form.add("a", value, style)?;
        Ok(form.finish())
    }

    #[test]
    fn each_style_is_written_as_openapi_says() {
        assert_eq!(form(&json!("x y&z=ü"), Style::Repeated).unwrap(), "a=x+y%26z%3D%C3%BC");
        assert_eq!(form(&json!(["1,2", 3]), Style::Repeated).unwrap(), "a=1%2C2&a=3");
        assert_eq!(form(&json!({"b": 1, "c": true}), Style::Repeated).unwrap(), "b=1&c=true");
        assert_eq!(form(&json!(["1,2", 3]), Style::Joined(",")).unwrap(), "a=1%2C2,3");
        assert_eq!(
            form(&json!({"gte": 1, "in": ["x"]}), Style::Deep).unwrap(),
            "a%5Bgte%5D=1&a%5Bin%5D%5B0%5D=x"
        );
        assert_eq!(form(&json!({"b": 1}), Style::Json).unwrap(), "a=%7B%22b%22%3A1%7D");
        assert_eq!(form(&json!(null), Style::Json).unwrap(), "");
        assert_eq!(form(&json!([[1]]), Style::Repeated), Err(NESTED));
    }
}
