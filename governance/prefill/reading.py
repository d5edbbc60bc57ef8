"""`read_source`: one metadata file in, facts and problems out. Bad input is a problem with words, never an exception."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from governance.domain.facts import Fact
from governance.prefill.card_text import split_front_matter
from governance.prefill.limits import MAX_PROBLEMS
from governance.prefill.readers import Reader, all_readers
from governance.prefill.safe_json import parse_json
from governance.prefill.safe_toml import parse_toml
from governance.prefill.safe_yaml import parse_yaml
from governance.prefill.sniffing import decode, form_of
from governance.prefill.source import Document, Form, Problem, Source, file_name

_MEDIA = {
    Form.JSON: "application/json",
    Form.YAML: "application/yaml",
    Form.CARD: "text/markdown",
    Form.TOML: "application/toml",
    Form.REQUIREMENTS: "text/plain",
}
_DOWNLOADS = ("wheels", "sdist", "files")
"""What lock files list for each package and no reader needs: most of such a file."""
_CRASH = "could not go on"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one source gave. `reader` is None when no reader knows it; `media` is its media type by content."""

    reader: str | None
    facts: tuple[Fact, ...]
    problems: tuple[Problem, ...]
    media: str


def read_source(name: str, data: bytes) -> Reading:
    """Read the file `name` with the content `data`.

    Never raises for bad input: what cannot be read is a `Problem` that says what was expected, what was found and how to mend it,
    and everything else in the file is still read.
    """
    source = Source(name=file_name(name), digest="sha256:" + hashlib.sha256(data).hexdigest())
    if not data.strip(b" \t\r\n\xef\xbb\xbf"):
        return Reading(
            None, (), (source.problem("", "The file is empty. Export it again and send it with its content."),), "text/plain"
        )
    media, words, problem = decode(data, source)
    if problem is not None:
        return Reading(None, (), (problem,), media)
    form = form_of(name, words)
    document, problems = _parse(form, words, source)
    if document is None:
        return Reading(None, (), tuple(problems), _MEDIA[form])
    reader = next((each for each in all_readers() if each.recognises(name, document)), None)
    if reader is None:
        return Reading(None, (), _capped([_not_recognised(source), *problems], source), _MEDIA[form])
    facts: list[Fact] = []
    # One reader that trips over a file must cost neither what it already read nor the other files.
    try:
        for item in reader.read(document, source):
            if isinstance(item, Problem):
                problems.append(item)
            else:
                facts.append(item)
    except Exception as exc:
        problems.append(_stopped(reader, exc, source))
    return Reading(reader.NAME, tuple(facts), _capped(problems, source), _MEDIA[form])


def _parse(form: Form, words: str, source: Source) -> tuple[Document | None, list[Problem]]:
    if form is Form.CARD:
        return _parse_card(words, source)
    if form is Form.REQUIREMENTS:
        return Document(form, {}, words), []
    if form is Form.TOML:
        value, problems, ok = parse_toml(words, source, without=_DOWNLOADS)
        return (Document(form, value) if ok else None), problems
    value, problems, ok = parse_json(words, source) if form is Form.JSON else parse_yaml(words, source)
    return (Document(form, value) if ok else None), problems


def _parse_card(words: str, source: Source) -> tuple[Document, list[Problem]]:
    """A card is read even when its front matter is broken: its text still says something."""
    front, body, first_line, closed = split_front_matter(words)
    if not closed:
        found = source.problem(
            f"line {first_line - 1}", "The front matter opens with --- but is never closed. Add a line with --- after it."
        )
        return Document(Form.CARD, {}, body), [found]
    if front is None or not front.strip():
        return Document(Form.CARD, {}, body), []
    value, problems, _ = parse_yaml(front, source, first_line=first_line)
    if value is not None and not isinstance(value, dict):
        problems.append(
            source.problem(
                "front matter", f"The front matter has to be a mapping of names to values; found a {type(value).__name__}."
            )
        )
        value = {}
    return Document(Form.CARD, value or {}, body), problems


def readable() -> list[str]:
    """What people call the formats that are read, in the order of the alphabet."""
    return sorted((reader.TITLE for reader in all_readers()), key=str.lower)


def _not_recognised(source: Source) -> Problem:
    titles = ", ".join(readable())
    detail = f"This file is not recognised; these are read: {titles}. If it is a report or data, upload it as evidence."
    return source.problem("", detail)


def _stopped(reader: Reader, exc: Exception, source: Source) -> Problem:
    what = f"The reader for {reader.TITLE} {_CRASH} in this file ({type(exc).__name__})"
    return source.problem("", f"{what}; what it read before counts. Report the file to your administrator.")


def _capped(problems: list[Problem], source: Source) -> tuple[Problem, ...]:
    if len(problems) <= MAX_PROBLEMS:
        return tuple(problems)
    more = len(problems) - MAX_PROBLEMS
    return (
        *problems[:MAX_PROBLEMS],
        source.problem("", f"{more:,} more problems of this kind are not listed. Mend these first."),
    )
