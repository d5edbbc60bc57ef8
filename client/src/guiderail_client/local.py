"""`preview --local`: the server's own code judges the files here. No server is asked, nothing leaves this machine.

The client has no rules of its own, so it runs those of an installation of Guiderail on this machine:
`GUIDERAIL_SERVER_DIR` is its folder (a checkout, or `/app` in the image). They are the same files that a server runs; see
docs/adr/0011.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from guiderail_client.exits import INVALID, SERVER, Problem
from guiderail_client.project import Project

LONGEST_SECONDS = 3600
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


def preview(project: Project, body: dict[str, Any], *, render: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Ask the installation beside us. Returns `{"document": …, "rendered": …}`. Raises `Problem`."""
    python, manage = _installation()
    body = {**body, "render": render}
    body["evidence"] = [
        {"role": item.role, "path": str(item.path.resolve()), "columns": item.columns, "format": item.format}
        for item in project.evidence
    ]
    say(f"Running the gates of {manage.parent} on these files …")
    with tempfile.TemporaryDirectory(prefix="guiderail-local-") as home:
        known = {name: os.environ[name] for name in _KEPT if name in os.environ}
        # no database, broker or key of an installation is used; the settings only want them named
        settings = {"GUIDERAIL_HOME": home, "GUIDERAIL_SECRET_KEY": secrets.token_hex(32), "GUIDERAIL_LOG_LEVEL": "ERROR"}
        try:
            done = subprocess.run(
                [str(python), str(manage), "preview_local"],
                input=json.dumps(body),
                env={**known, **settings},
                cwd=home,
                capture_output=True,
                text=True,
                check=False,
                timeout=LONGEST_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Problem(SERVER, f"{manage} could not be run: {error}") from error
    try:
        told = json.loads(done.stdout)
    except ValueError:
        told = None
    if isinstance(told, dict) and "problem" in told:
        raise Problem(INVALID, str(told["problem"]), tuple(str(row) for row in told.get("errors") or ()))
    if done.returncode or not isinstance(told, dict) or "document" not in told:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise Problem(SERVER, f"{manage} ended with {done.returncode}: {last[0]}")
    return told


def _installation() -> tuple[Path, Path]:
    """The Python and the manage.py to run."""
    given = os.environ.get("GUIDERAIL_SERVER_DIR", "")
    folder = Path(given).expanduser()
    if not given or not (folder / "manage.py").is_file():
        raise Problem(
            INVALID,
            "preview --local needs an installation of Guiderail on this machine. Set GUIDERAIL_SERVER_DIR to its folder, the one "
            "with manage.py.",
        )
    own = folder / ".venv" / "bin" / "python"
    return (own if own.is_file() else Path(sys.executable)), (folder / "manage.py").resolve()
