//! What was measured: one row a quantity, one column a server, printed as a table or as JSON.
//!
//! The first server is ours: behind every other's value stands how many times ours it is.

use std::{fmt, time::Duration};

use serde_json::{Value, json};

/// A measured quantity.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A time.
    Time(Duration),
    /// An amount of memory, or of data.
    Bytes(u64),
    /// A number of things.
    Count(u64),
    /// Why there is no value.
    Failed(String),
}

/// All rows, in the order in which they were first measured.
#[derive(Debug)]
pub struct Sheet {
    servers: Vec<String>,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    title: String,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: String,
    budget: Option<Cell>,
    cells: Vec<Option<Cell>>,
}

/// One server's part of a group of rows.
pub struct Column<'a> {
    group: &'a mut Group,
    server: usize,
    servers: usize,
}

impl Sheet {
    /// Makes an empty sheet for servers; the first is ours.
    pub fn new(servers: impl IntoIterator<Item = String>) -> Self {
        Self { servers: servers.into_iter().collect(), groups: Vec::new() }
    }

    /// Returns the place for what is measured of a server under a title.
    pub fn column(&mut self, title: &str, server: usize) -> Column<'_> {
        let at = self.groups.iter().position(|group| group.title == title).unwrap_or_else(|| {
            self.groups.push(Group { title: title.to_owned(), rows: Vec::new() });
            self.groups.len() - 1
        });
        Column { group: &mut self.groups[at], server, servers: self.servers.len() }
    }

    /// Returns everything as JSON: times in milliseconds, memory in bytes.
    pub fn to_json(&self) -> Value {
        let cell = |cell: &Option<Cell>| cell.as_ref().map_or(Value::Null, Cell::to_json);
        let row = |row: &Row| {
            let values: serde_json::Map<_, _> =
                self.servers.iter().cloned().zip(row.cells.iter().map(cell)).collect();
            json!({ "what": row.what, "budget": cell(&row.budget), "values": values })
        };
        let group = |group: &Group| json!({ "title": group.title, "rows": group.rows.iter().map(row).collect::<Vec<_>>() });
        self.groups.iter().map(group).collect()
    }
}

impl Column<'_> {
    /// Puts a value, or why there is none.
    pub fn put(&mut self, what: &str, value: anyhow::Result<Cell>) {
        self.put_beside(what, None, value);
    }

    /// Puts a value that has a budget.
    pub fn put_beside(&mut self, what: &str, budget: Option<Cell>, value: anyhow::Result<Cell>) {
        let cell = value.unwrap_or_else(|error| Cell::Failed(format!("{error:#}")));
        eprintln!("  {what}: {cell}");
        let rows = &mut self.group.rows;
        let at = rows.iter().position(|row| row.what == what).unwrap_or_else(|| {
            rows.push(Row { what: what.to_owned(), budget, cells: vec![None; self.servers] });
            rows.len() - 1
        });
        rows[at].cells[self.server] = Some(cell);
    }
}

/// The table, in Markdown.
impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.groups {
            writeln!(f, "| {} | budget | {} |", group.title, self.servers.join(" | "))?;
            writeln!(f, "| --- | --: |{}", " --: |".repeat(self.servers.len()))?;
            for row in &group.rows {
                let ours = row.cells.first().and_then(Option::as_ref);
                write!(
                    f,
                    "| {} | {} |",
                    row.what,
                    row.budget.as_ref().map(Cell::to_string).unwrap_or_default()
                )?;
                for (number, cell) in row.cells.iter().enumerate() {
                    match cell {
                        None => write!(f, " |")?,
                        Some(cell) if number == 0 => write!(f, " {cell} |")?,
                        Some(cell) => write!(f, " {cell}{} |", Ratio(ours, cell))?,
                    }
                }
                writeln!(f)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Cell {
    fn to_json(&self) -> Value {
        match self {
            Self::Time(time) => json!(time.as_secs_f64() * 1000.0),
            Self::Bytes(number) | Self::Count(number) => json!(number),
            Self::Failed(why) => json!({ "failed": why }),
        }
    }

    /// Returns the value as a number, for comparison with another of its kind.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Time(time) => Some(time.as_secs_f64()),
            Self::Bytes(number) => Some(*number as f64),
            Self::Count(_) | Self::Failed(_) => None,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) if time.as_millis() >= 10_000 => write!(f, "{:.0} s", time.as_secs_f64()),
            Self::Time(time) if time.as_millis() >= 1000 => write!(f, "{:.1} s", time.as_secs_f64()),
            Self::Time(time) if time.as_millis() >= 20 => write!(f, "{} ms", time.as_millis()),
            Self::Time(time) if time.as_micros() >= 100 => write!(f, "{:.1} ms", time.as_secs_f64() * 1e3),
            Self::Time(time) => write!(f, "{} µs", time.as_micros()),
            Self::Bytes(bytes) if *bytes >= 10 << 30 => write!(f, "{} GiB", bytes >> 30),
            Self::Bytes(bytes) if *bytes >= 1 << 30 => {
                write!(f, "{:.1} GiB", *bytes as f64 / (1u64 << 30) as f64)
            }
            Self::Bytes(bytes) if *bytes >= 10 << 20 => write!(f, "{} MiB", bytes >> 20),
            Self::Bytes(bytes) if *bytes >= 100 << 10 => {
                write!(f, "{:.1} MiB", *bytes as f64 / (1u64 << 20) as f64)
            }
            Self::Bytes(bytes) if *bytes >= 1 << 10 => write!(f, "{} KiB", bytes >> 10),
            Self::Bytes(bytes) => write!(f, "{bytes} B"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Failed(why) => {
                let why: String = why.chars().take(60).collect();
                write!(f, "none: {}", why.replace(['|', '\n'], " "))
            }
        }
    }
}

/// How many times our value another one is.
struct Ratio<'a>(Option<&'a Cell>, &'a Cell);

impl fmt::Display for Ratio<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.and_then(Cell::number), self.1.number()) {
            (Some(ours), Some(theirs)) if ours > 0.0 && theirs / ours >= 10.0 => {
                write!(f, " (×{:.0})", theirs / ours)
            }
            (Some(ours), Some(theirs)) if ours > 0.0 => write!(f, " (×{:.1})", theirs / ours),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_table_shows_ours_beside_theirs_with_the_ratio() {
        let mut sheet = Sheet::new(["ours".to_owned(), "theirs".to_owned()]);
        let millis = |millis| Cell::Time(Duration::from_millis(millis));
        let mut ours = sheet.column("empty home", 0);
        ours.put_beside("start", Some(millis(6)), Ok(millis(4)));
        ours.put("threads", Ok(Cell::Count(5)));
        let mut theirs = sheet.column("empty home", 1);
        theirs.put("start", Ok(millis(119)));
        theirs.put("memory", Ok(Cell::Bytes(189 << 20)));
        theirs.put("threads", Err(anyhow!("it is | gone")));
        assert_eq!(
            sheet.to_string(),
            "| empty home | budget | ours | theirs |\n\
             | --- | --: | --: | --: |\n\
             | start | 6.0 ms | 4.0 ms | 119 ms (×30) |\n\
             | threads |  | 5 | none: it is   gone |\n\
             | memory |  | | 189 MiB |\n\n"
        );
        assert_eq!(sheet.to_json()[0]["rows"][0]["values"], json!({ "ours": 4.0, "theirs": 119.0 }));
    }
}
