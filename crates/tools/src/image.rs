//! Images of the local file system, as a model is sent them.

use std::path::Path;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::whole_file::whole_file;

/// Above this an image is described instead of sent: providers refuse larger ones, and base64 adds a third.
const MAX_IMAGE: u64 = 20 << 20;

/// Reads an image into a data URL; says why where it is none that can be sent.
pub fn data_url(path: &Path) -> Result<String, String> {
    let bytes = whole_file(path, MAX_IMAGE)?;
    let kind = kind(&bytes).ok_or("it is not a PNG, JPEG, GIF or WebP image")?;
    Ok(format!("data:image/{kind};base64,{}", BASE64_STANDARD.encode(bytes)))
}

fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn what_is_an_image_is_told_by_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (bytes, expected) in [
            (&b"\x89PNG\r\n"[..], Ok("data:image/png;base64,iVBORw0K".to_owned())),
            (b"\xff\xd8\xff", Ok("data:image/jpeg;base64,/9j/".to_owned())),
            (b"GIF89a", Ok("data:image/gif;base64,R0lGODlh".to_owned())),
            (b"RIFF\0\0\0\0WAVE", Err("it is not a PNG, JPEG, GIF or WebP image".to_owned())),
            (b"", Err("it is not a PNG, JPEG, GIF or WebP image".to_owned())),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(data_url(&path), expected);
        }
        assert_eq!(data_url(folder.path()), Err("it is not a file".to_owned()));
    }
}
