"""Lines of a pip requirements file: which package, pinned to which version, on which line, by the rules of PEP 508 and pip."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?"
_LINE = re.compile(rf"({_NAME})\s*(?:\[[^\]]{{0,200}}\])?\s*(.*)")
_PIN = re.compile(r"\(?\s*={2,3}\s*([A-Za-z0-9!+._-]{1,100})\s*\)?")
_VERSIONED = re.compile(rf"{_NAME}\s*(?:\[[^\]]{{0,200}}\])?\s*\(?\s*(?:===?|~=|>=|<=|!=|<|>)\s*[0-9A-Za-z]")
_BARE = re.compile(rf"{_NAME}(?:\[[^\]]{{0,200}}\])?(?:\s*@\s*\S+)?(?:\s*;.*)?")
_HASH = re.compile(r"\s--hash[=\s].*$")
_LONGEST_LINE = 4_000
_LOOK_AT = 200
MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Requirement:
    """One package of a file. `version`: the one it is pinned to, "" where others may be taken as well. `line` counts from 1."""

    name: str
    version: str
    line: int


def plain_name(name: str) -> str:
    """The name as the index compares it (PEP 503): `Scikit_Learn` -> `scikit-learn`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def looks_like_requirements(name: str, words: str) -> bool:
    """Whether a text is such a file: by its name, or because every line could stand in one and at least one names a version."""
    ending = name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1].lower()
    if ending.endswith(".txt") and ending.startswith(("requirements", "constraints")):
        return True
    if ending.endswith((".md", ".markdown", ".mdx", ".json", ".yaml", ".yml")):
        return False
    versioned = 0
    for line in words[: _LONGEST_LINE * 10].splitlines()[:_LOOK_AT]:
        plain = line.strip()
        if not plain or plain.startswith(("#", "--", "-e ", "-r ", "-c ", "-i ")):
            continue
        if len(plain) > _LONGEST_LINE:
            return False
        if _VERSIONED.match(plain):
            versioned += 1
        elif not _BARE.fullmatch(plain):
            return False
    return versioned > 0


def requirements(words: str) -> Iterator[Requirement | int]:
    """Each requirement; the number of a line that is none. Options, comments and addresses of packages are passed over.

    At most `MOST_LINES` lines are looked at.
    """
    joined = ""
    first = 1
    for number, line in enumerate(words.splitlines()[:MOST_LINES], start=1):
        plain = re.sub(r"(?:^|\s)#.*$", "", line[:_LONGEST_LINE]).strip()
        first = first if joined else number
        if plain.endswith("\\") and len(joined) < _LONGEST_LINE:
            joined += plain[:-1] + " "
            continue
        whole, joined = (joined + plain).strip(), ""
        if not whole or whole.startswith("-"):
            continue
        found = _LINE.fullmatch(_HASH.sub("", whole))
        rest = found[2] if found else ""
        if found is None or (rest and not rest.startswith(("=", "~", "!", "<", ">", "(", ";", "@"))):
            if "://" not in whole and not whole.startswith((".", "/")):
                yield first
            continue
        pin = _PIN.fullmatch(rest.partition(";")[0].strip())
        yield Requirement(plain_name(found[1]), pin[1] if pin else "", first)
