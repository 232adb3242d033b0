//! Which shell a line is for.

use std::path::Path;

/// Where shells that read lines as models write them are looked for, the most likely first.
const SHELLS: [&str; 4] = ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash", "/bin/sh"];

/// Returns the argv that has a shell run a line.
pub(crate) fn argv(shell: Option<&str>, login: bool, line: &str) -> Vec<String> {
    let own = || SHELLS.into_iter().find(|shell| Path::new(shell).exists()).unwrap_or("sh").to_owned();
    let shell = shell.filter(|shell| !shell.is_empty()).map_or_else(own, str::to_owned);
    vec![shell, if login { "-lc" } else { "-c" }.to_owned(), line.to_owned()]
}
