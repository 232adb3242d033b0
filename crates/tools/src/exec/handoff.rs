//! Three open files and some bytes, passed through a socket: how a command gets its input and outputs.
//!
//! The files travel with the length of the bytes, which come behind it.

use std::{
    io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use rustix::{
    io::{FdFlags, fcntl_setfd},
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
        SendFlags, recvmsg, sendmsg,
    },
};

/// The input, the output and the error output of a command.
pub(super) type Files = [OwnedFd; 3];

/// What is passed.
pub(super) struct Handoff {
    /// The files.
    pub files: Files,
    /// What the receiver has to know.
    pub bytes: Vec<u8>,
}

impl Handoff {
    /// Waits for what the other side passes.
    pub(super) fn receive(mut socket: &UnixStream) -> io::Result<Self> {
        let mut length = [0; 4];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut length)];
        let received = recvmsg(socket, &mut parts, &mut control, RecvFlags::empty())?.bytes;
        let files: Vec<OwnedFd> = control
            .drain()
            .filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(files) => Some(files),
                _ => None,
            })
            .flatten()
            .collect();
        // A process with one thread is in no hurry: nothing else starts a program meanwhile.
        files.iter().try_for_each(|file| fcntl_setfd(file, FdFlags::CLOEXEC))?;
        let files = files.try_into().map_err(|_| io::Error::from(ErrorKind::UnexpectedEof))?;
        socket.read_exact(&mut length[received..])?;
        let mut bytes = Vec::new();
        socket.take(u32::from_le_bytes(length).into()).read_to_end(&mut bytes)?;
        Ok(Self { files, bytes })
    }

    /// Passes everything to the other side.
    pub(super) fn send(&self, mut socket: &UnixStream) -> io::Result<()> {
        self.send_files(socket)?;
        socket.write_all(&self.bytes)
    }

    /// Passes the files and how many bytes will come, but not these.
    pub(super) fn send_files(&self, socket: impl AsFd) -> io::Result<()> {
        let length =
            u32::try_from(self.bytes.len()).map_err(|_| ErrorKind::ArgumentListTooLong)?.to_le_bytes();
        let files = self.files.each_ref().map(AsFd::as_fd);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        // The space is made for exactly this.
        control.push(SendAncillaryMessage::ScmRights(&files));
        // Four bytes go as a whole or not at all.
        sendmsg(socket, &[IoSlice::new(&length)], &mut control, SendFlags::empty())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn files_and_bytes_arrive_together() {
        let (here, there) = UnixStream::pair().unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        let files = [writer.try_clone().unwrap().into(), writer.try_clone().unwrap().into(), writer.into()];
        Handoff { files, bytes: b"what to run".into() }.send(&here).unwrap();

        let Handoff { files, bytes } = Handoff::receive(&there).unwrap();
        assert_eq!(bytes, b"what to run");
        for file in files {
            io::PipeWriter::from(file).write_all(b"x").unwrap();
        }
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "xxx");
    }

    #[test]
    fn a_side_that_hangs_up_passes_nothing() {
        let (here, there) = UnixStream::pair().unwrap();
        drop(here);
        assert!(Handoff::receive(&there).is_err());
    }
}
