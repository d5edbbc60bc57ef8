"""A model card's text: front matter split off, sections by heading, placeholders recognised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from governance.prefill.limits import MAX_CARD_TEXT

_OPEN = re.compile(r"\A\s*---[ \t]*(?:\r\n|\r|\n)")
_CLOSE = re.compile(r"(?:\A|\r\n|\r|\n)---[ \t]*(?:\r\n|\r|\n|\Z)")
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t#]*$")
_PLACEHOLDER = re.compile(r"\[?more information needed\]?|\{\{.*?\}\}|\bTODO\b", re.IGNORECASE)
MAX_SECTION = 4_000
_LONGEST_HEADING = 300
_LONGEST_LINE = 4_000


@dataclass(frozen=True, slots=True)
class Section:
    """One heading with the text below it, subsections included. `title` is plain and lower case."""

    heading: str
    title: str
    words: str


def split_front_matter(words: str) -> tuple[str | None, str, int, bool]:
    """Return (front matter or None, body, line of the file where the front matter begins, whether it was closed).

    The same split as huggingface_hub's, with any kind of line break.
    """
    opened = _OPEN.match(words)
    if not opened:
        return None, words, 1, True
    rest = words[opened.end() :]
    first_line = len(re.findall(r"\r\n|\r|\n", words[: opened.end()])) + 1
    closed = _CLOSE.search(rest)
    if not closed:
        return None, words, first_line, False
    return rest[: closed.start()], rest[closed.end() :], first_line, True


def sections(body: str) -> Iterator[Section]:
    """Every section of the Markdown in order; headings inside code fences do not count."""
    lines = _without_comments(body[:MAX_CARD_TEXT]).splitlines()
    found: list[tuple[int, str, int]] = []
    fence = ""
    for i, line in enumerate(lines):
        mark = line.lstrip()[:3]
        if mark in {"```", "~~~"}:
            fence = "" if fence == mark else fence or mark
            continue
        heading = None if fence or len(line) > _LONGEST_HEADING else _HEADING.match(line)
        if heading:
            found.append((len(heading[1]), heading[2].strip(), i))
    for index, (level, heading_text, start) in enumerate(found):
        later = (found[other] for other in range(index + 1, len(found)))
        end = next((line for deeper, _, line in later if deeper <= level), len(lines))
        yield Section(
            heading_text, _plain_title(heading_text), _section_words(lines[start + 1 : min(end, start + 1 + MAX_SECTION)])
        )


def _without_comments(words: str) -> str:
    """The text without HTML comments; one that is never closed stays. Found by hand: a pattern would take quadratic time."""
    kept: list[str] = []
    at = 0
    while (start := words.find("<!--", at)) >= 0 and (end := words.find("-->", start)) >= 0:
        kept.append(words[at:start])
        at = end + 3
    return "".join([*kept, words[at:]])


def _plain_title(heading: str) -> str:
    """`**Intended Uses & Limitations** [optional]` -> `intended uses and limitations`."""
    plain = re.sub(r"\[[^\]]*\]|[*_`:]", "", heading).replace("&", " and ").replace(",", " ").lower()
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s-]", " ", plain)).strip()


def _section_words(lines: list[str]) -> str:
    """A section without headings whose text is missing and without the template's placeholders; "" when nothing is left."""
    kept: list[str] = []
    for full in lines:
        line = full[:_LONGEST_LINE]
        if _PLACEHOLDER.search(line) and not _PLACEHOLDER.sub("", re.sub(r"\*\*.*?\*\*|[-*.\s]", "", line)).strip():
            continue
        kept.append(_PLACEHOLDER.sub("", line).rstrip())
    if not any(line.strip() and not line.startswith("#") for line in kept):
        return ""
    words = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return words if len(words) <= MAX_SECTION else words[: MAX_SECTION - 1] + "…"
