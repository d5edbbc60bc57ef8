"""Where the embedded web server listens, and what people type to get there."""

from __future__ import annotations

import http.client
import os
import socket
from dataclasses import dataclass

from governance.config.embedded_postgres import StackProblem


@dataclass(frozen=True)
class Address:
    """Where the web server listens, and what people type."""

    host: str
    port: int

    @classmethod
    def from_environment(cls) -> Address:
        text = os.environ.get("PORT") or "8000"
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise StackProblem(f"PORT={text} is not a port number. For example: make demo PORT=8001")
        return cls(os.environ.get("HOST") or "127.0.0.1", int(text))

    @property
    def url(self) -> str:
        return os.environ.get("GUIDERAIL_PUBLIC_URL") or f"http://localhost:{self.port}"

    @property
    def binds(self) -> list[str]:
        """`localhost` is two addresses on most machines: take both, so that no other program answers on one of them."""
        hosts = ["127.0.0.1", "::1"] if self.host == "127.0.0.1" else [self.host]
        return [host for host in hosts if host == hosts[0] or _bindable(host, 0)]

    def check_free(self) -> None:
        """Raises StackProblem with the line to type when another program listens there."""
        if all(_bindable(host, self.port) for host in self.binds):
            return
        other = next(port for port in range(self.port + 1, 65536) if all(_bindable(host, port) for host in self.binds))
        raise StackProblem(f"Port {self.port} is taken by another program. Start on another one:\n\n    make demo PORT={other}\n")

    def answers(self) -> bool:
        """Whether Guiderail's own health page answers there."""
        connection = http.client.HTTPConnection(self.binds[0] if self.host != "0.0.0.0" else "127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": f"localhost:{self.port}"})
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _bindable(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
