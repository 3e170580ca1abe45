//! `OAuth` 2.0 client: token requests, the client-credentials grant, and a cache of tokens.

mod assertion;
mod grant;
mod kept;
mod token;

pub(crate) use assertion::{Claimant, client_assertion};
pub(crate) use grant::{ClientCredentials, ClientProof};
pub(crate) use kept::KeptToken;
pub(crate) use token::{NoToken, Refusal, Token, TokenRequest, read, token};
