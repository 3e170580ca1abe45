//! Stand-in for the clusters that the nodes validate, each below a path of its own. It knows the node that asks by its
//! token, and counts integrations about which two nodes ask at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::time::{Instant, sleep};

use super::super::around;

/// Time until a request is answered, so that some runs are under way at any moment.
const ANSWER: Duration = Duration::from_millis(150);
/// Statement by which a run begins to use its token.
const FIRST: &str = "SELECT current_user";
/// Catalog of each cluster, which disappears and comes back.
pub(super) const CATALOG: &str = "lake";

/// Clusters by the name of their integration.
#[derive(Debug, Default)]
pub(super) struct Clusters(Mutex<Books>);

/// Books on the requests.
#[derive(Debug, Default)]
struct Books {
    /// Clusters whose catalog is gone.
    broken: BTreeSet<String>,
    /// Nodes that wait for an answer, by cluster.
    asking: BTreeMap<String, Vec<String>>,
    /// Runs that each node began.
    runs: BTreeMap<String, u64>,
    /// Times that a node asked about an integration while another one did.
    overlaps: u64,
    /// Node that was killed, and clusters that it was asking then, each with the node that has taken its run over.
    left: Option<(String, BTreeMap<String, Option<Takeover>>)>,
}

/// Run of a node that was killed, begun by another one.
#[derive(Clone, Debug)]
pub(super) struct Takeover {
    /// Node that has begun it.
    pub(super) by: String,
    /// Instant of its first request.
    pub(super) at: Instant,
}

/// Request that is not answered yet.
struct Asking {
    clusters: Arc<Clusters>,
    cluster: String,
    node: String,
}

impl Clusters {
    /// Returns the routes; every address is answered by one function.
    pub(super) fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(serve).with_state(self)
    }

    /// Takes the catalog of a cluster away, or puts it back.
    pub(super) fn set_broken(&self, cluster: &str, is_broken: bool) {
        let mut books = self.books();
        if is_broken {
            books.broken.insert(cluster.to_owned());
        } else {
            books.broken.remove(cluster);
        }
    }

    /// Returns the number of runs that each node has begun.
    pub(super) fn runs(&self) -> BTreeMap<String, u64> {
        self.books().runs.clone()
    }

    /// Returns how often two nodes asked about one integration at once.
    pub(super) fn overlaps(&self) -> u64 {
        self.books().overlaps
    }

    /// Returns the node that asks about most clusters now, with those clusters.
    pub(super) fn busiest(&self) -> Option<(String, Vec<String>)> {
        let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let books = self.books();
        for (cluster, nodes) in &books.asking {
            for node in nodes {
                all.entry(node).or_default().push(cluster.clone());
            }
        }
        let most = all.into_iter().max_by_key(|(_, clusters)| clusters.len());
        most.map(|(node, clusters)| (node.to_owned(), clusters))
    }

    /// Notes that a node was killed while it asked about these clusters.
    pub(super) fn leave(&self, node: &str, clusters: &[String]) {
        let left = clusters.iter().map(|name| (name.clone(), None)).collect();
        self.books().left = Some((node.to_owned(), left));
    }

    /// Returns the runs that were taken over from the node that was killed; none while one of them was not.
    pub(super) fn taken_over(&self) -> Option<BTreeMap<String, Takeover>> {
        let books = self.books();
        let (_, left) = books.left.as_ref()?;
        left.iter().map(|(name, taken)| Some((name.clone(), taken.clone()?))).collect()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request, until the returned value is dropped.
    fn enter(self: &Arc<Self>, cluster: &str, node: &str, statement: &str) -> Asking {
        let mut books = self.books();
        let Books { asking, runs, overlaps, left, .. } = &mut *books;
        let asking = asking.entry(cluster.to_owned()).or_default();
        *overlaps += u64::from(asking.iter().any(|other| other != node));
        asking.push(node.to_owned());
        if statement == FIRST {
            *runs.entry(node.to_owned()).or_default() += 1;
        }
        if let Some((dead, left)) = left
            && dead != node
            && let Some(taken @ None) = left.get_mut(cluster)
        {
            *taken = Some(Takeover { by: node.to_owned(), at: Instant::now() });
        }
        let (cluster, node) = (cluster.to_owned(), node.to_owned());
        Asking { clusters: Arc::clone(self), cluster, node }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut books = self.clusters.books();
        let Some(asking) = books.asking.get_mut(&self.cluster) else { return };
        if let Some(place) = asking.iter().position(|node| *node == self.node) {
            asking.swap_remove(place);
        }
    }
}

/// Returns the token of a node: all are of the same subject, and end in the node's name.
pub(super) fn token(node: &str, claims: &str) -> String {
    let unsigned = claims.rsplit_once('.').map_or(claims, |(unsigned, _)| unsigned);
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(node))
}

/// Returns the node whose token a request has.
fn node(headers: &HeaderMap) -> Option<String> {
    let sent = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let name = URL_SAFE_NO_PAD.decode(sent.rsplit_once('.')?.1).ok()?;
    String::from_utf8(name).ok()
}

async fn serve(
    State(clusters): State<Arc<Clusters>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let statement = String::from_utf8_lossy(&body);
    let cluster = uri.path().split('/').nth(1).unwrap_or_default();
    let asking = node(&headers).map(|node| clusters.enter(cluster, &node, &statement));
    sleep(ANSWER).await;
    let is_broken = clusters.books().broken.contains(cluster);
    let catalogs: &[&str] = if is_broken { &["system"] } else { &[CATALOG, "system"] };
    let answer = around::reply(&method, &statement, catalogs).to_string();
    drop(asking);
    ([(header::CONTENT_TYPE, "application/json")], answer).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clusters() -> Arc<Clusters> {
        Arc::new(Clusters::default())
    }

    #[test]
    fn node_is_known_by_its_token() {
        let mut headers = HeaderMap::new();
        let sent = format!("Bearer {}", token("b", "head.claims.none"));
        headers.insert(header::AUTHORIZATION, sent.parse().unwrap());
        assert_eq!(node(&headers).as_deref(), Some("b"));
        assert_eq!(node(&HeaderMap::new()), None);
    }

    #[test]
    fn requests_of_two_nodes_about_one_cluster_overlap_only_while_both_wait() {
        let clusters = clusters();
        let first = clusters.enter("one", "a", FIRST);
        let _other = clusters.enter("two", "b", FIRST);
        let _same = clusters.enter("one", "a", "SELECT 1");
        assert_eq!((clusters.overlaps(), clusters.busiest().unwrap().0.as_str()), (0, "a"));
        drop(first);
        let _second = clusters.enter("one", "b", "SELECT 1");
        assert_eq!(clusters.overlaps(), 1);
        assert_eq!(clusters.runs(), [("a".to_owned(), 1), ("b".to_owned(), 1)].into());
    }

    #[test]
    fn run_is_taken_over_by_another_node_than_the_one_that_was_killed() {
        let clusters = clusters();
        assert!(clusters.taken_over().is_none());
        clusters.leave("b", &["one".to_owned()]);
        for (name, is_over) in [("b", false), ("a", true), ("c", true)] {
            drop(clusters.enter("one", name, FIRST));
            assert_eq!(clusters.taken_over().is_some(), is_over, "{name}");
        }
        assert_eq!(clusters.taken_over().unwrap()["one"].by, "a");
    }
}
