//! Database servers of a replay: the two protocols, as far as clients of the platforms speak them.
//!
//! There is no TLS. What went wrong before a server could speak was recorded as a failure, and comes back as an
//! error that has [`NO_ANSWER`](crate::net::record::NO_ANSWER) in the place of its origin. The neighbour `replay`
//! has the server over HTTP.

mod exchange;
mod postgres;
mod tds;

use std::io;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::script::Script;

/// Answers every connection from `script`.
pub(super) async fn serve(listener: TcpListener, script: Arc<Script>) {
    let mut sessions = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let script = Arc::clone(&script);
        // A client that hangs up ends its session.
        sessions.spawn(async move { session(stream, &script).await.ok() });
    }
}

/// Serves one session. TDS begins with the type of its first packet, the other protocol with a length.
async fn session(stream: TcpStream, script: &Script) -> io::Result<()> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first == [tds::PRE_LOGIN] {
        tds::serve(stream, script).await
    } else {
        postgres::serve(stream, script).await
    }
}
