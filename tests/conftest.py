"""Fixtures for every test: the servers it needs, started when first needed; a browser; the shared public data.

The environment is set while this file is imported, which is before pytest-django reads Django's settings.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.skips import pytest_make_collect_report, pytest_runtest_makereport, pytest_terminal_summary
from tests.stack import ROOT, Running, Stack, url_with_name

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport", "pytest_terminal_summary"]

if os.environ.get("DJANGO_SETTINGS_MODULE"):
    raise pytest.UsageError("Unset DJANGO_SETTINGS_MODULE: the tests set it themselves, after they know their servers.")

ALONE = ("tests/gates/engine/", "tests/governance/config/", "tests/governance/api/test_outage.py")
"""Tests that kill servers or hold processes to their leases: `make test` runs them after the others, nothing beside them."""

STACK = Stack.make()
_SET = STACK.environment()
_BEFORE = dict(os.environ)
os.environ.update(_SET)
os.environ["DJANGO_SETTINGS_MODULE"] = "governance.config.settings"
django.setup()
# A password takes 0.3 s to hash, and the demo's fourteen people share one: it is hashed once. With as many rounds as ever, as the
# web server under test would otherwise hash it anew when it is typed, which ends the session.
PBKDF2PasswordHasher.salt = lambda self: "one-salt-for-all-the-tests"  # type: ignore[method-assign]
PBKDF2PasswordHasher.encode = lru_cache(PBKDF2PasswordHasher.encode)  # type: ignore[method-assign]

# no deadlines: these machines are shared and noisy. The same examples every time, unless the nightly profile is asked for
hypothesis_settings.register_profile("guiderail", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.register_profile("nightly", deadline=None, max_examples=2_000, print_blob=True)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "guiderail"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """With `pytest -n` each process has servers of its own: what this one set for itself is not handed down."""
    os.environ.clear()
    os.environ.update(_BEFORE)


def pytest_unconfigure() -> None:
    STACK.stop()


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test that asks for a browser or a worker is marked so, and can be chosen with -m."""
    names = getattr(item, "fixturenames", ())
    if "browser" in names:
        item.add_marker("browser")
    if "worker" in names or "start_worker" in names:
        item.add_marker("worker")
    if item.path.is_relative_to(ROOT) and str(item.path.relative_to(ROOT)).startswith(ALONE):
        item.add_marker("alone")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a browser or a worker come first.

    With several processes the others wait for a long file that starts last; hence `--no-loadscope-reorder` in the Makefile.
    """
    long = {item.path for item in items if item.get_closest_marker("browser") or item.get_closest_marker("worker")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The servers of this run; see tests/stack.py."""
    return STACK


@pytest.fixture(scope="session")
def django_db_modify_db_settings(stack: Stack) -> None:
    """PostgreSQL is started when the first test asks for the database; its name is this run's own."""
    from django.conf import settings  # noqa: PLC0415 (not before the environment is set)

    stack.start_postgres()
    database = settings.DATABASES["default"]
    database["TEST"] = {**database.get("TEST", {}), "NAME": f"test_{database['NAME']}_{os.getpid()}"}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Tables that refuse TRUNCATE by trigger (the audit chain) are emptied between tests all the same.

    Tests put packs of their own in force without two people; the test of that fence puts it up again.
    """
    from django.db import connection  # noqa: PLC0415 (imports Django)

    from tests.emptying import allow_emptying  # noqa: PLC0415 (imports Django)

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_policypack DISABLE TRIGGER pack_first")
    with allow_emptying():
        yield


@pytest.fixture(scope="session")
def database_url(stack: Stack, django_db_setup: None) -> str:
    """The test database, as another process has to be given it. Use with `transactional_db`: others see committed rows only."""
    from django.db import connection  # noqa: PLC0415

    return url_with_name(stack.database_url, connection.settings_dict["NAME"])


@pytest.fixture
def superuser_url(stack: Stack, database_url: str) -> str:
    """The test database as its superuser: for tests that tamper the way an administrator could."""
    from django.db import connection  # noqa: PLC0415

    url = stack.superuser_url(connection.settings_dict["NAME"])
    if url is None:
        pytest.skip("DATABASE_URL names a server whose superuser the tests do not know")
    return url


@pytest.fixture
def broker(stack: Stack) -> Iterator[Running | None]:
    """A running, empty broker; None where `REDIS_URL` names another. Killed in a test, it is there again for the next."""
    from governance.config.celery import app  # noqa: PLC0415

    running = stack.start_redis()
    app.control.purge()
    yield running
    stack.start_redis()


@pytest.fixture(scope="module")  # ended with its file: to the next one's tests it would hand in what they do not expect
def _worker(stack: Stack, database_url: str) -> Iterator[list[Running]]:
    kept: list[Running] = []
    yield kept
    for running in kept:
        running.stop(seconds=3)


@pytest.fixture
def worker(_worker: list[Running], stack: Stack, broker: Running | None, transactional_db: None, database_url: str) -> Running:
    """A real Celery worker process on the test database, shared by the tests that do not kill it."""
    if not _worker or _worker[-1].process.poll() is not None:
        _worker.append(stack.start_worker(database_url))
    return _worker[-1]


@pytest.fixture
def start_worker(
    stack: Stack, broker: Running | None, transactional_db: None, database_url: str
) -> Iterator[Callable[..., Running]]:
    """Starts workers of the test's own, to be killed: `start_worker(concurrency=1, SOME_VARIABLE="x")`."""
    mine: list[Running] = []

    def start(**options: Any) -> Running:
        mine.append(stack.start_worker(database_url, **options))
        return mine[-1]

    yield start
    for running in mine:
        running.stop(seconds=1)


@pytest.fixture
def web(stack: Stack, transactional_db: None, database_url: str) -> Iterator[Running]:
    """A real gunicorn process on the test database; `web.url` is where it answers."""
    running = stack.start_web(database_url)
    yield running
    running.stop(seconds=3)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The public data sets: `GUIDERAIL_SHARED_DATA`, else `../shared/data` beside the project."""
    folder = Path(os.environ.get("GUIDERAIL_SHARED_DATA") or ROOT.parent / "shared" / "data").resolve()
    if not folder.is_dir():
        pytest.skip(f"no public data at {folder} (set GUIDERAIL_SHARED_DATA)")
    return folder


CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, driven by Playwright: `CHROMIUM`, else what the system has installed."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (slow to import, and few tests need it)

    given = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
    program = given if Path(given).exists() else shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip(f"no browser at {given} (apt-get install chromium, or set CHROMIUM)")
    # Playwright keeps an event loop running in this thread; the tests' own database calls are synchronous on purpose
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, live_server: Any, settings: Any) -> Iterator[Page]:
    """An empty browser page on the running site, `page.goto("/")`. A script error on it fails the test."""
    settings.PUBLIC_URL = live_server.url
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, f"script errors on the page: {errors}"
