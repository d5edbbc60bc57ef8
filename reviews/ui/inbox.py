"""The inbox, and how a person wants to be told."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from reviews.selectors.inbox import choices_of, inbox
from reviews.services.reading import choose, mark_read
from reviews.ui.paging import address, page_links


@require_GET
def messages_page(request: HttpRequest) -> HttpResponse:
    """Messages of the person, the latest first; unread ones on request."""
    unread = request.GET.get("scope") == "unread"
    rows, following, before = inbox(caller_of(request), unread=unread, cursor=request.GET.get("cursor", ""))
    context = {
        "rows": rows,
        "unread": unread,
        "scopes": [
            {"label": "All", "href": address(request, scope="", cursor="") or "?", "current": not unread},
            {"label": "Unread", "href": address(request, scope="unread", cursor=""), "current": unread},
        ],
        "page": page_links(request, following, before),
    }
    return render(request, "reviews/inbox.html", context)


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Mark one message as read and go where it leads, or mark all."""
    raw = request.POST.get("message", "")
    number = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 16 else None
    mark_read(caller=caller_of(request), notification_id=number)
    target = request.POST.get("go", "")
    inside = (
        target.startswith("/") and not urlsplit(target).netloc and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    )
    return redirect(target if number is not None and inside else "inbox")


@require_http_methods(["GET", "POST"])
def choices(request: HttpRequest) -> HttpResponse:
    """Which messages come, and how."""
    caller = caller_of(request)
    rows = choices_of(caller)
    if request.method == "POST":
        choose(caller=caller, chosen={row.kind: request.POST[row.kind] for row in rows if row.kind in request.POST})
        messages.success(request, "Kept. It holds for messages from now on.")
        return redirect("inbox_choices")
    fields = [
        FieldView(
            name=row.kind,
            label=row.label,
            hint=f"When {row.hint}.",
            kind="select",
            value=row.how,
            options=[Option(how, words) for how, words in row.choices],
        )
        for row in rows
    ]
    return render(request, "reviews/inbox_choices.html", {"fields": fields})
