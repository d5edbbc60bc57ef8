"""For people: the verdict in a terminal."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Mapping
from typing import Any, TextIO

_MARK = {
    "pass": ("ok", "32"),
    "warn": ("warn", "33"),
    "fail": ("FAIL", "31"),
    "not_assessed": ("?", "35"),
    "not_applicable": ("-", "90"),
    "waived": ("waived", "36"),
}
_TRACK = {"green": "32", "yellow": "33", "red": "31"}
# a terminal must not be steered by what a submitter wrote
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: object) -> str:
    """One line without control characters."""
    return _CONTROL.sub("", " ".join(str(text).split()))


def coloured(stream: TextIO) -> bool:
    """Whether to colour: on a terminal, or in CI systems that show colour, unless NO_COLOR says no."""
    if os.environ.get("NO_COLOR"):
        return False
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR") or os.environ.get("GITLAB_CI"))


def verdict_text(verdict: Mapping[str, Any], *, colour: bool = False) -> str:
    """The whole verdict: track and why, what would change it, gates that are not passed, who is next."""

    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    number = f"{verdict['submission']}  " if verdict["submission"] else ""
    title = f"{number}{clean(verdict['system'])} {clean(verdict['version'])} → {clean(verdict['environment'])}"
    so_far = "" if verdict["track_is_final"] else " so far"
    track = paint(f"{clean(verdict['track'])} track", _TRACK.get(verdict["track"], "0"))
    lines = [paint(title, "1"), f"{track}{so_far}, {clean(verdict['state']).replace('_', ' ')}. {clean(verdict['says'])}", ""]
    if verdict["reasons"]:
        lines += ["Why", *(_item(f"{clean(r['says'])} ({r['rule']})") for r in verdict["reasons"]), ""]
    for way in verdict["would_change"]:
        head = f"It would be {way['to']} if" if way["possible"] else f"It cannot become {way['to']} by editing, because"
        lines += [head, *(_item(clean(change["change"])) for change in way["if"]), ""]
    gates = [gate for gate in verdict["gates"] if gate["verdict"] not in ("pass", "not_applicable")]
    passed = sum(gate["verdict"] == "pass" for gate in verdict["gates"])
    if verdict["gates"]:
        lines.append(f"Gates: {passed} of {len(verdict['gates'])} pass")
    for gate in gates:
        word, code = _MARK.get(gate["verdict"], (clean(gate["verdict"]), "0"))
        if gate["verdict"] == "fail" and not gate["blocking"]:
            word, code = "fail", "33"
        lines.append(f"  {paint(f'{word:<6}', code)} {gate['code']} {clean(gate['says'])}")
        if gate["fix"]:
            lines += textwrap.wrap(clean(gate["fix"]), 100, initial_indent="         → ", subsequent_indent="           ")
    if verdict["gates"]:
        lines.append("")
    missing = [f"{clean(q['ask'])} ({q['id']})" for q in verdict["questions"]["missing"]]
    missing += [f"evidence {e['role']}: {clean(e['why'])}" for e in verdict["missing_evidence"]]
    if missing:
        lines += ["Still missing", *(_item(text) for text in missing), ""]
    for advice in verdict.get("advice") or ():
        if isinstance(advice, Mapping) and advice.get("says"):
            lines.append(_item(clean(advice["says"])))
    lines.append(f"Next: {clean(verdict['next_step'])}")
    return "\n".join(lines)


def progress_line(verdict: Mapping[str, Any]) -> str:
    """One line about where it stands."""
    state = clean(verdict["state"]).replace("_", " ")
    if verdict["state"] == "in_checks":
        return f"{verdict['submission']}: the gates are running"
    turn = ", ".join(clean(role).replace("_", " ") for role in verdict["turn"])
    return f"{verdict['submission']}: {clean(verdict['track'])} track, {state}" + (f"; the turn of: {turn}" if turn else "")


def permit_text(answer: Mapping[str, Any]) -> str:
    """Allowed or not, and why."""
    head = "Allowed." if answer["allowed"] else "Not allowed."
    return "\n".join([head, *(_item(clean(reason)) for reason in answer["reasons"])])


def note(line: str) -> None:
    """A line beside the result, on the error stream."""
    print(line, file=sys.stderr, flush=True)


def _item(text: str) -> str:
    return textwrap.fill(text, 110, initial_indent="  - ", subsequent_indent="    ")
