//! `bundle`: what helps others to help, in one archive without secrets.
//!
//! Every part passes through a redactor that has learned each secret that the configuration refers to, in case a
//! platform or a log repeats one.

mod archive;
mod part;
mod parts;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use super::args::{Bundle, Global};
use super::error::CommandError;
use super::print::{Answer, Screen, counted, sanitise};
use archive::archive;

/// Writes the archive, and says what is in it.
pub(super) async fn answer(
    global: &Global,
    args: &Bundle,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let parts = Box::pin(parts::gather(global, &args.source, screen.now)).await;
    let bytes = archive(&parts, screen.now).context("packing the archive")?;
    let file = args.file.display();
    write(&args.file, &bytes).with_context(|| format!("writing {file}"))?;
    let lines = parts.iter().map(|part| {
        let lines = counted(part.text.lines().count(), "line");
        format!("  {} ({lines}): {}\n", part.name, part.what)
    });
    let lines: String = lines.collect();
    let text = format!(
        "Wrote {}:\n{lines}It holds names of hosts, integrations and users, and no secrets. Look at it before you send it.\n",
        sanitise(&args.file.display().to_string())
    );
    Ok(Answer::good(text))
}

/// Writes a file that only its owner can read; one that exists is left as it is.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::args::{Arguments, Command};
    use super::super::samples::screen;
    use super::*;

    const SECRETS: [&str; 4] =
        ["hunter2-in-a-file", "hunter2-literal", "hunter2-url", "hunter2-heartbeat"];

    async fn bundle(folder: &Path, file: &Path) -> Result<Answer, CommandError> {
        let main = folder.join("main.toml").display().to_string();
        let file = file.display().to_string();
        let words = ["revalidated", "bundle", &file, "--config", &main];
        let arguments = <Arguments as clap::Parser>::parse_from(words);
        let Some(Command::Bundle(args)) = arguments.command else { panic!() };
        answer(&arguments.global, &args, screen()).await
    }

    fn unpacked(path: &Path) -> String {
        let file = std::fs::File::open(path).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
        text
    }

    /// The name of an integration repeats a secret, as a platform's answer might.
    fn write_configuration(folder: &Path) {
        let [in_file, literal, url, heartbeat] = SECRETS;
        std::fs::write(folder.join("password"), format!("{in_file}\n")).unwrap();
        let place = folder.display();
        let main = format!(
            "[store]\npath = \"{place}/state.db\"\n[backup]\nat = \"@daily\"\nkeep = 3\n\
             [heartbeat]\nurl = \"https://hc.example.com/{heartbeat}\"\n\
             [[receiver]]\nname = \"on-call\"\nurl = \"https://hooks.example.com/{url}\"\nformat = \"slack\"\n\
             [[integration]]\nname = \"lake-{in_file}\"\ntype = \"Trino\"\n[integration.config]\nhost = \"t.example.com\"\n\
             authenticationType = \"userPassword\"\nusername = \"u\"\npassword = {{ file = \"{place}/password\" }}\n\
             [[integration]]\nname = \"pond\"\ntype = \"Trino\"\n[integration.config]\nhost = \"p.example.com\"\n\
             authenticationType = \"userPassword\"\nusername = \"u\"\npassword = \"{literal}\"\n"
        );
        std::fs::write(folder.join("main.toml"), main).unwrap();
    }

    #[tokio::test]
    async fn archive_has_every_part_and_no_planted_secret() {
        let folder = tempfile::tempdir().unwrap();
        write_configuration(folder.path());
        let backup = "state-20261123T050000Z-1a2b3c4d.db";
        std::fs::create_dir(folder.path().join("backups")).unwrap();
        std::fs::write(folder.path().join("backups").join(backup), "12345").unwrap();
        let file = folder.path().join("b.tar.gz");
        let said = bundle(folder.path(), &file).await.unwrap().text;
        let text = unpacked(&file);
        for name in [
            "version.txt",
            "doctor.json",
            "configuration.json",
            "settings.txt",
            "store.json",
            "backups.json",
            "log.txt",
            "metrics.txt",
        ] {
            assert!(text.contains(&format!("revalidated-bundle/{name}\0")), "{name}: {text}");
            assert!(said.contains(&format!("  {name} (")), "{said}");
        }
        assert!(text.contains("p.example.com") && text.contains("\"on-call\""), "{text}");
        assert!(text.contains("schedule: Schedule(0 * * * * "), "{text}");
        for part in [backup, "2026-11-23T05:00:00Z", "\"bytes\": 5", "\"keep\": 3"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        for secret in SECRETS {
            assert!(!text.contains(secret) && !said.contains(secret), "{secret}: {text}");
        }
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
    }

    #[tokio::test]
    async fn metrics_come_from_the_socket_of_the_daemon() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let folder = tempfile::tempdir().unwrap();
        write_configuration(folder.path());
        let (main, socket) = (folder.path().join("main.toml"), folder.path().join("api.sock"));
        let text = std::fs::read_to_string(&main).unwrap();
        let listen = format!("[http]\nlisten = [\"unix:{}\"]\n{text}", socket.display());
        std::fs::write(&main, listen).unwrap();
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap();
                let is_asked = request[..read].starts_with(b"GET /metrics ");
                let body = if is_asked { "revalidated_planner_rounds_total 7\n" } else { "{}" };
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all((head + body).as_bytes()).await.unwrap();
            }
        });
        let file = folder.path().join("b.tar.gz");
        bundle(folder.path(), &file).await.unwrap();
        let text = unpacked(&file);
        assert!(text.contains("revalidated_planner_rounds_total 7\n"), "{text}");
    }

    #[tokio::test]
    async fn existing_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        write_configuration(folder.path());
        let file = folder.path().join("b.tar.gz");
        std::fs::write(&file, "mine").unwrap();
        assert!(bundle(folder.path(), &file).await.is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    }
}
