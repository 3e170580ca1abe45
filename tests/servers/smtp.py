"""An SMTP server that asks for STARTTLS and a log-in and keeps every mail as a file: smtp.py PORT CERTIFICATE KEY FOLDER."""
import itertools
import os
import signal
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = b"revalidated", b"planted-smtp-password"


class Keeper:
    def __init__(self, folder):
        self.folder, self.number = folder, itertools.count()

    async def handle_DATA(self, server, session, envelope):
        name = os.path.join(self.folder, f"{next(self.number):03}")
        with open(name + ".part", "wb") as file:
            file.write(f"To: {','.join(envelope.rcpt_tos)}\nFrom: {envelope.mail_from}\n\n".encode() + envelope.content)
        os.rename(name + ".part", name + ".eml")
        return "250 kept"


def logged_in(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (USER, PASSWORD))


class Server(Controller):
    def factory(self):
        return SMTP(self.handler, hostname="mail.test", tls_context=self.tls, require_starttls=True,
                    authenticator=logged_in, auth_required=True, auth_exclude_mechanism=["LOGIN"])


port, certificate, key, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
server = Server(Keeper(folder), hostname="127.0.0.1", port=int(port))
server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.tls.load_cert_chain(certificate, key)
server.start()
signal.sigwait({signal.SIGTERM, signal.SIGINT})
server.stop()
