"""Lists: what waits for me, and everything I may see. Filters live in the address, so they survive reload and can be shared."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.domain.errors import InvalidInput
from governance.domain.lifecycle import words
from governance.domain.vocabulary import REVIEWING_ROLES, State, Track
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from governance.ui.htmx import render_page_or_part
from reviews.selectors.queue import Filters, Scope, review_queue
from reviews.selectors.queue import submissions as submission_rows

PAGE = 50


@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """The review queue: "your turn" first, everything on request."""
    scope: Scope = "all" if request.GET.get("scope") == "all" else "mine"
    filters, problem = _filters(request)
    found = review_queue(caller_of(request), scope=scope, filters=filters, cursor=request.GET.get("cursor", ""), size=PAGE)
    context = {
        "rows": found.rows,
        "scope": scope,
        "mine": found.mine,
        "all": found.all,
        "filters": _filter_fields(filters),
        "problem": problem,
        "page": _page(request, found.next, found.previous),
        "scopes": [
            {
                "label": f"Your turn ({found.mine.says})",
                "href": _address(request, scope="mine", cursor=""),
                "current": scope == "mine",
            },
            {"label": f"All ({found.all.says})", "href": _address(request, scope="all", cursor=""), "current": scope == "all"},
        ],
    }
    return render_page_or_part(request, "reviews/queue.html", "reviews/_queue_rows.html", context)


@require_GET
def submissions(request: HttpRequest) -> HttpResponse:
    """Every submission of the caller's units, newest first."""
    filters, problem = _filters(request)
    rows, following, previous = submission_rows(
        caller_of(request), filters=filters, cursor=request.GET.get("cursor", ""), size=PAGE
    )
    context = {"rows": rows, "filters": _filter_fields(filters), "problem": problem, "page": _page(request, following, previous)}
    return render(request, "reviews/submissions.html", context)


def _filters(request: HttpRequest) -> tuple[Filters, str]:
    """The filters of the address; one that cannot be is said and left out."""
    wanted = Filters(**{name: request.GET.get(name, "").strip() for name in ("system", "track", "state", "turn", "q")})
    try:
        wanted.check()
    except InvalidInput as exc:
        return Filters(system=wanted.system, q=wanted.q), exc.detail
    return wanted, ""


def _filter_fields(filters: Filters) -> list[FieldView]:
    turns = [("submitter", "submitter"), ("machine", "checks"), *sorted((role.value, role.label) for role in REVIEWING_ROLES)]
    return [
        FieldView(name="q", label="Search", value=filters.q),
        FieldView(
            name="track",
            label="Track",
            kind="select",
            value=filters.track,
            options=[Option("", "any"), *(Option(t.value, t.value) for t in Track)],
        ),
        FieldView(
            name="state",
            label="State",
            kind="select",
            value=filters.state,
            options=[Option("", "any"), *(Option(s.value, words(s)) for s in State)],
        ),
        FieldView(
            name="turn",
            label="Turn",
            kind="select",
            value=filters.turn,
            options=[Option("", "anybody's"), *(Option(v, w) for v, w in turns)],
        ),
        FieldView(name="system", label="System", value=filters.system),
    ]


def _page(request: HttpRequest, following: str, previous: str) -> dict[str, Any]:
    return {
        "next": _address(request, cursor=following) if following else "",
        "previous": _address(request, cursor=previous) if previous else "",
        "shown": "",
    }


def _address(request: HttpRequest, **changes: str) -> str:
    query = {**request.GET.dict(), **changes}
    return "?" + urlencode({name: value for name, value in query.items() if value})
