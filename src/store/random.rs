//! Random numbers of the store: identifiers of events, incidents and outages, and lease tokens.
//!
//! Decisions never draw one; they are given what the store has drawn.

use uuid::{Builder, Uuid};

use super::StoreError;

/// Draws `LENGTH` random bytes.
pub(super) fn bytes<const LENGTH: usize>() -> Result<[u8; LENGTH], StoreError> {
    let mut bytes = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_unspecified| StoreError::Random)?;
    Ok(bytes)
}

/// Draws a number from 0 to 2⁶³ - 1: two draws are never equal in practice.
pub(super) fn number() -> Result<i64, StoreError> {
    Ok(i64::from_ne_bytes(bytes()?) & i64::MAX)
}

/// Draws the identity of a new database, a random UUID.
pub(super) fn epoch() -> Result<String, StoreError> {
    let uuid: Uuid = Builder::from_random_bytes(bytes()?).into_uuid();
    Ok(uuid.to_string())
}
