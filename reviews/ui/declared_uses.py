"""Consumers and experiments on one page, beside the registers that rules read."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.domain.registers import REGISTERS
from governance.ui.drafts import caller_of
from reviews.selectors import declared_uses as selected

MOST = 300


@require_GET
def declared_uses(request: HttpRequest) -> HttpResponse:
    """Who depends on which system, and which A/B tests were declared."""
    caller = caller_of(request)
    context = {
        "registers": list(REGISTERS.values()),
        "consumers": selected.consumers(caller)[:MOST],
        "experiments": selected.experiments(caller),
    }
    return render(request, "reviews/declared_uses.html", context)
