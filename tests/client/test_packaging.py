"""What `pip install` of the client brings, and what its start loads: little, so that no job waits for it. B17 measures both."""

from __future__ import annotations

import subprocess
import sys
import tomllib

from tests.stack import ROOT

CLIENT = ROOT / "client"
HEAVY = {"asyncio", "ctypes", "cryptography", "multiprocessing", "sqlite3", "unittest", "xml", "django", "httpx", "requests"}


def test_it_needs_one_small_package_and_no_django() -> None:
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["dependencies"] == ["pyyaml>=6.0"]
    assert project["scripts"] == {"guiderail": "guiderail_client.cli:main"}
    assert (CLIENT / "src/guiderail_client/guiderail.schema.json").is_file(), "in the package, so in the wheel"


def test_its_start_loads_the_standard_library_itself_and_nothing_heavy() -> None:
    say = "import sys; before = set(sys.modules); import guiderail_client.cli; print(*(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path += {[str(CLIENT / 'src'), *sys.path]!r}; {say}"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "guiderail_client" in loaded
    assert not loaded - set(sys.stdlib_module_names) - {"guiderail_client", "yaml", "_yaml"}
    assert not loaded & HEAVY
