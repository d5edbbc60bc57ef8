"""Asking other servers over HTTP: where to, how long and how much is bounded here.

Two kinds of destination. One that the operator named in the environment may lie anywhere but at link-local addresses (where
clouds keep machine credentials). One that somebody typed on a page has to be https and to resolve to public addresses only,
unless its host stands in `GUIDERAIL_OUTGOING_HOSTS`. A name is resolved once, every address is checked, and the connection goes
to the checked address; no redirect is followed; no proxy variable is read.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

MOST_BYTES = 4 * 1024**2
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unreachable(Exception):
    """No answer that counts: refused destination, no connection, too slow, too long. Says why in words."""


@dataclass(frozen=True)
class Reply:
    """What the other server said. Any status: the caller judges it."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def ask(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = 10,
    most: int = MOST_BYTES,
    named_by_operator: bool = False,
) -> Reply:
    """One request, one reply. `seconds`: for all of it. Raises `Unreachable`."""
    until = time.monotonic() + seconds
    where = urlsplit(url)
    host = where.hostname or ""
    trusted = named_by_operator or host in settings.OUTGOING_HOSTS
    if where.scheme not in (("https", "http") if trusted else ("https",)) or not host or where.username or where.password:
        raise Unreachable(f"{url[:200]} is no address that is asked: it has to be https and hold no password.")
    try:
        port = where.port or (443 if where.scheme == "https" else 80)
    except ValueError as exc:
        raise Unreachable(f"{url[:200]} names a port that does not exist.") from exc
    address = _checked_address(host, port, trusted=trusted)
    connection = _Pinned(host, port, address, secure=where.scheme == "https", seconds=seconds)
    try:
        target = (where.path or "/") + (f"?{where.query}" if where.query else "")
        sent = {"Accept": "application/json", "User-Agent": "guiderail", **(headers or {})}
        connection.request(method, target, body=body, headers=sent)
        answer = connection.getresponse()
        return Reply(answer.status, _read(answer, connection, until, most), {k.lower(): v for k, v in answer.getheaders()})
    except (OSError, http.client.HTTPException, ValueError) as exc:
        raise Unreachable(f"{host} did not answer as it should: {type(exc).__name__}: {exc}"[:300]) from exc
    finally:
        connection.close()


def unsafe(address: Address, *, trusted: bool) -> bool:
    """Whether nothing is sent to this address. Addresses that wrap another (mapped, 6to4, Teredo, NAT64) count as that one."""
    inner = _unwrapped(address)
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified:
        return True
    return not trusted and (not inner.is_global or inner.is_reserved)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address.teredo is not None:
            return address.teredo[1]
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _checked_address(host: str, port: int, *, trusted: bool) -> str:
    """The address to connect to. One bad address among several refuses the name: a name that points inside is up to something."""
    try:
        found = [row[4][0] for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        addresses = [ipaddress.ip_address(str(each).split("%", 1)[0]) for each in found]
    except (OSError, ValueError, UnicodeError) as exc:
        raise Unreachable(f"{host[:200]} cannot be found by name.") from exc
    if not addresses or any(unsafe(each, trusted=trusted) for each in addresses):
        raise Unreachable(f"{host} leads to an address inside; that is not asked. The administrator can allow the host.")
    return str(addresses[0])


class _Pinned(http.client.HTTPConnection):
    """A connection to a checked address, under the name that certificates and the Host header need."""

    def __init__(self, host: str, port: int, address: str, *, secure: bool, seconds: float) -> None:
        super().__init__(host, port, timeout=seconds)
        self.address, self.secure = address, secure
        if secure:
            self.default_port = 443

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)
        if self.secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _read(answer: http.client.HTTPResponse, connection: _Pinned, until: float, most: int) -> bytes:
    """The body, up to `most` bytes, before `until`: a server that drips is cut off."""
    parts: list[bytes] = []
    size = 0
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise Unreachable(f"{connection.host} was too slow.")
        if connection.sock is not None:
            connection.sock.settimeout(left)
        chunk = answer.read1(64 * 1024)
        if not chunk:
            if answer.length not in (None, 0):
                raise Unreachable(f"{connection.host} stopped in the middle of its answer.")
            return b"".join(parts)
        size += len(chunk)
        if size > most:
            raise Unreachable(f"{connection.host} answered with more than {most:,} bytes.")
        parts.append(chunk)
