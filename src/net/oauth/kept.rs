//! Cache of access tokens, which are kept until shortly before they expire.

use std::time::Duration;

use tokio::sync::Mutex;

use super::token::Token;
use crate::domain::{Secret, Timestamp};

/// Time before its expiry at which a token is replaced.
const MARGIN: Duration = Duration::from_mins(5);

/// Cache of one token, from run to run. Runs that come while it is being fetched wait for it.
#[derive(Debug, Default)]
pub(crate) struct KeptToken(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    token: Secret,
    until: Timestamp,
}

impl KeptToken {
    /// Returns the kept token, or a new one when there is none or it is about to expire.
    ///
    /// # Errors
    ///
    /// Returns the error of `fetch`; nothing is kept then.
    pub(crate) async fn current<E>(
        &self,
        now: Timestamp,
        fetch: impl AsyncFnOnce() -> Result<Token, E>,
    ) -> Result<Secret, E> {
        let mut kept = self.0.lock().await;
        if let Some(Kept { token, until }) = kept.as_ref()
            && now < *until
        {
            return Ok(token.clone());
        }
        *kept = None;
        let Token { value, lifetime } = fetch().await?;
        let until = now.plus(lifetime.saturating_sub(MARGIN));
        *kept = Some(Kept { token: value.clone(), until });
        Ok(value)
    }

    /// True when a token is kept, so that none has to be asked for.
    pub(crate) async fn is_current(&self, now: Timestamp) -> bool {
        self.0.lock().await.as_ref().is_some_and(|kept| now < kept.until)
    }

    /// Drops the kept token, if it is still `token`, which was refused before its expiry.
    pub(crate) async fn forget(&self, token: &Secret) {
        let mut kept = self.0.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.token.expose() == token.expose()) {
            *kept = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    #[tokio::test]
    async fn token_is_fetched_once_and_again_before_it_expires() {
        let kept = KeptToken::default();
        let fetched = std::cell::Cell::new(0);
        let get = async |now: Timestamp| {
            let fetch = async || {
                fetched.set(fetched.get() + 1);
                let value = Secret::new(format!("t{}", fetched.get()));
                Ok::<_, ()>(Token { value, lifetime: Duration::from_hours(1) })
            };
            kept.current(now, fetch).await.unwrap()
        };
        let minutes = |minutes| NOW.plus(Duration::from_mins(minutes));
        for (now, expected) in [(0, "t1"), (54, "t1"), (55, "t2"), (60, "t2")] {
            assert_eq!(get(minutes(now)).await.expose(), expected, "after {now} minutes");
            assert!(kept.is_current(minutes(now)).await);
        }
        assert!(!kept.is_current(minutes(120)).await);
        kept.forget(&Secret::new("t1".to_owned())).await;
        assert_eq!(get(minutes(60)).await.expose(), "t2");
        kept.forget(&Secret::new("t2".to_owned())).await;
        assert_eq!(get(minutes(60)).await.expose(), "t3");
        let failed = KeptToken::default();
        assert_eq!(failed.current(NOW, async || Err::<Token, _>("no")).await.unwrap_err(), "no");
    }
}
