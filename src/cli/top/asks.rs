//! Questions of `top` to daemons that come and go.

use super::Watched;
use super::model::Model;
use crate::cli::samples::screen;
use crate::cli::stand_in::Place;
use crate::store::{Store, View};
use crate::view::{Live, Liveness};

#[tokio::test]
async fn figures_are_those_of_the_daemon_that_answers() {
    let place = Place::new();
    let location = place.path("state.db").into();
    let _store = Store::open(&location).await.unwrap();
    let view = View::open(&location).await.unwrap();
    let epoch = view.epoch().await.unwrap();
    let figures = |runs_in_flight| Live { epoch: epoch.clone(), runs_in_flight, ..Live::sample() };
    let serve = |name: &str, runs| {
        let body = serde_json::to_string(&figures(runs)).unwrap();
        place.serve(name, &[("/api/v1/live", 200, &body)])
    };
    let mut model = Model::new(screen());
    let mut watched = Watched {
        view,
        location: &location,
        author: String::new(),
        state: Liveness::Running,
        sockets: place.sockets(&["a.sock", "b.sock"]),
        figures: None,
        asked: None,
        seen: None,
    };
    watched.look(&mut model).await.unwrap();
    assert_eq!(model.live, None, "no daemon answers");
    let first = serve("a.sock", 1);
    watched.look(&mut model).await.unwrap();
    assert_eq!(model.live, None, "it is looked for once in a while");
    for (name, runs) in [("a.sock", 1), ("b.sock", 2)] {
        if name == "b.sock" {
            serve(name, runs);
            first.abort();
        }
        watched.asked = None;
        watched.look(&mut model).await.unwrap();
        assert_eq!(model.live, Some(figures(runs)), "{name}");
        assert!(watched.figures.is_some());
    }
    watched.sockets = place.sockets(&[]);
    watched.look(&mut model).await.unwrap();
    assert_eq!(model.live, Some(figures(2)), "it was asked a moment ago");
}
