//! Servers that announce or send without end, against the real daemon under a limit of its address
//! space; files that never answer; a log that nothing reads.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::daemon::lake;
use crate::support::floods::{
    Flood, Floods, Tls, http_floods, http2_floods, over_postgres, over_scram, over_tcp, over_tls,
    postgres_floods, tds_floods,
};
use crate::support::{AccessGrants, Config, Daemon, wait_for};

const SOON: Duration = Duration::from_secs(15);
/// Address space of the daemon, in KiB: three times what it takes at rest, and less than what a
/// server can announce in one message.
const ADDRESS_SPACE_KIB: u32 = 1_500_000;
/// Resident memory that the daemon may have had at most, in KiB.
const RESIDENT_KIB_MAX: u64 = 256 * 1024;
/// Limits that make a hostile run short.
const LIMITS: &str = "[limits]\ntest = \"3s\"\nrun = \"4s\"\n[shutdown]\ndrain = \"2s\"\n";

/// Integration of Native S3 whose servers are all at `origin`.
fn s3(name: &str, origin: &str) -> String {
    let tls =
        if origin.starts_with("https") { "tls = { caFile = \"DIR/ca-2.pem\" }\n" } else { "" };
    lake(name, name).replace("http://127.0.0.1:1", origin) + tls
}

fn redshift(name: &str, port: u16) -> String {
    format!(
        "[[integration]]\nname = \"{name}\"\ntype = \"Redshift\"\nautoBootstrap = false\n\
         schedule = \"* * * * * *\"\n[integration.config]\nhost = \"localhost\"\nport = {port}\n\
         database = \"governance\"\ninitialDatabase = \"dev\"\n\
         authenticationType = \"userPassword\"\nusername = \"u\"\n\
         password = {{ file = \"DIR/password\" }}\ntls = {{ caFile = \"DIR/ca-0.pem\" }}\n"
    )
}

fn synapse(name: &str, port: u16) -> String {
    format!(
        "[[integration]]\nname = \"{name}\"\ntype = \"Azure Synapse Analytics\"\n\
         autoBootstrap = false\nschedule = \"* * * * * *\"\n[integration.config]\n\
         host = \"localhost\"\nport = {port}\ndatabase = \"pool\"\nschema = \"immuta\"\n\
         username = \"u\"\npassword = {{ file = \"DIR/password\" }}\nencryption = \"strict\"\n\
         tls = {{ caFile = \"DIR/ca-1.pem\" }}\n"
    )
}

fn receiver(name: &str, port: u16) -> String {
    format!(
        "[[receiver]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:{port}/hook\"\n\
         allow = [\"127.0.0.0/8\"]\ntimeout = \"2s\"\n\
         secrets = [{{ file = \"DIR/webhook-secret\" }}]\n"
    )
}

