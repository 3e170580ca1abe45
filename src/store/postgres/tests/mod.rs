//! Tests of the engine that another one would not pass.

mod failover;
mod nodes;
mod plans;
mod server;

use super::Store;
use super::tx::Tx;
use crate::domain::Location;
use crate::store::Opening;
use crate::store::conformance::server::Database;

/// Opens a transaction in a fresh database, which goes with the returned value.
async fn fresh() -> (Database, Store, Tx) {
    let database = Database::create();
    let Location::Postgres(address) = database.location() else { panic!("it is on a server") };
    let store = Store::open(&address, &Opening::default()).await.unwrap();
    let tx = Tx::open(&store.shared.connections).await.unwrap();
    (database, store, tx)
}
