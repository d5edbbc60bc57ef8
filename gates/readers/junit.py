"""JUnit XML as test runners write it (pytest, Surefire, Gradle, Jest, `go-junit-report`): counts and names, no messages.

Read as a stream by expat with everything refused that could cost or reach out: a document type (and with it entities, "billion
laughs" and external files), deep nesting, endless elements. What a failed test printed is not kept: it may hold anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers.caps import bytes_in_words
from gates.readers.json_report import words_of

MOST_BYTES = 64 * 1024**2
MOST_DEPTH = 60
MOST_ELEMENTS = 2_000_000
MOST_NAMED = 50
WAY_OUT = "Upload the JUnit XML your test runner writes, for example with pytest --junitxml=report.xml."


@dataclass
class TestReport:
    """What ran and how it came out. `stated`: the total the file itself claims; `again`: tests that passed only when repeated."""

    __test__ = False  # no test, whatever pytest thinks of the name

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    again: int = 0
    seconds: float = 0.0
    stated: int | None = None
    names: list[str] = field(default_factory=list)
    suites: list[str] = field(default_factory=list)
    newest: str = ""

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.errors + self.skipped

    @property
    def ran(self) -> int:
        return self.total - self.skipped


class _Refused(Exception):
    """Something a test report has no use for."""


def read(evidence: EvidenceInput) -> TestReport:
    """Count a report. Raises EvidenceProblem for what is no JUnit XML, breaks off, or tries something."""
    path = Path(evidence.path)
    size = path.stat().st_size
    if not 0 < size <= MOST_BYTES:
        found = "an empty file (0 bytes)" if not size else bytes_in_words(size)
        raise _problem(evidence, f"JUnit XML of at most {bytes_in_words(MOST_BYTES)}", found)
    walk = _Walk()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler, parser.EndElementHandler = walk.start, walk.end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ExternalEntityRefHandler = _refuse_document_type
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 16):
                parser.Parse(block, False)
            parser.Parse(b"", True)
    except _Refused as error:
        raise _problem(evidence, "a plain JUnit XML report", str(error)) from error
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise _problem(evidence, "JUnit XML", f"something else ({error})"[:120]) from error
    if walk.root not in ("testsuites", "testsuite"):
        raise _problem(evidence, "JUnit XML with <testsuites> or <testsuite>", f"<{walk.root[:60]}>")
    return walk.report


def _refuse_document_type(*_: object) -> int:
    raise _Refused("a document type or entity, which can make a small file endless or reach for other files")


class _Walk:
    """Counts while the parser goes through the file."""

    def __init__(self) -> None:
        self.report, self.root = TestReport(), ""
        self._depth = self._elements = 0
        self._outcome = self._case = ""
        self._outermost = MOST_DEPTH + 1

    def start(self, name: str, given: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MOST_DEPTH:
            raise _Refused(f"elements nested deeper than {MOST_DEPTH} levels")
        if self._elements > MOST_ELEMENTS:
            raise _Refused(f"more than {MOST_ELEMENTS:,} elements")
        self.root = self.root or name
        if name in ("testsuite", "testsuites"):
            self._suite(name, given)
        elif name == "testcase":
            place, title = words_of(given.get("classname", "")), words_of(given.get("name", ""))
            self._case, self._outcome = f"{place}::{title}" if place else title, "passed"
            self.report.seconds += _seconds(given.get("time", ""))
            if given.get("status", "") in ("notrun", "disabled"):
                self._outcome = "skipped"
        elif self._case and name in ("failure", "error", "skipped"):
            self._outcome = {"failure": "failed", "error": "errors", "skipped": "skipped"}[name]
        elif self._case and name in ("flakyFailure", "flakyError"):
            self.report.again += 1

    def end(self, name: str) -> None:
        self._depth -= 1
        if name == "testcase":
            setattr(self.report, self._outcome, getattr(self.report, self._outcome) + 1)
            if self._outcome in ("failed", "errors") and len(self.report.names) < MOST_NAMED:
                self.report.names.append(self._case or "a test without a name")
            self._case = ""

    def _suite(self, name: str, given: dict[str, str]) -> None:
        """The outermost totals count: inner ones are part of them."""
        stated = given.get("tests", "")
        if stated.isdecimal() and len(stated) < 10 and self._depth <= self._outermost:
            before = self.report.stated if self._depth == self._outermost else None
            self.report.stated, self._outermost = (before or 0) + int(stated), self._depth
        title = words_of(given.get("name", ""), 120)
        if title and name == "testsuite" and len(self.report.suites) < MOST_NAMED:
            self.report.suites.append(title)
        self.report.newest = max(self.report.newest, words_of(given.get("timestamp", ""), 40))


def _seconds(text: str) -> float:
    """A time as written, also `1,234.5`; 0 for what is none."""
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return value if 0 <= value < 1e9 else 0.0


def _problem(evidence: EvidenceInput, expected: str, found: str) -> EvidenceProblem:
    return EvidenceProblem(file=evidence.name, expected=expected, found=found, way_out=WAY_OUT)
