"""Lists: what waits for me, and everything I may see. Filters live in the address, so they survive reload and can be shared."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from governance.domain.errors import InvalidInput
from governance.domain.lifecycle import words
from governance.domain.vocabulary import REVIEWING_ROLES, State, Track
from governance.models import Unit
from governance.selectors.access import Caller, visible
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from governance.ui.htmx import render_page_or_part
from reviews.selectors.queue import Scope, review_queue
from reviews.selectors.queue import submissions as submission_rows
from reviews.selectors.queue_filters import AGES, Filters
from reviews.selectors.queue_groups import by_system, by_unit
from reviews.services.claiming import claim_several
from reviews.ui.paging import address, page_links

PAGE = 50
NAMES = ("system", "track", "state", "turn", "q", "unit", "claimed", "submitter", "age")
GROUPS = {"systems": ("By system", by_system, "system"), "units": ("By unit", by_unit, "unit")}


@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """The review queue: "your turn" first, everything on request."""
    if request.GET.get("scope") in GROUPS:
        return _groups(request, request.GET["scope"])
    scope: Scope = "all" if request.GET.get("scope") == "all" else "mine"
    caller = caller_of(request)
    filters, problem = _filters(request)
    found = review_queue(caller, scope=scope, filters=filters, cursor=request.GET.get("cursor", ""), size=PAGE)
    counted = found.mine if scope == "mine" else found.all
    context = {
        "rows": found.rows,
        "scope": scope,
        **_filter_fields(filters, caller),
        "problem": problem,
        "page": page_links(request, found.next, found.previous),
        "scopes": _scopes(request, scope, f" ({found.mine.says})", f" ({found.all.says})"),
        "ages": _ages(request, counted.soon, counted.overdue, filters),
        "pick": scope == "mine" and any(_can_pick(row, caller) for row in found.rows),
        "back": request.get_full_path(),
    }
    return render_page_or_part(request, "reviews/queue.html", "reviews/_queue_rows.html", context)


@require_GET
def submissions(request: HttpRequest) -> HttpResponse:
    """Every submission of the caller's units, newest first."""
    caller = caller_of(request)
    filters, problem = _filters(request)
    rows, following, previous = submission_rows(caller, filters=filters, cursor=request.GET.get("cursor", ""), size=PAGE)
    context = {
        "rows": rows,
        **_filter_fields(filters, caller),
        "problem": problem,
        "page": page_links(request, following, previous),
    }
    return render(request, "reviews/submissions.html", context)


@require_POST
def claim_picked(request: HttpRequest) -> HttpResponse:
    """Take on every case that was ticked. Only claiming works on several at once: a decision is made on one case."""
    picked = [int(text) for text in request.POST.getlist("pick") if text.isascii() and text.isdigit() and len(text) < 16]
    try:
        done = claim_several(caller=caller_of(request), submission_ids=picked)
    except InvalidInput as exc:
        messages.error(request, exc.detail)
    else:
        taken = [row.number for row in done if not row.refused]
        if taken:
            messages.success(request, f"Yours now: {', '.join(taken)}. Release what you cannot go on with.")
        for row in done:
            if row.refused:
                messages.error(request, f"{row.number} was not taken: {row.refused}")
    back = request.POST.get("back", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else reverse("queue"))


def _groups(request: HttpRequest, scope: str) -> HttpResponse:
    title, read, name = GROUPS[scope]
    found, following, previous = read(caller_of(request), cursor=request.GET.get("cursor", ""), size=PAGE)
    rows = [{"group": row, "href": f"{reverse('queue')}?scope=all&{name}={row.slug}"} for row in found]
    context = {
        "scope": scope,
        "title": title,
        "heading": name.capitalize(),
        "rows": rows,
        "page": page_links(request, following, previous),
        "scopes": _scopes(request, scope, "", ""),
    }
    return render(request, "reviews/queue_groups.html", context)


def _scopes(request: HttpRequest, scope: str, mine: str, everything: str) -> list[dict[str, Any]]:
    groups = scope in GROUPS
    labels = {"mine": f"Your turn{mine}", "all": f"All{everything}", **{name: row[0] for name, row in GROUPS.items()}}
    return [
        {
            "label": label,
            "href": f"?scope={name}" if groups or name in GROUPS else address(request, scope=name, cursor=""),
            "current": name == scope,
        }
        for name, label in labels.items()
    ]


def _ages(request: HttpRequest, soon: int, overdue: int, filters: Filters) -> list[dict[str, Any]]:
    """How many are due soon and overdue, as links that narrow the list to them."""
    counts = {"soon": soon, "overdue": overdue}
    return [
        {
            "age": age,
            "label": f"{number:,} {AGES[age]}",
            "href": address(request, age="" if filters.age == age else age, cursor=""),
            "current": filters.age == age,
        }
        for age, number in counts.items()
        if number or filters.age == age
    ]


def _can_pick(row: Any, caller: Caller) -> bool:
    return row.state == State.IN_REVIEW and not row.claimed_by


def _filters(request: HttpRequest) -> tuple[Filters, str]:
    """The filters of the address; one that cannot be is said and left out."""
    wanted = Filters(**{name: request.GET.get(name, "").strip()[:200] for name in NAMES})
    try:
        wanted.check()
    except InvalidInput as exc:
        return Filters(system=wanted.system, q=wanted.q), exc.detail
    return wanted, ""


def _filter_fields(filters: Filters, caller: Caller) -> dict[str, Any]:
    """What `reviews/filters.html` takes: the filters used most, and the others folded away until one of them is used."""
    turns = [("submitter", "submitter"), ("machine", "checks"), *sorted((role.value, role.label) for role in REVIEWING_ROLES)]
    units = [(unit.slug, unit.name) for unit in visible(Unit.objects.order_by("name"), caller, unit_field="id")[:200]]
    more = [
        _choice("state", "State", filters.state, "any", [(s.value, words(s)) for s in State]),
        _choice("turn", "Whose turn", filters.turn, "anybody's", turns),
        _choice("claimed", "Taken on by", filters.claimed, "anybody", _people(filters.claimed, nobody=True)),
        _choice("submitter", "Submitted by", filters.submitter, "anybody", _people(filters.submitter)),
        FieldView(name="system", label="System", value=filters.system),
        *([_choice("unit", "Unit", filters.unit, "any", units)] if len(units) > 1 else []),
    ]
    return {
        "filters": [
            FieldView(name="q", label="Search", value=filters.q),
            _choice("track", "Track", filters.track, "any", [(t.value, t.value) for t in Track]),
            _choice("age", "Due", filters.age, "any time", list(AGES.items())),
        ],
        "more_filters": more,
        "more_used": any(field.value for field in more),
        "narrowed": filters != Filters(),
    }


def _people(chosen: str, *, nobody: bool = False) -> list[tuple[str, str]]:
    """Me, nobody, and whoever the address names."""
    offered = [("me", "me"), *([("nobody", "nobody")] if nobody else [])]
    return offered + ([(chosen, chosen)] if chosen and chosen not in dict(offered) else [])


def _choice(name: str, label: str, value: str, anything: str, options: list[tuple[str, str]]) -> FieldView:
    return FieldView(
        name=name, label=label, kind="select", value=value, options=[Option("", anything), *(Option(v, w) for v, w in options)]
    )
