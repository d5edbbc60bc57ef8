"""A pull request as JSON: of GitHub (`gh pr view --json author,reviews,headRefOid,url`), or approvals of a GitLab merge request.

An approval counts until the same person asks for changes or it is dismissed; the last word of each person is the one that holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.source import Document, Form, Problem, Source, child, mapping, sequence, text

NAME = "pull_request"
TITLE = "Pull request JSON"
FILLS = ("code.author", "code.approvals", "code.commit", "code.approved_commit", "code.pull_request")
ORDER = 40


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    if document.form is not Form.JSON:
        return False
    return ("headRefOid" in data and ("reviews" in data or "author" in data)) or (
        isinstance(data.get("approved_by"), list) and "approvals_required" in data
    )


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    data = mapping(document.data)
    author = text(mapping(data.get("author")).get("login")) or text(mapping(data.get("author")).get("username"))
    if author:
        yield source.fact("code.author", author, "author")
    commit = text(data.get("headRefOid")) or text(data.get("sha"))
    if commit:
        yield source.fact("code.commit", commit, "headRefOid" if text(data.get("headRefOid")) else "sha")
    address = text(data.get("url")) or text(data.get("web_url"))
    if address:
        yield source.fact("code.pull_request", address, "url" if text(data.get("url")) else "web_url")
    if isinstance(data.get("reviews"), list):
        yield from _reviews(data, source)
    elif isinstance(data.get("approved_by"), list):
        people = [text(mapping(mapping(row).get("user")).get("username")) for row in sequence(data["approved_by"])]
        yield source.fact("code.approvals", [name for name in people if name], "approved_by")


def _reviews(data: dict[str, Any], source: Source) -> Iterator[Fact | Problem]:
    """The last word of each person, in the order of the file; a comment is none."""
    last: dict[str, tuple[str, str]] = {}
    for index, row in enumerate(sequence(data["reviews"])):
        review = mapping(row)
        who, state = text(mapping(review.get("author")).get("login")), text(review.get("state")).upper()
        if not who:
            yield source.problem(child("reviews", index), "A review names its author (author.login). Ask for “reviews” again.")
        elif state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            last[who] = (state, text(mapping(review.get("commit")).get("oid")))
    approved = {who: commit for who, (state, commit) in last.items() if state == "APPROVED"}
    yield source.fact("code.approvals", list(approved), "reviews")
    against = [who for who, (state, _) in last.items() if state == "CHANGES_REQUESTED"]
    if against:
        yield source.advice("reviews", f"{', '.join(against[:5])} asked for changes that are still open.")
    commits = {commit for commit in approved.values() if commit}
    if approved and len(commits) == 1 and all(approved.values()):
        yield source.fact("code.approved_commit", commits.pop(), "reviews[].commit.oid")
    elif len(commits) > 1:
        yield source.advice("reviews", "The approvals are about different commits. Ask for approval of the last one.")
