//! The messages between the two roles: JSON behind its length (32 bits, big endian). They carry secrets, so nothing here
//! has a `Debug` and the bytes are wiped when they are dropped.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use taiku_bridge::api::ConnectionChoice;
use taiku_bridge::{Code, Refusal};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use crate::events::Event;
use crate::failure::Failure;

/// Most bytes of a message. The largest is an authorization request with its scopes.
const MAX: usize = 1024 * 1024;

/// What is asked.
#[derive(Serialize, Deserialize)]
pub(super) struct Ask {
    /// Grows with each of a connection; the answer repeats it.
    pub(super) id: u64,
    /// The operation's name.
    pub(super) operation: String,
    /// What the operation is asked with.
    pub(super) body: Box<RawValue>,
}

/// What is said unasked, or in answer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    /// The answer to a question.
    Answer {
        /// Of the question.
        id: u64,
        /// What came of it.
        outcome: Result<Box<RawValue>, Failed>,
    },
    /// Something has changed.
    News {
        /// For whose pages.
        user_id: String,
        /// What.
        event: Event,
    },
}

/// A [`Failure`] on its way.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Failed {
    /// [`Failure::Refused`]
    Refused(Sentence),
    /// [`Failure::Choose`]
    Choose(Sentence, Vec<ConnectionChoice>),
    /// [`Failure::Wait`]
    Wait(Sentence, u64),
    /// [`Failure::Ended`]
    Ended(Sentence),
    /// [`Failure::Internal`]
    Internal(String),
}

/// A [`Refusal`] on its way.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sentence {
    code: Code,
    message: String,
    pointer: Option<String>,
}

impl From<Refusal> for Sentence {
    fn from(Refusal { code, message, pointer }: Refusal) -> Self {
        Self { code, message, pointer }
    }
}

impl From<Sentence> for Refusal {
    fn from(Sentence { code, message, pointer }: Sentence) -> Self {
        Self { code, message, pointer }
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Refused(refusal.into()),
            Failure::Choose(refusal, choices) => Self::Choose(refusal.into(), choices),
            Failure::Wait(refusal, seconds) => Self::Wait(refusal.into(), seconds),
            Failure::Ended(refusal) => Self::Ended(refusal.into()),
            Failure::Internal(text) => Self::Internal(text),
        }
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(sentence) => Self::Refused(sentence.into()),
            Failed::Choose(sentence, choices) => Self::Choose(sentence.into(), choices),
            Failed::Wait(sentence, seconds) => Self::Wait(sentence.into(), seconds),
            Failed::Ended(sentence) => Self::Ended(sentence.into()),
            Failed::Internal(text) => Self::Internal(text),
        }
    }
}

/// A message as it is sent.
pub(super) type Frame = Zeroizing<Vec<u8>>;

/// Writes a message down.
///
/// # Errors
/// When it has no JSON or is too long.
pub(super) fn frame(message: &impl Serialize) -> io::Result<Frame> {
    let text = Zeroizing::new(serde_json::to_vec(message)?);
    let length = u32::try_from(text.len()).ok().filter(|_| text.len() <= MAX);
    let length = length.ok_or_else(|| too_long(text.len()))?;
    // Reserved at once: a vector that grows leaves copies behind.
    let mut frame = Zeroizing::new(Vec::with_capacity(text.len() + 4));
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&text);
    Ok(frame)
}

/// Sends a message that was written down.
///
/// # Errors
/// When the connection is gone.
pub(super) async fn send(to: &mut (impl AsyncWrite + Unpin), frame: &Frame) -> io::Result<()> {
    to.write_all(frame).await?;
    to.flush().await
}

/// Reads the next message; `None` at the end between two messages.
///
/// # Errors
/// When the connection ends within a message, or what comes is none.
pub(super) async fn receive<M: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<M>> {
    let mut length = [0; 4];
    if from.read(&mut length[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut length[1..]).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX {
        return Err(too_long(length));
    }
    let mut text = Zeroizing::new(vec![0; length]);
    from.read_exact(&mut text).await?;
    Ok(Some(serde_json::from_slice(&text)?))
}

fn too_long(length: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a message of {length} bytes is longer than {MAX}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_failure_arrives_as_it_was() {
        let refusal = Refusal { pointer: Some("/a".into()), ..Refusal::new(Code::Busy, "Wait.") };
        let choice = ConnectionChoice { id: "con_1".into(), label: None, alias: None };
        let all = || {
            [
                Failure::Refused(refusal.clone()),
                Failure::Choose(refusal.clone(), vec![choice.clone()]),
                Failure::Wait(refusal.clone(), 7),
                Failure::Internal("text".into()),
            ]
        };
        for (sent, expected) in all().into_iter().zip(all()) {
            let text = serde_json::to_string(&Failed::from(sent)).unwrap();
            let came = Failure::from(serde_json::from_str::<Failed>(&text).unwrap());
            assert_eq!(format!("{came:?}"), format!("{expected:?}"));
        }
    }

    #[tokio::test]
    async fn messages_follow_each_other_and_the_end_is_told_from_a_cut() {
        let mut bytes = frame(&"one").unwrap().to_vec();
        bytes.extend_from_slice(&frame(&"two").unwrap());
        let mut whole = bytes.as_slice();
        assert_eq!(receive::<String>(&mut whole).await.unwrap().as_deref(), Some("one"));
        assert_eq!(receive::<String>(&mut whole).await.unwrap().as_deref(), Some("two"));
        assert_eq!(receive::<String>(&mut whole).await.unwrap(), None);
        let mut cut = &bytes[..6];
        assert!(receive::<String>(&mut cut).await.is_err());
    }

    #[tokio::test]
    async fn a_length_alone_takes_no_memory() {
        let mut bytes: &[u8] = &u32::MAX.to_be_bytes();
        let error = receive::<String>(&mut bytes).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_message_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let mut bytes = bytes.as_slice();
                while let Ok(Some(_)) = receive::<Ask>(&mut bytes).await {}
            });
        }
    }
}
