"""The folder of one embedded installation: where things lie, who holds it, and what it last started."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

from governance.config.embedded_postgres import SOCKET, StackProblem
from governance.config.embedded_processes import Known

SOCKET_PATH_LIMIT = 100  # 107 bytes on Linux, 103 on macOS
_PLAIN = re.compile(r"[A-Za-z0-9_./+-]+")


@dataclass(frozen=True)
class Home:
    """`GUIDERAIL_HOME` of an embedded installation: database, evidence, logs and run-time files."""

    path: Path

    @classmethod
    def from_environment(cls) -> Home:
        given = os.environ.get("GUIDERAIL_HOME") or Path(__file__).resolve().parents[2] / "var"
        return cls(Path(given).resolve())

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def demo_file(self) -> Path:
        return self.path / "demo.json"

    def make(self) -> None:
        """The folders; raises StackProblem where they cannot be written."""
        try:
            for folder in (self.path, self.logs, self.run, self.path / "static"):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            way_out = "Choose another: GUIDERAIL_HOME=<folder>"
            raise StackProblem(f"{self.path} cannot be used ({problem.strerror}). {way_out}") from problem
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise StackProblem(f"{self.path} belongs to somebody else. Choose another: GUIDERAIL_HOME=<folder>")

    def sockets(self) -> Path:
        """A folder for Unix sockets: in the home where its path is short and plain, else in the temporary folder."""
        near = self.run / "sockets"
        if len(os.fsencode(near / "pg" / SOCKET)) <= SOCKET_PATH_LIMIT and _PLAIN.fullmatch(str(near)):
            near.mkdir(parents=True, exist_ok=True)
            return near
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        far = Path("/tmp" if len(tempfile.gettempdir()) > 40 else tempfile.gettempdir()) / f"guiderail-{os.getuid()}-{name}"
        far.mkdir(mode=0o711, exist_ok=True)
        seen = far.lstat()
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid() or seen.st_mode & 0o022:
            raise StackProblem(f"{far} is not ours to use. Remove it, or choose a GUIDERAIL_HOME with a shorter path.")
        return far

    def lock(self) -> TextIO | None:
        """The right to run from this folder, held until the file is closed or its holder dies; None when somebody has it."""
        file = (self.run / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file


@dataclass
class State:
    """What runs, as noted in `run/stack.json`, so that a later start, `stop` and `status` find it."""

    supervisor: Known
    url: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    children: dict[str, Known] = field(default_factory=dict)
    stopping: bool = False

    def write(self, home: Home) -> None:
        fresh = home.run / "stack.json.fresh"
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)  # it holds the database password
        fresh.write_text(json.dumps(asdict(self), indent=1))
        fresh.rename(home.run / "stack.json")

    @staticmethod
    def forget(home: Home) -> None:
        (home.run / "stack.json").unlink(missing_ok=True)

    @classmethod
    def read(cls, home: Home) -> State | None:
        """What was noted last, or None where nothing (readable) was."""
        try:
            data = json.loads((home.run / "stack.json").read_text())
            children = {name: Known(**entry) for name, entry in data["children"].items()}
            return cls(Known(**data["supervisor"]), data["url"], data["environment"], children, data["stopping"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
