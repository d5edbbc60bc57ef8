"""Speaking with the server: retries with back-off, idempotency, and a plain word for every refusal."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from guiderail_client import __version__
from guiderail_client.exits import INVALID, NOT_ALLOWED, SERVER, Problem

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
_AGAIN = {429, 502, 503, 504}
_LARGEST_ANSWER = 64 * 1024 * 1024
PIECE = 8 * 1024 * 1024
"""What is larger is sent in pieces of this size."""


@dataclass(frozen=True)
class Answer:
    """A status below 400 with its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Problem(SERVER, "The server's answer is not JSON. Is the address that of Guiderail?") from error


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect could carry the token somewhere else."""

    def redirect_request(self, *given: Any, **more: Any) -> None:
        return None


@dataclass
class Server:
    """One Guiderail server. `say` gets a line when a request is tried again. `renew` gets a new token when one has ended."""

    url: str
    token: str
    timeout: float
    tries: int
    say: Callable[[str], None] = lambda line: None
    renew: Callable[[], str] | None = None
    _opener: urllib.request.OpenerDirector = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.url = self.url.rstrip("/")
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Problem(INVALID, f"“{self.url}” is no address of a server. Set GUIDERAIL_URL=https://guiderail.example.org")
        if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise Problem(INVALID, f"{self.url} would send the token unencrypted. Use https.")
        if not self.token:
            raise Problem(NOT_ALLOWED, "There is no token. Set GUIDERAIL_TOKEN to one with the scopes this command needs.")
        if not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            raise Problem(NOT_ALLOWED, "GUIDERAIL_TOKEN holds characters that no token has. Copy it again, without line breaks.")
        self._opener = urllib.request.build_opener(
            _NoRedirects, urllib.request.HTTPSHandler(context=ssl.create_default_context())
        )

    def get(self, path: str, *, accept: str = "application/json", etag: str = "", wait: float = 0.0) -> Answer:
        headers = {"Accept": accept, **({"If-None-Match": etag} if etag else {})}
        return self._ask("GET", path, headers, None, self.timeout + wait)

    def send(self, method: str, path: str, body: Any, *, accept: str = "application/json", key: str = "") -> Answer:
        headers = {"Accept": accept, "Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        data = json.dumps(body, allow_nan=False).encode()
        return self._ask(method, path, headers, lambda: data, self.timeout)

    def upload(self, file: Path, name: str, digest: str = "") -> Answer:
        """Send a file's bytes as evidence. Storing is by content, so trying again stores nothing twice.

        With its sha256 a large file goes in pieces: a connection that breaks, or a job that starts again, goes on where it was.
        """
        if digest and file.stat().st_size > PIECE:
            return self._in_pieces(file, name, digest)
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/octet-stream",
            "Content-Length": str(file.stat().st_size),
        }
        return self._ask(
            "POST", f"/api/v1/evidence?{urllib.parse.urlencode({'name': name})}", headers, lambda: file.open("rb"), 3600
        )

    def _in_pieces(self, file: Path, name: str, digest: str) -> Answer:
        total, query = file.stat().st_size, urllib.parse.urlencode({"name": name})
        path = f"/api/v1/evidence/{digest}?{query}"

        def put(what: str, data: bytes) -> tuple[Answer, int]:
            headers = {
                "Accept": "application/json",
                "Content-Type": "application/octet-stream",
                "Content-Range": f"bytes {what}/{total}",
            }
            answer = self._ask("PUT", path, headers, lambda: data, max(self.timeout, 600))
            told = answer.json()
            arrived = told.get("offset") if isinstance(told, dict) else None
            if type(arrived) is not int or not 0 <= arrived <= total:
                raise Problem(SERVER, "The server does not say how much of the file has arrived.")
            return answer, arrived

        answer, arrived = put("*", b"")
        if 0 < arrived < total:
            self.say(f"{name}: {100 * arrived // total} % have arrived before; going on there")
        with file.open("rb") as stream:
            while answer.status == 202:
                if arrived == total:
                    arrived = max(0, total - PIECE)  # whole, but not taken over: the last piece again ends it
                stream.seek(arrived)
                data, before = stream.read(PIECE), arrived
                answer, arrived = put(f"{arrived}-{arrived + len(data) - 1}", data)
                if answer.status == 202 and arrived <= before:
                    raise Problem(SERVER, f"{name} does not arrive: the server counts no further than {arrived} bytes.")
        return answer

    def known(self, path: str) -> bool:
        """Whether a GET of it finds something."""
        try:
            self.get(path)
        except Problem as problem:
            if isinstance(problem, NotThere):
                return False
            raise
        return True

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: Callable[[], bytes | IO[bytes]] | None, timeout: float
    ) -> Answer:
        pause, renewed = FIRST_PAUSE, False
        for left in reversed(range(self.tries)):
            try:
                try:
                    return self._once(method, path, headers, body() if body is not None else None, timeout)
                except _NotSignedIn:
                    if self.renew is None or renewed:
                        raise
                    # a token of 15 minutes ends while a job waits for people
                    self.token, renewed = self.renew(), True
                    return self._once(method, path, headers, body() if body is not None else None, timeout)
            except _Transient as trouble:
                if not left:
                    raise Problem(SERVER, f"{trouble.detail} Tried {self.tries} times.") from trouble
                wait = trouble.after if trouble.after is not None else pause * (0.5 + random.random())
                self.say(f"{trouble.detail} Trying again in {wait:.0f} s.")
                time.sleep(min(wait, 60.0))
                pause = min(pause * 2, LONGEST_PAUSE)
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, headers: dict[str, str], body: Any, timeout: float) -> Answer:
        request = urllib.request.Request(self.url + path, data=body, method=method)
        for name, value in headers.items():
            request.add_header(name, value)
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("User-Agent", f"guiderail-client/{__version__}")
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, _read(answer))
        except urllib.error.HTTPError as refusal:
            with refusal:
                if refusal.code == 304:
                    return Answer(304, {k.lower(): v for k, v in refusal.headers.items()}, b"")
                raise _refused(self.url + path, refusal) from None
        except (urllib.error.URLError, TimeoutError, http.client.HTTPException, ConnectionError) as error:
            raise _unreachable(self.url, error) from error
        finally:
            if hasattr(body, "close"):
                body.close()


class NotThere(Problem):
    """404."""


class _NotSignedIn(Problem):
    """401."""


class _Transient(Exception):
    def __init__(self, detail: str, after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.after = after


def _read(answer: http.client.HTTPResponse) -> bytes:
    body = answer.read(_LARGEST_ANSWER + 1)
    if len(body) > _LARGEST_ANSWER:
        raise Problem(SERVER, "The server's answer is larger than any answer of Guiderail.")
    return body


def _unreachable(url: str, error: Exception) -> Exception:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return Problem(SERVER, f"{url} shows a certificate that cannot be trusted: {reason.verify_message}. Nothing was sent.")
    return _Transient(f"{url} cannot be reached ({reason}).")


def _refused(url: str, refusal: urllib.error.HTTPError) -> Exception:
    code, told = refusal.code, _problem_of(refusal)
    detail = str(told.get("detail") or "")
    more = tuple(
        f"{row.get('pointer', '')}: {row.get('detail', '')}" for row in told.get("errors") or () if isinstance(row, dict)
    )
    if code in _AGAIN:
        after = refusal.headers.get("Retry-After", "")
        return _Transient(detail or f"The server answered {code}.", float(after) if after.isdigit() else None)
    if code in (401, 403):
        kind = _NotSignedIn if code == 401 else Problem
        return kind(NOT_ALLOWED, detail or f"The server answered {code}: the token does not allow this.", more)
    if code == 404:
        return NotThere(INVALID, detail or f"There is nothing at {url}.", more)
    if code in (400, 409, 410, 413, 415, 422):
        return Problem(INVALID, detail or f"The server answered {code}.", more)
    if 300 <= code < 400:
        to = refusal.headers.get("Location", "another address")
        return Problem(SERVER, f"The server sends us on to {to}. Set GUIDERAIL_URL to the address it really has.")
    return Problem(SERVER, detail or f"The server answered {code}.", more)


def _problem_of(refusal: urllib.error.HTTPError) -> dict[str, Any]:
    try:
        told = json.loads(refusal.read(1024 * 1024))
    except (ValueError, OSError, http.client.HTTPException, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
