//! Counter of requests over HTTP.

use axum::http::{Method, StatusCode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// Methods that are counted under their names; all others are one.
const METHODS: [Method; 5] =
    [Method::GET, Method::HEAD, Method::POST, Method::DELETE, Method::OPTIONS];

/// Counter by method and status code; a clone counts into the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests(Family<[(&'static str, String); 2], Counter>);

impl Requests {
    /// Counts a request that was answered.
    pub(super) fn answered(&self, method: &Method, status: StatusCode) {
        let method = if METHODS.contains(method) { method.as_str() } else { "other" };
        let code = status.as_str().to_owned();
        self.0.get_or_create(&[("method", method.to_owned()), ("code", code)]).inc();
    }

    /// Returns the counter, to be registered; a line of it is there from the start.
    pub(super) fn counter(&self) -> Family<[(&'static str, String); 2], Counter> {
        drop(self.0.get_or_create(&[("method", "GET".to_owned()), ("code", "200".to_owned())]));
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_of_others_are_counted_as_one() {
        let requests = Requests::default();
        for method in
            [Method::GET, Method::GET, Method::TRACE, Method::from_bytes(b"BREW").unwrap()]
        {
            requests.answered(&method, StatusCode::NOT_FOUND);
        }
        let count = |method: &str| {
            let labels = [("method", method.to_owned()), ("code", "404".to_owned())];
            requests.0.get_or_create(&labels).get()
        };
        assert_eq!([count("GET"), count("other"), count("TRACE")], [2, 2, 0]);
        let labels = [("method", "GET".to_owned()), ("code", "200".to_owned())];
        assert_eq!(Requests::default().counter().get(&labels).map(|one| one.get()), Some(0));
    }
}
