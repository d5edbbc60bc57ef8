"""Asking a server over HTTP from several connections at once, and what that cost the processes that answered."""

from __future__ import annotations

import http.client
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from governance.config.embedded_processes import descendants
from tests.stack import Running

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Ask:
    """One request."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answered:
    """What came of a stretch of asking."""

    seconds: float
    times: tuple[float, ...]
    statuses: Mapping[int, int]
    refused: str = ""

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    def require(self, server: Running, *expected: int) -> None:
        """A bench of errors would be fast and worthless."""
        if not self.times or set(self.statuses) - set(expected):
            raise AssertionError(f"expected only {expected}, got {dict(self.statuses)}: {self.refused}\n{server.said()[-3_000:]}")


class Connection:
    """One keep-alive connection."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._http = http.client.HTTPConnection(at.hostname or "localhost", at.port, timeout=60)
        self._used = time.monotonic()

    def ask(self, what: Ask) -> tuple[int, bytes, http.client.HTTPMessage]:
        if time.monotonic() - self._used > 1.0:
            self._http.close()  # the server ends connections that are idle for two seconds; the next request opens a new one
        self._http.request(what.method, what.path, body=what.body, headers=dict(what.headers))
        answer = self._http.getresponse()
        content = answer.read()
        self._used = time.monotonic()
        return answer.status, content, answer.headers

    def close(self) -> None:
        self._http.close()


def press(url: str, make: Callable[[int], Ask], *, connections: int, seconds: float) -> Answered:
    """Ask as fast as the answers come, from this many connections. `make(n)` gives the n-th request."""
    numbers, times, statuses, problems = count(), [], Counter[int](), []
    refused: list[str] = []
    until = time.perf_counter() + seconds

    def one() -> None:
        connection = Connection(url)
        try:
            while time.perf_counter() < until:
                what = make(next(numbers))
                begun = time.perf_counter()
                status, body, _ = connection.ask(what)
                times.append(time.perf_counter() - begun)
                statuses[status] += 1
                if status >= 400 and not refused:
                    refused.append(body.decode(errors="replace")[:2_000])
        except Exception as problem:  # told by the caller's thread
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(connections)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return Answered(time.perf_counter() - begun, tuple(times), dict(statuses), "".join(refused[:1]))


def processor_seconds(*roots: int) -> float:
    """Processor time of these processes and everything below them, including children that have ended."""
    total = 0
    for pid in {*roots, *descendants(*roots)}:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(part) for part in fields[11:15])
    return total / _TICK


def calm(pids: Sequence[int], *, seconds: float = 40.0) -> bool:
    """Wait until these processes have done with starting (they use under a tenth of a core together); False when they do not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        before = processor_seconds(*pids)
        time.sleep(1.0)
        if processor_seconds(*pids) - before < 0.1:
            return True
    return False


def resident_megabytes(pid: int) -> tuple[float, float]:
    """(resident, proportional) memory of a process: shared pages whole, and shared among those who use them."""
    resident = proportional = 0.0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "Rss":
            resident = int(rest.split()[0]) / 1024
        elif name == "Pss":
            proportional = int(rest.split()[0]) / 1024
    return resident, proportional


def loaded_files(pid: int) -> str:
    """The mapped files of a process, to see which libraries it holds."""
    return Path(f"/proc/{pid}/maps").read_text()
