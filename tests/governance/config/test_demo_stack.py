"""`embedded demo` from first start to Ctrl-C: two at once, killed, started again, and nothing left behind."""

from __future__ import annotations

import http.cookiejar
import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from governance.config.embedded_processes import descendants, known
from tests.governance.config.test_embedded import EMBEDDED, embedded, environment, eventually, state
from tests.stack import ROOT, answers, free_port

pytestmark = pytest.mark.worker


class Demo:
    """One demo in the foreground of its own process, with what it printed."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_port()
        self.printed = home.with_suffix(".txt")
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        with self.printed.open("wb") as out:
            self.process = subprocess.Popen(
                [*EMBEDDED, "demo"], cwd=ROOT, env=environment(self.home, PORT=str(self.port)), stdout=out, stderr=out
            )
        return self.process

    @property
    def said(self) -> str:
        return self.printed.read_text(errors="replace")

    def wait_ready(self) -> None:
        eventually(lambda: "Guiderail is ready" in self.said or self.process.poll() is not None, 150)
        assert self.process.poll() is None, self.said
        eventually(lambda: {"worker", "gates", "beat"} <= set(state(self.home)), 30)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Demo, Demo]]:
    """Two demos on one machine, at the same time."""
    both = Demo(tmp_path / "first demo"), Demo(tmp_path / "second demo")
    yield both
    for demo in both:
        demo.process.kill()
        demo.process.wait()
        embedded(demo.home, "stop")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Where the link leads is not looked at here."""

    def redirect_request(self, *_: Any) -> None:
        return None


def sessions(link: str) -> set[str]:
    """Follow a sign-in link; gives the names of the cookies it left."""
    jar = http.cookiejar.CookieJar()
    try:
        urllib.request.build_opener(_Stay, urllib.request.HTTPCookieProcessor(jar)).open(link, timeout=20)
    except urllib.error.HTTPError as answer:
        assert answer.code == 302
        answer.close()
    return {cookie.name for cookie in jar}


def test_two_demos_at_once_one_killed_and_started_again(two: tuple[Demo, Demo]) -> None:
    first, second = two
    for demo in two:
        demo.wait_ready()
        loaded = json.loads((demo.home / "demo.json").read_text())
        assert loaded["url"] == f"http://localhost:{demo.port}"
        assert {"dana", "pia", "amir", "ruth", "ada", "gwen", "adm"} <= set(loaded["people"])
        for person in loaded["people"].values():
            assert person["login_url"] in demo.said
        assert f"guiderail_session_{demo.port}" in sessions(loaded["people"]["dana"]["login_url"])

    refused = embedded(first.home, "demo", PORT=str(free_port()))
    assert refused.returncode == 1
    assert f"already runs from {first.home} at http://localhost:{first.port}" in refused.stderr

    left = state(first.home)
    first.process.kill()
    first.process.wait()
    first.start()
    first.wait_ready()
    assert "that an earlier start had left running" in first.said
    assert not any(process.alive() for process in left.values())
    assert all(process.alive() for process in state(second.home).values())

    for demo in two:
        everybody = [*state(demo.home).values(), *filter(None, map(known, descendants(demo.process.pid)))]
        assert len(everybody) > 8
        demo.process.send_signal(signal.SIGINT)
        assert demo.process.wait(timeout=45) == 0
        assert not any(process.alive() for process in everybody), demo.said
        assert not answers(f"http://localhost:{demo.port}/healthz")


def test_it_ends_with_the_make_that_started_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shell = subprocess.Popen(
        ["sh", "-c", '"$@"; true', "sh", *EMBEDDED, "demo", "--with-parent"],
        cwd=ROOT,
        env=environment(home, PORT=str(free_port())),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    eventually(lambda: "redis" in state(home), 60)
    supervisor = state(home)["supervisor"]

    shell.kill()
    shell.wait()

    eventually(lambda: not supervisor.alive(), 45)
    assert not state(home)
