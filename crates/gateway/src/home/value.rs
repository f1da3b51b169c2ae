//! What stands in a column, and in a row.

use anyhow::{Context, Result, bail};

/// What stands in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// An integer.
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// Whether every home has a place for it: PostgreSQL has no NUL in a text.
    pub(crate) fn can_be_kept(&self) -> bool {
        !matches!(self, Self::Text(text) if text.contains('\0'))
    }
}

/// Values from whatever becomes one.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::home::Value::from($value)),*][..] };
}
pub(crate) use values;

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<u32> for Value {
    fn from(integer: u32) -> Self {
        Self::Integer(integer.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row, whose columns are taken from left to right.
#[derive(Debug, Clone)]
pub struct Row(std::vec::IntoIter<Value>);

impl From<Vec<Value>> for Row {
    fn from(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }
}

impl Row {
    /// All columns that were not taken yet.
    pub fn into_values(self) -> Vec<Value> {
        self.0.collect()
    }

    /// The next column, whatever it holds.
    pub fn value(&mut self) -> Result<Value> {
        self.0.next().context("The row has no such column")
    }

    /// The next column.
    pub fn integer(&mut self) -> Result<i64> {
        self.integer_or_null()?.context("A column does not hold an integer")
    }

    /// The next column.
    pub fn integer_or_null(&mut self) -> Result<Option<i64>> {
        match self.value()? {
            Value::Integer(integer) => Ok(Some(integer)),
            Value::Null => Ok(None),
            _ => bail!("A column does not hold an integer"),
        }
    }

    /// The next column.
    pub fn text(&mut self) -> Result<String> {
        self.text_or_null()?.context("A column does not hold text")
    }

    /// The next column.
    pub fn text_or_null(&mut self) -> Result<Option<String>> {
        match self.value()? {
            Value::Text(text) => Ok(Some(text)),
            Value::Null => Ok(None),
            _ => bail!("A column does not hold text"),
        }
    }

    /// The next column.
    pub fn blob(&mut self) -> Result<Vec<u8>> {
        match self.value()? {
            Value::Blob(bytes) => Ok(bytes),
            _ => bail!("A column does not hold bytes"),
        }
    }

    /// The next column, be it text or bytes.
    pub fn raw(&mut self) -> Result<Vec<u8>> {
        match self.value()? {
            Value::Text(text) => Ok(text.into_bytes()),
            Value::Blob(bytes) => Ok(bytes),
            _ => bail!("A column holds neither text nor bytes"),
        }
    }

    /// The next column, which holds so many bytes.
    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.blob()?.try_into().ok().with_context(|| format!("A column does not hold {N} bytes"))
    }
}
