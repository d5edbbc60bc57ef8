"""Home by role: what is my turn, since when, due when; and what I handed in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.domain.vocabulary import Role
from governance.ui.drafts import caller_of
from reviews.selectors.exposure import waiting_for
from reviews.selectors.queue import review_queue, turns_of


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What waits for the person, longest first, and the newest of everything they may see."""
    caller = caller_of(request)
    mine = review_queue(caller, scope="mine", size=10)
    newest = review_queue(caller, scope="all", size=10)
    context = {
        "rows": mine.rows,
        "mine": mine.mine,
        "newest": newest.rows,
        "all": newest.all,
        "overdue": mine.mine.overdue,
        "soon": mine.mine.soon,
        "reviews": bool(turns_of(caller)),
        "exposure": waiting_for(caller).count() if turns_of(caller) else 0,
        "submits": Role.SUBMITTER in caller.any_roles,
    }
    return render(request, "reviews/home.html", context)
