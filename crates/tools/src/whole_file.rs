//! Files that a model is sent as a whole.

use std::{fs, path::Path};

/// Reads a file; says why where it is none that can be sent, or is longer than `most` bytes.
pub fn whole_file(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let file = path.metadata().map_err(|error| error.to_string())?;
    // A device or a pipe has no end that one could wait for.
    if !file.is_file() {
        return Err("it is not a file".to_owned());
    }
    let len = file.len();
    if len > most {
        return Err(format!("its {len} bytes are more than the {most} that are sent"));
    }
    fs::read(path).map_err(|error| error.to_string())
}
