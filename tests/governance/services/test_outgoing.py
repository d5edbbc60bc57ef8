"""What is asked of other servers: only allowed addresses, bounded in time and size, no redirects."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from governance.domain.secret_values import SecretUnreadable, secret_value
from governance.services.outgoing import Unreachable, ask, unsafe


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, headers, body = {
            "/ok": (200, {"Content-Length": "2"}, b"{}"),
            "/away": (302, {"Location": "http://169.254.169.254/", "Content-Length": "0"}, b""),
            "/cut": (200, {"Content-Length": "100"}, b"{}"),
            "/long": (200, {"Content-Length": "5000"}, b"x" * 5000),
        }[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *given: Any) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("address", "typed", "operators"),
    [
        ("8.8.8.8", False, False),
        ("2001:4860:4860::8888", False, False),
        ("127.0.0.1", True, False),
        ("10.0.0.8", True, False),
        ("192.168.1.1", True, False),
        ("100.64.0.1", True, False),
        ("::1", True, False),
        ("fd00::1", True, False),
        ("::ffff:10.0.0.8", True, False),
        ("2002:0a00:0008::1", True, False),
        ("64:ff9b::10.0.0.8", True, False),
        ("169.254.169.254", True, True),
        ("::ffff:169.254.169.254", True, True),
        ("64:ff9b::169.254.169.254", True, True),
        ("fe80::1", True, True),
        ("224.0.0.1", True, True),
        ("0.0.0.0", True, True),
    ],
)
def test_addresses(address: str, typed: bool, operators: bool) -> None:
    found = ipaddress.ip_address(address)
    assert unsafe(found, trusted=False) is typed
    assert unsafe(found, trusted=True) is operators


def test_what_the_operator_named_is_asked_and_what_somebody_typed_is_not(url: str, settings: Any) -> None:
    assert ask("GET", f"{url}/ok?a=1", named_by_operator=True).body == b"{}"
    with pytest.raises(Unreachable, match="https"):
        ask("GET", f"{url}/ok")
    with pytest.raises(Unreachable, match="inside"):
        ask("GET", f"{url}/ok".replace("http:", "https:"))
    settings.OUTGOING_HOSTS = frozenset({"127.0.0.1"})
    assert ask("GET", f"{url}/ok").status == 200


def test_no_redirect_no_half_answer_no_endless_one(url: str) -> None:
    assert ask("GET", f"{url}/away", named_by_operator=True).status == 302
    with pytest.raises(Unreachable, match=r"stopped in the middle|IncompleteRead"):
        ask("GET", f"{url}/cut", named_by_operator=True)
    with pytest.raises(Unreachable, match="more than 1,000 bytes"):
        ask("GET", f"{url}/long", most=1_000, named_by_operator=True)
    for wrong in ("ftp://example.org/", "https://user:pw@example.org/", "https:///x", "http://127.0.0.1:99999/"):
        with pytest.raises(Unreachable):
            ask("GET", wrong, named_by_operator=True)


def test_a_secret_comes_from_the_variable_or_from_a_file_read_each_time(tmp_path: Path, monkeypatch: Any) -> None:
    assert secret_value("GUIDERAIL_TEST_SECRET", "none") == "none"
    monkeypatch.setenv("GUIDERAIL_TEST_SECRET", "from the variable")
    assert secret_value("GUIDERAIL_TEST_SECRET") == "from the variable"
    file = tmp_path / "secret"
    monkeypatch.setenv("GUIDERAIL_TEST_SECRET_FILE", str(file))
    with pytest.raises(SecretUnreadable, match="GUIDERAIL_TEST_SECRET_FILE"):
        secret_value("GUIDERAIL_TEST_SECRET")  # never back to the variable: the operator meant the file
    file.write_text("one\n")
    assert secret_value("GUIDERAIL_TEST_SECRET") == "one"
    file.write_text("two")
    assert secret_value("GUIDERAIL_TEST_SECRET") == "two"
