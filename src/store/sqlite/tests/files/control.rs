//! Commands beside the daemon.

use super::*;

fn gone(delivery: &PendingDelivery) -> Attempt {
    Attempt {
        delivery: delivery.id,
        token: delivery.token,
        started_at: START,
        duration: Duration::ZERO,
        result: AttemptResult::Answered { code: 410, hint: None },
        detail: String::new(),
        next: Next::Gone,
        disable_after: Duration::MAX,
        awake: Duration::ZERO,
        is_trusted: true,
        kept_max: 100,
    }
}

#[tokio::test]
async fn commands_change_the_outbox_beside_the_daemon() {
    let place = Place::new();
    let store = place.open();
    store.sync(vec![wanted("one")].into(), true, context()).await.unwrap();
    let claim = async || {
        let permits = BTreeMap::from([("a".to_owned(), 8)]);
        store.claim(permits, LEASE, START).await.unwrap()
    };
    let first = claim().await;
    let disabled = store.record_attempt(gone(&first[0]), context()).await.unwrap().await.unwrap();
    assert!(disabled.is_some());
    assert!(claim().await.is_empty());
    let mut control = Control::open(&place.path(), "anna").unwrap();
    assert_eq!(control.receiver("a").unwrap().unwrap().pending, 1);
    assert!(control.receiver("b").unwrap().is_none());
    control.enable("a", START).unwrap();
    let rows = store.view().receivers(Page::first(9)).await.unwrap().rows;
    assert_eq!(rows[0].disabled, None, "whoever reads sees it at once");
    assert_eq!(claim().await[0].event_id, first[0].event_id, "and so does the daemon");
    assert_eq!(store.view().events(0, 9).await.unwrap().latest, 3);
    control.disable("a", START).unwrap();
    store.close().await.unwrap();
    drop(control);
    let store = place.open();
    let synced = store.sync(vec![wanted("one")].into(), true, context()).await.unwrap();
    assert_eq!(
        (synced.idle[0].name.as_str(), synced.idle[0].pending),
        ("a", 1),
        "it stays disabled"
    );
    store.close().await.unwrap();
}

#[tokio::test]
async fn commands_create_and_migrate_nothing_and_write_to_no_file_that_is_gone() {
    let place = Place::new();
    let refused = Control::open(&place.path(), "anna").unwrap_err().to_string();
    assert!(refused.contains("there is no database here"), "{refused}");
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0);
    closed(&place).await;
    let mut control = Control::open(&place.path(), "anna").unwrap();
    let aside = place.folder.path().join("aside");
    fs::rename(place.path(), &aside).unwrap();
    let refused = control.disable("a", START).unwrap_err();
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert!(why.contains("was removed or replaced while in use"), "{why}");
    fs::rename(&aside, place.path()).unwrap();
    assert_eq!(control.receiver("a").unwrap().unwrap().disabled, None, "nothing was changed");
    let noted: i64 = Connection::open(place.path())
        .unwrap()
        .query_row("SELECT count(*) FROM audit", [], |row| row.get(0))
        .unwrap();
    assert_eq!(noted, 0, "and nothing was noted");
    drop(control);
    Connection::open(place.path()).unwrap().pragma_update(None, "user_version", 1).unwrap();
    let refused = Control::open(&place.path(), "anna").unwrap_err().to_string();
    assert!(refused.contains("schema 1 is old; the daemon brings it up to date"), "{refused}");
}
