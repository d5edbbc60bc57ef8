"""Decisions written in Rego: asked of the operator's OPA server, or of Rego modules in this process. Fails closed.

Input goes in, `deny` and `warn` (lists of sentences) and optionally `allow` come out. What is undefined, late, odd or not
reachable is no decision: `NoDecision` says why, and whoever asked has to treat it as not allowed.

- `GUIDERAIL_OPA_URL`: an OPA server, such as http://opa:8181; its bearer token: `GUIDERAIL_OPA_TOKEN` (or `_FILE`);
- else `GUIDERAIL_REGO_DIR`: a folder of `.rego` files;
- else the modules shipped in `governance/packs/rego`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from regopy import Interpreter
from regopy.rego_shared import RegoError

from governance.domain.canonical import canonical_json
from governance.domain.secret_values import SecretUnreadable, secret_value
from governance.services.outgoing import Unreachable, ask
from governance.services.packs import PACKS

FACTS, PIPELINES = "guiderail.decision", "guiderail.pipelines"
SECONDS = 5.0
MOST_BYTES, MOST_SENTENCES, LONGEST_SENTENCE = 1024**2, 50, 500


class NoDecision(Exception):
    """Nobody decided. Says why, and what to do."""


@dataclass(frozen=True)
class Decision:
    """What a policy said. `engine`: who said it, for the record."""

    deny: tuple[str, ...]
    warn: tuple[str, ...]
    engine: str

    @property
    def allowed(self) -> bool:
        return not self.deny


def decide(package: str, given: Mapping[str, Any]) -> Decision:
    """Ask for the decision of a package. Raises `NoDecision`."""
    if settings.OPA_URL:
        return _from_server(package, given)
    if settings.REGO_DIR or package == PIPELINES:
        return _in_process(package, given)
    raise NoDecision("No policy engine is configured. The operator sets GUIDERAIL_OPA_URL or GUIDERAIL_REGO_DIR.")


def _from_server(package: str, given: Mapping[str, Any]) -> Decision:
    url = f"{settings.OPA_URL.rstrip('/')}/v1/data/{package.replace('.', '/')}"
    try:
        token = secret_value("GUIDERAIL_OPA_TOKEN")
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        body = canonical_json({"input": dict(given)})
        reply = ask("POST", url, body=body, headers=headers, seconds=SECONDS, most=MOST_BYTES, named_by_operator=True)
        found = json.loads(reply.body) if reply.status == 200 else None
    except (Unreachable, SecretUnreadable, ValueError, RecursionError) as exc:
        raise NoDecision(f"The OPA server gave no decision: {exc}"[:400]) from exc
    if not isinstance(found, dict):
        raise NoDecision(f"The OPA server gave no decision: it answered {reply.status}.")
    if "result" not in found:
        raise NoDecision(f"The OPA server knows no package {package}, so nothing was decided.")
    return _read(found["result"], f"OPA at {settings.OPA_URL}")


def _in_process(package: str, given: Mapping[str, Any]) -> Decision:
    folder = Path(settings.REGO_DIR) if settings.REGO_DIR else PACKS / "rego"
    stamps = tuple(sorted((str(path), path.stat().st_mtime_ns) for path in folder.glob("*.rego")))
    if not stamps:
        raise NoDecision(f"There is no .rego file in {folder}.")
    try:
        interpreter = Interpreter()
        for name, text in _modules(stamps):
            interpreter.add_module(name, text)
        interpreter.set_input(json.loads(canonical_json(dict(given))))
        found = {rule: _value(interpreter, f"data.{package}.{rule}") for rule in ("allow", "deny", "warn")}
    except (RegoError, ValueError, OSError, RuntimeError) as exc:
        raise NoDecision(f"The Rego modules cannot be evaluated: {exc}"[:400]) from exc
    if found == {"allow": None, "deny": None, "warn": None}:
        raise NoDecision(f"No Rego module has a decision in the package {package}, so nothing was decided.")
    return _read(found, f"Rego in {folder.name}")


def _value(interpreter: Interpreter, query: str) -> Any:
    """The value of one rule; None where it is undefined. Raises `ValueError` or `RegoError` for what is no value.

    Marshalled and encoded inside: regopy 1.5 writes quotes within texts as they are, which is no JSON. What was encoded is the
    text as Rego's source would hold it, so it is unescaped once more.
    """
    output = interpreter.query(f"base64.encode(json.marshal({query}))")
    if not output.ok():
        raise ValueError(str(output))
    text = str(output).strip()
    if text in ("", "undefined"):
        return None
    escaped = base64.b64decode(json.loads(text)["expressions"][0], validate=True).decode()
    return json.loads(json.loads(f'"{escaped}"'))


@lru_cache(maxsize=4)
def _modules(stamps: tuple[tuple[str, int], ...]) -> tuple[tuple[str, str], ...]:
    """The modules' texts; read again when a file changed. Tests of modules (`_test.rego`) are left out."""
    return tuple((path, Path(path).read_text(encoding="utf-8")) for path, _ in stamps if not path.endswith("_test.rego"))


def _read(result: Any, engine: str) -> Decision:
    if not isinstance(result, Mapping):
        raise NoDecision(f"{engine} answered with no object of allow, deny and warn.")
    allow, deny, warn = result.get("allow"), _sentences(result.get("deny"), engine), _sentences(result.get("warn"), engine)
    if allow is not None and not isinstance(allow, bool):
        raise NoDecision(f"{engine} gave an “allow” that is neither true nor false: nothing was decided.")
    if deny is None and allow is None:
        raise NoDecision(f"{engine} said neither allow nor deny: nothing was decided.")
    reasons = deny or ()
    if allow is False and not reasons:
        reasons = ("The policy does not allow it, and gives no reason.",)
    return Decision(reasons, warn or (), engine)


def _sentences(rows: Any, engine: str) -> tuple[str, ...] | None:
    """Sentences of a set or list; conftest's `{"msg": …}` too. None where the rule is not there."""
    if rows is None:
        return None
    if isinstance(rows, Mapping):  # a set travels as an object in some engines
        rows = list(rows)
    if not isinstance(rows, list):
        raise NoDecision(f"{engine} gave a {type(rows).__name__} where a list of sentences is expected.")
    said = [str(row.get("msg", row)) if isinstance(row, Mapping) else str(row) for row in rows[:MOST_SENTENCES]]
    return tuple(sorted(" ".join(text.split())[:LONGEST_SENTENCE] for text in said))
