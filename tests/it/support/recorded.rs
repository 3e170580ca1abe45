//! Server of recorded answers, from the cases of the platforms' folders, where no third-party server has
//! them.

use std::fs;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};

/// Server on a port of its own, stopped when dropped.
pub(crate) struct Recorded {
    /// URL of the server: `http://127.0.0.1:PORT`.
    pub(crate) endpoint: String,
    routes: Routes,
    _runtime: tokio::runtime::Runtime,
}

/// The beginning of a request line, and the file of `src/platforms` that answers it.
type Routes = Arc<Mutex<Vec<(String, String)>>>;

impl Recorded {
    /// Serves `routes`, each such as `("POST /token", "bigquery/testcases/all-well/token.http")`; the
    /// first that fits counts.
    pub(crate) fn start(routes: &[(&str, &str)]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let served = Routes::default();
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&served));
        runtime.spawn(async move { axum::serve(listener, app).await.unwrap() });
        let recorded = Self { endpoint, routes: served, _runtime: runtime };
        recorded.serve(routes);
        recorded
    }

    /// Serves other routes from now on.
    pub(crate) fn serve(&self, routes: &[(&str, &str)]) {
        let owned = routes.iter().map(|(line, file)| ((*line).to_owned(), (*file).to_owned()));
        *self.routes.lock().unwrap() = owned.collect();
    }
}

async fn answer(State(routes): State<Routes>, request: Request) -> Response<Body> {
    let line = format!("{} {}", request.method(), request.uri());
    let file = {
        let routes = routes.lock().unwrap();
        routes.iter().find(|(begin, _)| line.starts_with(begin)).map(|(_, file)| file.clone())
    };
    let Some(file) = file else {
        let unknown = Response::builder().status(StatusCode::NOT_IMPLEMENTED);
        return unknown.body(Body::from(format!("not recorded: {line}"))).unwrap();
    };
    let text = fs::read_to_string(format!("src/platforms/{file}")).unwrap();
    let (_, text) = text.split_once('\n').unwrap();
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut built = Response::builder().status(lines.next().unwrap().parse::<u16>().unwrap());
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        built = built.header(name, value);
    }
    built.body(Body::from(body.to_owned())).unwrap()
}
