"""B15: memory of the web process, time until it answers, and the first page after `make demo`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from governance.config.embedded_processes import descendants
from governance.models import Person
from governance.ui.demo_sign_in import sign_in_path
from tests.bench.figures import Line, Report, Series, number, ratio
from tests.bench.inproc import database
from tests.bench.load import Ask, Connection, loaded_files, press, resident_megabytes
from tests.bench.servers import CONNECTIONS, BenchStack, log_tail, signed_in
from tests.bench.size import Size
from tests.stack import ROOT, Running, free_port

HEAVY = ("numpy", "pandas", "pyarrow", "duckdb", "sklearn", "fairlearn", "shap", "altair", "onnxruntime")
PAGES = ("/", "/queue", "/submissions", "/policies", "/gates", "/systems")


def measure(stack: BenchStack, size: Size) -> Report:
    """Starts alternate with those of bare Django; memory is looked at after some hundred pages."""
    report = Report("B15", "web process: memory, start; first page of the demo")
    name = stack.copy("bench_b15")
    with database(name):
        link = sign_in_path(Person.objects.get(username="amir"))
    mine: dict[str, list[float]] = {"start": [], "rss": [], "pss": []}
    bare: dict[str, list[float]] = {"start": [], "rss": [], "pss": []}
    heavy: set[str] = set()
    for _ in range(size.starts):
        begun = time.monotonic()
        with stack.web(name) as web:
            mine["start"].append(time.monotonic() - begun)
            session = signed_in(web, link)
            pages = [page for page in PAGES if _status(web, page, session) == 200]
            press(
                web.url,
                _visits(pages, session),
                connections=CONNECTIONS,
                seconds=size.seconds,
            )
            heavy |= _remember(web, mine)
        begun = time.monotonic()
        with stack.floor(name) as floor:
            bare["start"].append(time.monotonic() - begun)
            press(floor.url, lambda _: Ask("GET", "/bare"), connections=CONNECTIONS, seconds=min(1.0, size.seconds))
            _remember(floor, bare)
    stack.drop(name)
    for title, key, unit in (
        ("resident memory of the web worker after pages in eight threads", "rss", "MB"),
        ("start of the web server until it answers", "start", "s"),
    ):
        ours, floor_series = Series(tuple(mine[key]), unit), Series(tuple(bare[key]), unit)
        over = ratio(ours, floor_series)
        report.lines.append(
            Line(
                f"B15 {title}; floor: bare Django",
                str(ours),
                floor=str(floor_series),
                ratio=f"{number(over.median)} × floor",
                spread=ours.spread,
            )
        )
    report.lines.append(
        Line(
            "B15 measuring libraries mapped into the web worker (numpy, pandas, …)", ", ".join(sorted(heavy)) if heavy else "none"
        )
    )
    report.lines += _first_page(stack)
    report.notes += [
        f"Pages asked for before memory was read: {', '.join(pages)}. Proportional memory (shared pages shared out): "
        f"{number(Series(tuple(mine['pss'])).median)} MB.",
        "The floor is Django without apps and middleware under the same server program.",
        "`make demo` in a fresh folder with the installation done: database cluster, migrations, people, web server; "
        "until the sign-in "
        "page was answered. Its background cases are stopped after that.",
    ]
    return report


def _remember(server: Running, into: dict[str, list[float]]) -> set[str]:
    """Memory of the largest worker below the master; gives the heavy libraries it holds."""
    pids = descendants(server.pid) or {server.pid}
    resident, proportional, pid = max((*resident_megabytes(pid), pid) for pid in pids)
    into["rss"].append(resident)
    into["pss"].append(proportional)
    mapped = loaded_files(int(pid))
    return {name for name in HEAVY if f"/{name}/" in mapped}


def _visits(pages: Sequence[str], session: dict[str, str]) -> Callable[[int], Ask]:
    return lambda n: Ask("GET", pages[n % len(pages)], headers=session)


def _status(server: Running, path: str, session: dict[str, str]) -> int:
    connection = Connection(server.url)
    try:
        return connection.ask(Ask("GET", path, headers=session))[0]
    finally:
        connection.close()


def _first_page(stack: BenchStack) -> list[Line]:
    begun = time.monotonic()
    with _demo(stack.folder / "fresh") as (url, log, process):
        until = begun + 180
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the demo did not come up:\n{log_tail(log)}")
            time.sleep(0.05)
        first = time.monotonic() - begun
        home = stack.folder / "fresh"
        while not (home / "demo.json").exists() and time.monotonic() < until:
            time.sleep(0.05)
        link = json.loads((home / "demo.json").read_text())["people"]["dana"]["login_url"]
        connection = Connection(url)
        status = connection.ask(Ask("GET", link.removeprefix(url)))[0]
        connection.close()
        if status != 302:
            raise AssertionError(f"the sign-in link answered {status}")
        signed = time.monotonic() - begun
    return [
        Line("B15 first page after `make demo` in a fresh folder (target: 15 s)", f"{number(first)} s"),
        Line("B15 first sign-in by link after `make demo` in a fresh folder", f"{number(signed)} s"),
    ]


def _answers(url: str) -> bool:
    connection = Connection(url)
    try:
        return connection.ask(Ask("GET", "/account/login/"))[0] in (200, 301, 302, 404)
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def _demo(home: Path) -> Iterator[tuple[str, Path, subprocess.Popen[bytes]]]:
    """`make demo` without make: its own servers, in a folder of its own."""
    port, log = free_port(), home.with_suffix(".log")
    own = {"PORT": str(port), "GUIDERAIL_HOME": str(home)}
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO", "GUIDERAIL", "DATABASE_URL", "REDIS_URL"))
    }
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "governance.config.embedded", "demo"],
            cwd=ROOT,
            env={**kept, **own},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield f"http://localhost:{port}", log, process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(home, ignore_errors=True)
