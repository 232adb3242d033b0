//! Reads typed values out of a table and remembers what was asked for.

use std::{collections::BTreeMap, time::Duration};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::keys;

/// A value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) path: Vec<String>,
    pub(crate) message: String,
}

/// One table of the merged configuration; one that is not there is empty.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    table: Option<&'a Table>,
    path: Vec<String>,
    read: Vec<&'static str>,
}

/// One of the tables of a table, by its name.
pub(crate) type Entry<'a> = (&'a String, Result<Section<'a>, Invalid>);

impl<'a> Section<'a> {
    pub(crate) fn root(table: &'a Table) -> Self {
        Self { table: Some(table), path: Vec::new(), read: Vec::new() }
    }

    /// Reads a value of any type that TOML has.
    pub(crate) fn get<T: DeserializeOwned>(&mut self, key: &'static str) -> Result<Option<T>, Invalid> {
        self.value(key).map(|value| decode(value, &self.path_of(key))).transpose()
    }

    /// Reads an integer that counts something.
    pub(crate) fn count(&mut self, key: &'static str) -> Result<Option<u64>, Invalid> {
        let Some(number) = self.get::<i64>(key)? else { return Ok(None) };
        let refuse = |_| {
            invalid(&self.path_of(key), &format!("invalid value: integer `{number}`, expected 0 or more"))
        };
        u64::try_from(number).map(Some).map_err(refuse)
    }

    /// Reads a table of like values, so that a bad one is named by its own key.
    pub(crate) fn map<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
    ) -> Result<BTreeMap<String, T>, Invalid> {
        let Section { table, path, .. } = self.section(key)?;
        let one = |(name, value): (&String, &Value)| Ok((name.clone(), decode(value, &below(&path, name))?));
        table.into_iter().flatten().map(one).collect()
    }

    /// Goes into a table.
    pub(crate) fn section(&mut self, key: &'static str) -> Result<Section<'a>, Invalid> {
        Self::within(self.value(key), self.path_of(key))
    }

    /// Goes into each table of a table, whatever their names; what is no table is for the caller to bear or not.
    pub(crate) fn sections(&mut self, key: &'static str) -> Result<Vec<Entry<'a>>, Invalid> {
        let Section { table, path, .. } = self.section(key)?;
        let one =
            |(name, value): (&'a String, &'a Value)| (name, Self::within(Some(value), below(&path, name)));
        Ok(table.into_iter().flatten().map(one).collect())
    }

    /// Reads a length of time in seconds, fractions included.
    pub(crate) fn seconds(&mut self, key: &'static str) -> Result<Option<Duration>, Invalid> {
        let Some(seconds) = self.get::<f64>(key)? else { return Ok(None) };
        let refuse = |_| {
            invalid(&self.path_of(key), &format!("invalid value: `{seconds}`, expected 0 or more seconds"))
        };
        Duration::try_from_secs_f64(seconds).map(Some).map_err(refuse)
    }

    /// Makes the error of a table whose values do not fit together.
    pub(crate) fn refuse(&self, message: &str) -> Invalid {
        invalid(&self.path, message)
    }

    /// Returns the names in this table that nothing has asked for.
    pub(crate) fn unread(&self) -> impl Iterator<Item = Vec<String>> {
        let names = self.table.into_iter().flat_map(Table::keys);
        names.filter(|name| !self.read.contains(&name.as_str())).map(|name| below(&self.path, name))
    }

    fn within(value: Option<&'a Value>, path: Vec<String>) -> Result<Self, Invalid> {
        let table = match value {
            None => None,
            Some(Value::Table(table)) => Some(table),
            // Asks the decoder for the words.
            Some(other) => {
                return Err(decode::<Table>(other, &path)
                    .err()
                    .unwrap_or_else(|| invalid(&path, "no table")));
            }
        };
        Ok(Self { table, path, read: Vec::new() })
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.read.push(key);
        self.table?.get(key)
    }

    fn path_of(&self, key: &str) -> Vec<String> {
        below(&self.path, key)
    }
}

fn below(path: &[String], key: &str) -> Vec<String> {
    path.iter().cloned().chain([key.to_owned()]).collect()
}

fn decode<T: DeserializeOwned>(value: &Value, path: &[String]) -> Result<T, Invalid> {
    value.clone().try_into().map_err(|error: toml::de::Error| invalid(path, error.message()))
}

fn invalid(path: &[String], message: &str) -> Invalid {
    Invalid { path: path.to_vec(), message: format!("{message}, in `{}`", keys::join(path)) }
}
