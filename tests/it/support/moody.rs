//! Receiver that misbehaves in one way, its mood, and keeps every complete request.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

use super::{Delivery, Dice};

/// Behaviour of a receiver towards its sender.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    /// Answers each request at once.
    Fine,
    /// Takes 200 to 500 ms for each answer.
    Slow,
    /// Answers 15 in 100 requests with 500 and hangs up on 10 in 100.
    Flapping,
    /// Does not listen for this long.
    Dead(Duration),
    /// Answers a third of the requests with 429 and asks for a wait of a second.
    Throttling,
}

/// One complete request, with its time.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// Instant at which it was read.
    pub(crate) at: SystemTime,
    /// Headers and body of the request.
    pub(crate) delivery: Delivery,
}

/// Listens on a loopback port of its own until the test ends.
pub(crate) struct Moody {
    pub(crate) url: String,
    taken: Arc<Mutex<Vec<Taken>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Moody {
    pub(crate) fn start(mood: Mood, seed: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        // A port that is bound and not listened on refuses connections, and no other process gets it.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let url = format!("http://{}/hook", socket.local_addr().unwrap());
        let taken = Arc::<Mutex<Vec<Taken>>>::default();
        runtime.spawn(listen(socket, mood, Arc::clone(&taken), Dice::new(seed)));
        Self { url, taken, _runtime: runtime }
    }

    /// Returns all complete requests so far, in the order of their arrival.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }
}

async fn listen(socket: TcpSocket, mood: Mood, taken: Arc<Mutex<Vec<Taken>>>, dice: Dice) {
    if let Mood::Dead(period) = mood {
        sleep(period).await;
    }
    let dice = Arc::new(Mutex::new(dice));
    let listener = socket.listen(1024).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, mood, Arc::clone(&taken), Arc::clone(&dice)));
    }
}

/// Answers requests until either side closes; one that a killed sender left half written does not count.
async fn serve(
    stream: TcpStream,
    mood: Mood,
    taken: Arc<Mutex<Vec<Taken>>>,
    dice: Arc<Mutex<Dice>>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(delivery) = read(&mut stream).await? {
        taken.lock().unwrap().push(Taken { at: SystemTime::now(), delivery });
        let chance = dice.lock().unwrap().below(100);
        let answer = match mood {
            Mood::Fine | Mood::Dead(_) => "204 No Content\r\n\r\n",
            Mood::Slow => {
                sleep(Duration::from_millis(200 + 3 * chance)).await;
                "204 No Content\r\n\r\n"
            }
            Mood::Flapping if chance < 10 => return Ok(()),
            Mood::Flapping if chance < 25 => {
                "500 Internal Server Error\r\ncontent-length: 4\r\n\r\nboom"
            }
            Mood::Throttling if chance < 33 => {
                "429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"
            }
            Mood::Flapping | Mood::Throttling => "200 OK\r\ncontent-length: 2\r\n\r\nok",
        };
        stream.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await?;
    }
    Ok(())
}

/// Reads the next request; none when the sender closes before its end.
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Delivery>> {
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    stream.read_exact(&mut body).await?;
    Ok(Some(Delivery { headers, body: String::from_utf8(body).unwrap() }))
}
