"""The usability script of docs/first-submission.md as a program: what a person without briefing reads, types and presses.

It follows the links and forms of the pages, hands in a first version made as the demo makes its own, and reckons the time by
published figures: 238 words a minute for silent reading (Brysbaert 2019), and the keystroke-level model for the rest (Card, Moran
and Newell 1980). No person was timed; this fails when the way gets longer than the goal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from gates.simulator.models import train
from gates.simulator.populations import lender
from governance.domain.vocabulary import State
from governance.models import Submission
from governance.selectors.access import SYSTEM
from governance.services.packs import load_shipped_packs
from reviews.demo.handing_in import build
from reviews.demo.usual import LENDING, standard_facts
from tests.governance.making import browser
from tests.reviews.making import everybody

pytestmark = pytest.mark.django_db(transaction=True)

GOAL_MINUTES = 15
READ = 60 / 238
KEY, POINT_AND_CLICK, THINK, CHOOSE_FILE = 0.28, 1.3, 1.35, 12.0
"""Seconds: a key pressed by an average typist; pointing (1.1) and a click (0.2); making up one's mind; finding a file in a folder
with the file dialogue, three times as long as the model's own strokes for it."""


VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
UNSEEN = {"script", "style", "select", "svg", "title", "template"}


class Words(HTMLParser):
    """The words a page shows in its main part before anything is unfolded, and what its fields hold already."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.filled: dict[str, str] = {}
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name") and given.get("type") not in ("file", "radio", "checkbox"):
            self.filled[str(given["name"])] = given.get("value") or ""
        if tag in VOID:
            return
        unseen = tag in UNSEEN or "hidden" in given or "visually-hidden" in (given.get("class") or "")
        self._open.append((tag, unseen or (tag == "details" and "open" not in given)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self._open]
        folded = {tag for tag, unseen in self._open if unseen}
        if "main" in tags and (not folded or (folded == {"details"} and "summary" in tags)):
            self.words += data.split()


@dataclass
class Newcomer:
    """Somebody at the screen who reads every line once and knows only what the pages say."""

    client: Client
    known: set[str] = field(default_factory=set)
    words: int = 0
    clicks: int = 0
    keys: int = 0
    files: int = 0

    @property
    def minutes(self) -> float:
        acts = self.clicks * (POINT_AND_CLICK + THINK) + self.keys * KEY + self.files * CHOOSE_FILE
        return (self.words * READ + acts) / 60

    def look(self, address: str) -> Words:
        self.clicks += 1
        answer = self.client.get(address)
        assert answer.status_code == 200, address
        return self.read(answer.content.decode())

    def read(self, html: str) -> Words:
        """Lines seen before are not read again."""
        page = Words()
        page.feed(html)
        lines = re.findall(r"[^.!?]+[.!?]?", " ".join(page.words))
        new = [line.strip() for line in lines if line.strip() not in self.known]
        self.known |= set(new)
        self.words += sum(len(line.split()) for line in new)
        return page

    def send(self, address: str, body: dict[str, Any], *, typed: str = "") -> str:
        """Press a button. `typed`: what the person had to write for it. Returns where it leads."""
        self.clicks += 1
        self.keys += len(typed)
        answer = self.client.post(address, body)
        assert answer.status_code == 302, self.read(answer.content.decode()).words[:80]
        return str(answer["Location"])


def test_a_first_submission_takes_less_than_the_goal() -> None:
    load_shipped_packs(caller=SYSTEM)
    training, evaluation = lender(400, seed=11), lender(400, seed=12)
    new = build(
        system="credit-default",
        version="1.0.0",
        candidate=train(training, seed=1, trees=3),
        champion=None,
        training=training,
        evaluation=evaluation,
        source="s3://lake/credit/applications/2026q3.parquet",
        intended_use="Decides on credit limit increases for existing customers of the lender.",
        limitations="Trained on customers with at least six months of history. Not for business customers.",
        owner="credit-risk",
        governance=standard_facts("credit", **LENDING),
    )
    dana = Newcomer(browser(everybody()["dana"]))

    dana.look("/submissions/new")
    dana.files += len(new.files)
    dropped = [SimpleUploadedFile(name, data) for name, data in new.files.items()]
    body = {"system": new.system, "version": new.version, "environment": "production", "kind": "ml_model", "files": dropped}
    tasks = dana.send("/submissions/new", body, typed=new.system + new.version)
    dana.look(tasks)

    row = Submission.objects.get()
    where = f"/submissions/{row.number}"
    dana.look(f"{where}/evidence")
    for role, (name, data, columns, _) in new.evidence.items():
        page = dana.look(f"{where}/evidence?role={role.value}")
        named = {
            f"column_{key}": value if isinstance(value, str) else ", ".join(value)
            for key, value in columns.items()
            if f"column_{key}" in page.filled
        }
        typed = "".join(text for key, text in named.items() if page.filled[key] != text)
        dana.files += 1
        body = {"role": role.value, "file": SimpleUploadedFile(name, data), **page.filled, **named}
        dana.send(f"{where}/evidence", body, typed=typed)

    dana.look(f"{where}/check")
    dana.look(dana.send(f"{where}/confirm", {}))
    dana.send(f"{where}/submit", {})
    row.refresh_from_db()
    assert row.state == State.IN_CHECKS
    assert dana.minutes < GOAL_MINUTES, vars(dana)
    assert dana.keys < 200 and dana.clicks < 60, (dana.keys, dana.clicks)
