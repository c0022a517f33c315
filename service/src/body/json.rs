//! JSON, read exactly: no member twice, an object only where an object is meant, no NUL in any
//! text, and no more values than memory can bear.
//!
//! `serde` lets an array stand for a struct and `serde_json` lets the last of two members win;
//! whatever we read from outside goes through here, cursors included, so that neither can happen.

use std::cell::Cell;

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess,
        Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Error, Map, Value};

use super::NUL;
use crate::faults::Faults;

/// How many values a document may have: 1 MiB of small ones would take 30 MiB of memory.
const MAX_VALUES: usize = 20_000;

/// Why a document is refused.
#[derive(Debug)]
pub enum Fault {
    /// It is not JSON, names a member twice or has too many values.
    Syntax(Error),
    /// Some texts hold what PostgreSQL cannot.
    Texts(Faults),
    /// It is not of the shape that is meant.
    Shape(Error),
}

/// Reads a document.
///
/// # Errors
/// The first fault of its syntax, else all texts with NUL, else the first fault of its shape.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    from_value(parse(bytes)?).map_err(Fault::Shape)
}

/// Reads a document whose shape is still open.
///
/// # Errors
/// The first fault of its syntax, else all texts with NUL.
pub fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    let left = Cell::new(MAX_VALUES);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Exact(&left).deserialize(&mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value));
    let value = value.map_err(Fault::Syntax)?;
    let mut faults = Faults::new();
    find_nul("", &value, &mut faults);
    if faults.is_empty() {
        Ok(value)
    } else {
        Err(Fault::Texts(faults))
    }
}

/// Gives a value the shape that is meant.
///
/// # Errors
/// When it has another.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    T::deserialize(Strict(value))
}

/// Notes every text with NUL under its path, such as `redirect_uris.0`.
fn find_nul(path: &str, value: &Value, faults: &mut Faults) {
    let inner = |name: &str| {
        let name = name.replace('\0', "\u{fffd}");
        if path.is_empty() {
            name
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::String(text) if text.contains('\0') => faults.add(path, NUL),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                find_nul(&inner(&index.to_string()), value, faults);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                if name.contains('\0') {
                    faults.add(inner(name), NUL);
                }
                find_nul(&inner(name), value, faults);
            }
        }
        _ => {}
    }
}

/// Reads one value and all within it, counting down how many there may still be.
#[derive(Clone, Copy)]
struct Exact<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for Exact<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.0.get().checked_sub(1);
        self.0
            .set(left.ok_or_else(|| D::Error::custom("too many values"))?);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Exact<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(self)?;
            if members.contains_key(&name) {
                let name: String = name.chars().take(50).collect();
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

/// A value of which only an object makes a struct.
struct Strict(Value);

impl<'de> IntoDeserializer<'de, Error> for Strict {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Strict {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(values) => {
                let mut access = SeqDeserializer::new(values.into_iter().map(Strict));
                let made = visitor.visit_seq(&mut access)?;
                access.end().map(|()| made)
            }
            Value::Object(members) => {
                let members = members
                    .into_iter()
                    .map(|(name, value)| (name, Strict(value)));
                let mut access = MapDeserializer::new(members);
                let made = visitor.visit_map(&mut access)?;
                access.end().map(|()| made)
            }
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.0 {
            Value::Array(_) => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // `serde_json` takes `{"open": null}` for the word `open`.
        if self.0.is_object() {
            return Err(Error::invalid_type(Unexpected::Map, &"a word"));
        }
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Outer {
        name: String,
        #[serde(default)]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        colour: String,
    }

    fn outer(text: &str) -> Result<Outer, Fault> {
        read(text.as_bytes())
    }

    #[test]
    fn an_array_stands_for_no_object_at_any_depth() {
        let good = outer(r#"{"name":"a","inner":{"colour":"red"}}"#).unwrap();
        assert_eq!(good.inner.unwrap().colour, "red");
        for bad in [
            r#"["a",null]"#,
            r#"{"name":"a","inner":["red"]}"#,
            "7",
            "null",
        ] {
            assert!(matches!(outer(bad), Err(Fault::Shape(_))), "{bad}");
        }
    }

    #[test]
    fn a_member_twice_is_refused_at_any_depth() {
        for bad in [
            r#"{"name":"a","name":"a"}"#,
            r#"{"name":"a","x":{"y":1,"y":1}}"#,
            r#"{"name":"a","x":[{"y":1,"\u0079":1}]}"#,
        ] {
            assert!(matches!(outer(bad), Err(Fault::Syntax(_))), "{bad}");
        }
    }

    #[test]
    fn every_text_with_nul_is_named() {
        let text = r#"{"name":"a\u0000","x":[["b","\u0000"]],"y":{"\u0000":1}}"#;
        let Err(Fault::Texts(faults)) = outer(text) else {
            panic!("NUL is refused");
        };
        let problem: crate::Problem = faults.into();
        let summary = problem.summary();
        for path in ["name must", "x.0.1 must", "y.\u{fffd} must"] {
            assert!(summary.contains(path), "{path}: {summary}");
        }
    }

    #[test]
    fn documents_have_no_more_values_than_memory_can_bear() {
        let many = |count: usize| format!("[{}0]", "0,".repeat(count));
        assert!(parse(many(MAX_VALUES - 3).as_bytes()).is_ok());
        assert!(matches!(
            parse(many(MAX_VALUES).as_bytes()),
            Err(Fault::Syntax(_))
        ));
    }
}
