"""Real git servers on loopback: `git http-backend` behind TLS, and repositories to serve."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

GIT = shutil.which("git") or "git"
_PLAIN = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_DATE": "1700000000 +0000",
}
STRATEGY = b"class Debate: ...\n"


def git(where: Path, *arguments: str, data: bytes = b"") -> str:
    """Run git in a clean environment and return its first line or lines."""
    done = subprocess.run(
        [GIT, "-C", str(where), "-c", "init.defaultBranch=main", *arguments],
        input=data,
        capture_output=True,
        env=_PLAIN,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


@dataclass
class Repository:
    """A bare repository to fetch from, filled through git's plumbing."""

    path: Path
    sha256: bool = False

    def __post_init__(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        kind = "sha256" if self.sha256 else "sha1"
        git(self.path, "init", "-q", "--bare", "--template=", f"--object-format={kind}", ".")

    def config(self, **values: str) -> None:
        for name, value in values.items():
            git(self.path, "config", name.replace("_", ".", 1), value)

    def blob(self, content: bytes) -> str:
        return git(self.path, "hash-object", "-w", "--stdin", data=content)

    def tree(self, *entries: tuple[str, str, bytes]) -> str:
        """Write a tree of `(mode, id, name)` as it is, however odd; sorted by the caller."""
        data = b"".join(
            mode.lstrip("0").encode() + b" " + name + b"\0" + bytes.fromhex(one)
            for mode, one, name in entries
        )
        return git(
            self.path, "hash-object", "-t", "tree", "--literally", "-w", "--stdin", data=data
        )

    def directory(self, files: Mapping[str, bytes | tuple[str, bytes]]) -> str:
        """Write a tree from paths to content, or to mode and content (or id)."""
        here: list[tuple[bytes, tuple[str, str, bytes]]] = []
        below: dict[str, dict[str, bytes | tuple[str, bytes]]] = {}
        for path, value in files.items():
            first, slash, rest = path.partition("/")
            if slash:
                below.setdefault(first, {})[rest] = value
                continue
            mode, content = ("100644", value) if isinstance(value, bytes) else value
            one = content.decode() if mode == "160000" else self.blob(content)
            here.append((os.fsencode(first), (mode, one, os.fsencode(first))))
        for name, inside in below.items():
            raw = os.fsencode(name)
            here.append((raw + b"/", ("040000", self.directory(inside), raw)))
        return self.tree(*(entry for _, entry in sorted(here)))

    def commit(self, tree: str, branch: str = "main", text: str = "x") -> str:
        parent = subprocess.run(
            [GIT, "-C", str(self.path), "rev-parse", "-q", "--verify", f"refs/heads/{branch}"],
            capture_output=True,
            env=_PLAIN,
            check=False,
            text=True,
        ).stdout.strip()
        parents = ["-p", parent] if parent else []
        one = git(self.path, "commit-tree", tree, *parents, "-m", text)
        git(self.path, "update-ref", f"refs/heads/{branch}", one)
        return one

    def add(self, files: Mapping[str, bytes | tuple[str, bytes]], branch: str = "main") -> str:
        return self.commit(self.directory(files), branch)

    def tag(self, name: str, commit: str, *, annotated: bool = True) -> None:
        options = ["-a", "-m", "t"] if annotated else []
        git(self.path, "tag", "-f", *options, name, commit)


@dataclass
class Certificates:
    """A certificate authority and a server's certificate for 127.0.0.1."""

    authority: Path
    server: Path


def make_certificates(directory: Path) -> Certificates:
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

    def builder(subject: x509.Name, public: Any) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
        made = made.public_key(public).serial_number(x509.random_serial_number())
        return made.not_valid_before(now - day).not_valid_after(now + day)

    ca = (
        builder(issuer, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    server = (
        builder(subject, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    found = Certificates(directory / "authority.pem", directory / "server.pem")
    found.authority.write_bytes(ca.public_bytes(pem))
    found.server.write_bytes(plain + server.public_bytes(pem))
    return found


@dataclass
class GitServer:
    """`git http-backend` over https on 127.0.0.1.

    Attributes:
        root: Directory of the repositories.
        newest: Whether clients may speak protocol version 2.
        password: What `user:…` must send; anybody may come by default.
        answer: Given the request, may answer it in another way and return True.
        cut: Bytes after which the answer to a fetch breaks off.
        sent: Bytes of all answers.
        requests: Methods and paths.
    """

    root: Path
    certificates: Certificates
    newest: bool = True
    password: str | None = None
    answer: Callable[[BaseHTTPRequestHandler], bool] | None = None
    cut: int | None = None
    sent: int = 0
    requests: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> GitServer:
        owner = self

        class Handler(_Handler):
            server_of = owner

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.server)
        self._http = _Quiet(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.socket = context.wrap_socket(
            self._http.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._http.server_port}"


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed or refuse a certificate are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # As real servers: else each answer's body waits 40 ms for the head to be acknowledged.
    disable_nagle_algorithm = True
    server_of: GitServer

    def log_message(self, *args: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        owner = self.server_of
        owner.requests.append(f"{self.command} {self.path}")
        if owner.answer is not None and owner.answer(self):
            return
        if owner.password is not None:
            expected = base64.b64encode(f"user:{owner.password}".encode()).decode()
            if self.headers.get("Authorization") != f"Basic {expected}":
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        self._backend()

    def _backend(self) -> None:
        owner = self.server_of
        parts = urlsplit(self.path)
        environment = {
            **_PLAIN,
            "GIT_PROJECT_ROOT": str(owner.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": unquote(parts.path),
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        if encoding := self.headers.get("Content-Encoding"):
            environment["HTTP_CONTENT_ENCODING"] = encoding
        if owner.newest and (version := self.headers.get("Git-Protocol")):
            environment["HTTP_GIT_PROTOCOL"] = version
        done = subprocess.run(
            [GIT, "http-backend"],
            input=self._body(),
            capture_output=True,
            env=environment,
            check=False,
        ).stdout
        head, _, body = done.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n") if line]
        status = next((int(v.split()[0]) for n, v in fields if n == "Status"), 200)
        self.send_response(status)
        for name, value in fields:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if owner.cut is not None and self.command == "POST" and b"PACK" in body:
            body = body[: body.index(b"PACK") + owner.cut]
            self.close_connection = True
        owner.sent += len(body)
        with suppress(OSError):
            self.wfile.write(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body
