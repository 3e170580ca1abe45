//! A receiver in a mood, with a log of every complete request.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

use super::{Delivery, Dice};

/// How it treats its sender.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    /// Answers at once.
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

/// One complete request.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// When it was read.
    pub(crate) at: SystemTime,
    /// What it was.
    pub(crate) delivery: Delivery,
}

/// Listens on a loopback port of its own until the test ends.
pub(crate) struct Moody {
    pub(crate) url: String,
    told: Arc<Mutex<Vec<Told>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Moody {
    pub(crate) fn start(mood: Mood, seed: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        // A port that is bound and not listened on refuses connections, and nobody else gets it.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let url = format!("http://{}/hook", socket.local_addr().unwrap());
        let told = Arc::<Mutex<Vec<Told>>>::default();
        runtime.spawn(listen(socket, mood, Arc::clone(&told), Dice::new(seed)));
        Self { url, told, _runtime: runtime }
    }

    /// Every complete request so far, in the order of their arrival.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }
}

async fn listen(socket: TcpSocket, mood: Mood, told: Arc<Mutex<Vec<Told>>>, dice: Dice) {
    if let Mood::Dead(period) = mood {
        sleep(period).await;
    }
    let dice = Arc::new(Mutex::new(dice));
    let listener = socket.listen(1024).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, mood, Arc::clone(&told), Arc::clone(&dice)));
    }
}

/// Answers until either side has enough; what a killed sender left half written was not told.
async fn serve(
    stream: TcpStream,
    mood: Mood,
    told: Arc<Mutex<Vec<Told>>>,
    dice: Arc<Mutex<Dice>>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(delivery) = read(&mut stream).await? {
        told.lock().unwrap().push(Told { at: SystemTime::now(), delivery });
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

/// The next request, if one came whole.
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
