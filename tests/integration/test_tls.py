"""HTTPS by `quickshop serve` itself."""

from __future__ import annotations

import shutil
import signal
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.cli_runs import Terminal, stocked_file, terminal_in
from tests.landing import share
from tests.processes import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stocked_file(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def terminal(tmp_path: Path, template: Path, authority: trustme.CA) -> Terminal:
    """A shop, and beside it a certificate for this machine and its key."""
    shutil.copy(template, tmp_path / "quickshop.db")
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    (tmp_path / "chain.pem").write_bytes(
        b"".join(part.bytes() for part in certificate.cert_chain_pems)
    )
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    return terminal_in(tmp_path)


@contextmanager
def serving(terminal: Terminal, *words: str, **env: str) -> Iterator[tuple[str, list[str]]]:
    """The address of a server with the certificate; its errors are there when it has ended."""
    tls = ("--tls-cert", "chain.pem", "--tls-key", "key.pem")
    errors: list[str] = []
    process = terminal.start("serve", "--port", "0", *tls, *words, **env)
    with process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            yield next(word.rstrip(",") for word in line.split() if "://" in word), errors
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=PATIENCE_SECONDS)
            errors.append(said)
        finally:
            process.kill()


@pytest.mark.sampled
@pytest.mark.parametrize("workers", share(["1", "2"], 2))
def test_serve_speaks_https_and_nothing_else(
    terminal: Terminal, authority: trustme.CA, workers: str
):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    strict = {"QUICKSHOP_REQUIRE_HTTPS": "true", "QUICKSHOP_ALLOWED_HOSTS": "127.0.0.1"}
    with serving(terminal, "--workers", workers, **strict) as (url, errors):
        assert url.startswith("https://127.0.0.1:")
        with httpx2.Client(base_url=url, verify=context, timeout=PATIENCE_SECONDS) as client:
            answer = client.get("/v1/products")
            assert answer.status_code == 200
            assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
            elsewhere = client.get("/v1/products", headers={"Host": "evil.example"})
            assert elsewhere.json()["code"] == "host_not_allowed"
        with pytest.raises(httpx2.TransportError):
            httpx2.get(url.replace("https", "http"), timeout=PATIENCE_SECONDS)
        with pytest.raises(httpx2.ConnectError):  # whoever does not know the authority
            httpx2.get(url, timeout=PATIENCE_SECONDS)
    assert "Traceback" not in errors[0]


def test_serve_without_tls_refuses_when_https_is_required(terminal: Terminal):
    process = terminal.start("serve", "--port", "0", QUICKSHOP_REQUIRE_HTTPS="true")
    with process:
        try:
            assert process.stdout
            line, advice = process.stdout.readline(), process.stdout.readline()
            assert "http" not in line
            assert "TLS proxy" in advice
            assert "--tls-cert" in advice
            address = next(word.rstrip(",") for word in line.split() if "127.0.0.1:" in word)
            url = f"http://{address}"
            assert (
                httpx2.get(f"{url}/v1/products", timeout=PATIENCE_SECONDS).json()["code"]
                == "https_required"
            )
            assert httpx2.get(f"{url}/health/ready", timeout=PATIENCE_SECONDS).status_code == 200
        finally:
            process.kill()


def test_a_certificate_and_its_key_go_together(terminal: Terminal):
    for words in (("--tls-cert", "chain.pem"), ("--tls-key", "key.pem")):
        done = terminal.run("serve", "--port", "0", *words)
        assert (done.code, "--tls-cert and --tls-key must be used together" in done.err) == (
            2,
            True,
        )


def _no_such_file(folder: Path) -> None:
    (folder / "chain.pem").unlink()


def _no_pem(folder: Path) -> None:
    (folder / "chain.pem").write_text("hello")


def _another_key(folder: Path) -> None:
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(folder / "key.pem")


def _locked_key(folder: Path) -> None:
    file = folder / "key.pem"
    key = load_pem_private_key(file.read_bytes(), password=None)
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )


@pytest.mark.parametrize("spoil", [_no_such_file, _no_pem, _another_key, _locked_key])
def test_a_certificate_that_is_of_no_use_is_told_at_once(
    terminal: Terminal, spoil: Callable[[Path], None]
):
    spoil(terminal.folder)
    files = [str(terminal.folder / name) for name in ("chain.pem", "key.pem")]
    done = terminal.run("serve", "--port", "0", "--tls-cert", files[0], "--tls-key", files[1])
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"quickshop: cannot serve with {files[0]} and {files[1]}: ")
    assert "must be a certificate and its key, without a password" in done.err
    assert "Traceback" not in done.err
