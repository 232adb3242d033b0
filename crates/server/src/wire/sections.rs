//! Sections, how they look, and moves of threads between them.

use jsonrpc::RpcError;
use protocol::{PatchField, ThreadSection, ThreadSectionAppearance};
use threads::{Appearance, Patch, Section, SectionMove};

use crate::error::invalid;

/// Builds the wire form of a section.
pub(crate) fn section(section: Section) -> ThreadSection {
    let Section { id, name, appearance } = section;
    ThreadSection {
        id: id.to_string(),
        name,
        appearance: appearance.map(|Appearance { icon, color }| ThreadSectionAppearance { icon, color }),
    }
}

/// Reads how a section looks.
pub(crate) fn appearance(appearance: ThreadSectionAppearance) -> Appearance {
    let ThreadSectionAppearance { icon, color } = appearance;
    Appearance { icon, color }
}

/// Reads a patch of how a section looks; it is replaced as a whole.
pub(crate) fn appearance_patch(patch: PatchField<ThreadSectionAppearance>) -> Patch<Appearance> {
    match patch {
        PatchField::Keep => Patch::Keep,
        PatchField::Clear => Patch::Clear,
        PatchField::Set(to) => Patch::Set(appearance(to)),
    }
}

/// Reads where a thread is to go.
pub(crate) fn section_move(section: Option<&str>, before: Option<&str>) -> Result<SectionMove, RpcError> {
    match (section, before) {
        (None, None) => Ok(SectionMove::Out),
        (None, Some(_)) => Err(invalid("beforeThreadId requires a non-null sectionId")),
        (Some(section), _) if section.trim().is_empty() => Err(invalid("sectionId must not be empty")),
        (Some(section), before) => {
            let before = before.map(str::parse).transpose();
            let before = before.map_err(|cause| invalid(format!("invalid before thread id: {cause}")))?;
            Ok(SectionMove::Into { section: section.to_owned().into(), before })
        }
    }
}
