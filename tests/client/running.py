"""Running the client as CI does: a process of its own, an environment of its own, an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stack import ROOT


@dataclass(frozen=True)
class Ran:
    """What the process left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Client:
    """A working folder, a server's address and a token."""

    folder: Path
    url: str = ""
    token: str = "grl_not-a-real-one"

    def __call__(self, *words: str, timeout: float = 120, **more: str) -> Ran:
        known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment = {**known, "PYTHONPATH": str(ROOT / "client" / "src"), **more}
        if self.url:
            environment["GUIDERAIL_URL"] = self.url
        if self.token:
            environment["GUIDERAIL_TOKEN"] = self.token
        done = subprocess.run(
            [sys.executable, "-m", "guiderail_client", *words],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def project(self, **given: Any) -> None:
        """Write `guiderail.yaml` (JSON is YAML)."""
        text = json.dumps({"system": "demo", "version": "1.0", **given}, indent=1)
        (self.folder / "guiderail.yaml").write_text(text, encoding="utf-8")