/// A line of `/proc/<pid>/status`, in KiB.
fn kib(daemon: &Daemon<'_>, key: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time that the daemon has taken.
fn processor_time(daemon: &Daemon<'_>) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", daemon.pid())).unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: u64 = [fields[11], fields[12]].iter().map(|one| one.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// Runs the daemon under the limit on `hostile` integrations beside a healthy one, until each of them
/// has failed for its own reason; the healthy one is validated meanwhile.
fn withstands(config: &Config, hostile: &[Served], text: &str) -> Duration {
    let grants = AccessGrants::start("s3://governed/a*", "arn:aws:iam::123456789012:role/grants");
    let healthy = lake("well", "a").replace("http://127.0.0.1:1", &grants.endpoint);
    config.write(&[LIMITS, text, &healthy].concat());
    let daemon = Daemon::start_limited(config, ADDRESS_SPACE_KIB);
    let start = Instant::now();
    for (name, refusal, _port) in hostile {
        wait_for(&format!("run of {name} that fails with {refusal:?}"), SOON, || {
            let history = config.json(&["history", name, "--json"]);
            let mut failed =
                history.as_array().unwrap().iter().filter(|run| run["status"] == "failed");
            failed.any(|run| run.to_string().to_lowercase().contains(refusal)).then_some(())
        });
    }
    daemon.wait_status("well", "enabled", SOON);
    let resident = kib(&daemon, "VmHWM");
    assert!(resident < RESIDENT_KIB_MAX, "{resident} KiB resident after {:?}", start.elapsed());
    let took = processor_time(&daemon);
    assert!(daemon.stop().success());
    took
}

/// Integration whose server floods: its name, the text of its failed run, and the server's port.
type Served = (&'static str, &'static str, u16);

fn served(floods: Floods, serve: impl Fn(Flood) -> u16) -> Vec<Served> {
    floods.into_iter().map(|(name, refusal, flood)| (name, refusal, serve(flood))).collect()
}

#[test]
fn database_servers_that_send_without_end_fail_their_own_runs_only() {
    let config = Config::new("");
    let (postgres, tds) =
        (Arc::new(Tls::new(&config, &[])), Arc::new(Tls::new(&config, &[b"tds/8.0"])));
    let mut redshifts = served(postgres_floods(), |flood| over_postgres(&postgres, flood));
    redshifts.push(("pg-iterations", "asked for 4294967295 iterations", over_scram(&postgres)));
    let synapses = served(tds_floods(), |flood| over_tls(&tds, flood));
    let text = redshifts.iter().map(|(name, _, port)| redshift(name, *port));
    let text: String =
        text.chain(synapses.iter().map(|(name, _, port)| synapse(name, *port))).collect();
    withstands(&config, &[redshifts, synapses].concat(), &text);
}

#[test]
fn web_servers_that_send_without_end_fail_their_own_runs_only() {
    let config = Config::new("");
    let tls = Arc::new(Tls::new(&config, &[b"h2", b"http/1.1"]));
    // The bounds of the library have texts of its own, and a busy server may be late for them.
    let for_any_reason =
        |floods: Vec<_>| floods.into_iter().map(|(name, flood)| (name, "", flood)).collect();
    let plain = served(for_any_reason(http_floods()), over_tcp);
    let second = served(for_any_reason(http2_floods()), |flood| over_tls(&tls, flood));
    let receivers = served(for_any_reason(http_floods()), over_tcp);
    let text = plain.iter().map(|(name, _, port)| s3(name, &format!("http://127.0.0.1:{port}")));
    let text = text
        .chain(second.iter().map(|(name, _, port)| s3(name, &format!("https://localhost:{port}"))));
    let text: String =
        text.chain(receivers.iter().map(|(name, _, port)| receiver(name, *port))).collect();
    let took = withstands(&config, &[plain, second].concat(), &text);
    assert!(took < Duration::from_secs(8), "{took:?} of processor time");
}

fn fifo(config: &Config, name: &str) {
    assert!(Command::new("mkfifo").arg(config.dir().join(name)).status().unwrap().success());
}

#[test]
fn secret_files_that_never_answer_stop_only_their_own_runs() {
    let grants = AccessGrants::start("s3://governed/a*", "arn:aws:iam::123456789012:role/grants");
    let config = Config::new("");
    let mut text = LIMITS.to_owned();
    text += &lake("well", "a").replace("http://127.0.0.1:1", &grants.endpoint);
    let stuck: Vec<_> = (0..8).map(|number| format!("stuck-{number}")).collect();
    for name in &stuck {
        fifo(&config, name);
        text += &lake(name, name).replace("DIR/aws-secret", &format!("DIR/{name}"));
    }
    config.write(&text);
    let daemon = Daemon::start(&config);
    daemon.wait_status("well", "enabled", SOON);
    for name in &stuck {
        wait_for(&format!("run of {name}"), SOON, || {
            let history = config.json(&["history", name, "--json"]);
            let runs = history.as_array().unwrap();
            runs.iter().any(|run| run.to_string().contains("does not answer within")).then_some(())
        });
    }
    let runs = || config.json(&["history", "well", "--json"]).as_array().unwrap().len();
    let before = runs();
    wait_for("further runs", SOON, || (before + 2 <= runs()).then_some(()));
    let start = Instant::now();
    assert!(daemon.stop().success());
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[test]
fn log_that_nothing_reads_stops_neither_runs_nor_the_end() {
    let grants = AccessGrants::start("s3://governed/a*", "arn:aws:iam::123456789012:role/grants");
    let config = Config::new(
        &[LIMITS, &lake("well", "a")].concat().replace("http://127.0.0.1:1", &grants.endpoint),
    );
    // The pipe is full from the start.
    let (reader, mut writer) = std::io::pipe().unwrap();
    let filler = writer.try_clone().unwrap();
    thread::spawn(move || {
        let mut filler = filler;
        while filler.write_all(&[b'x'; 4096]).is_ok() {}
    });
    thread::sleep(Duration::from_millis(200));
    let path = config.path();
    let mut child = Command::new(env!("CARGO_BIN_EXE_revalidated"))
        .args(["run", "-vv", "--config", path.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(writer.try_clone().unwrap())
        .spawn()
        .unwrap();
    let runs = || {
        let output = config.run(&["history", "well", "--json"]);
        let found: Option<serde_json::Value> = serde_json::from_slice(&output.stdout).ok();
        found.and_then(|found| Some(found.as_array()?.len())).unwrap_or_default()
    };
    wait_for("runs", SOON, || (3 <= runs()).then_some(()));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = wait_for("end of the daemon", SOON, || child.try_wait().unwrap());
    assert!(ended.success(), "{ended:?}");
    writer.flush().unwrap();
    drop(reader);
}
