"""Administration of webhooks: where events go, the secret shown once, what became of each message."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.domain.errors import DomainError, InvalidInput
from governance.models import Unit
from governance.selectors.access import Caller
from governance.selectors.administration import administers, units
from governance.ui.administration import fresh_administrator
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView
from governance.ui.freshness import authenticated_at
from reviews.selectors.webhooks import EVENTS, endpoints, find_endpoint, log_of
from reviews.services.webhook_endpoints import add_endpoint, move_secret, remove_endpoint, rotate_secret, set_enabled
from reviews.services.webhook_secrets import variable_of
from reviews.services.webhook_sending import send_again, send_test

FORMATS = {
    "standard": "Standard Webhooks: signed JSON for programs",
    "slack": "A message for a Slack channel",
    "teams": "A card for a Teams channel",
}


class EndpointForm(forms.Form):
    name = forms.CharField(max_length=120, label="What is it for?", help_text="Such as: channel of the lending team.")
    url = forms.CharField(
        max_length=500, label="Where to?", help_text="An address that begins with https:// and leads to the public internet."
    )
    unit = forms.ModelChoiceField(Unit.objects.none(), required=False, label="Events of which unit?", empty_label="All units")
    format = forms.ChoiceField(label="In which form?", choices=list(FORMATS.items()))
    events = forms.MultipleChoiceField(
        label="Which events?",
        widget=forms.CheckboxSelectMultiple,
        choices=[(name, f"{name}: {words}") for name, words in EVENTS.items()],
    )

    secret_ref = forms.CharField(
        required=False,
        max_length=40,
        label="Name of its secret outside",
        help_text="Such as LENDING: it signs with GUIDERAIL_WEBHOOK_LENDING_SECRET, or with the file that "
        "GUIDERAIL_WEBHOOK_LENDING_SECRET_FILE names. Empty: a secret is made here, shown once and kept encrypted.",
    )

    def __init__(self, caller: Caller, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = units(caller)  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
@never_cache
def webhooks(request: HttpRequest) -> HttpResponse:
    """The webhooks, and a form for another one; making one shows its secret once."""
    return _make(request) if request.method == "POST" else _page(request, None)


@fresh_administrator
def _make(request: HttpRequest) -> HttpResponse:
    caller = caller_of(request)
    form = EndpointForm(caller, request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            row, secret = add_endpoint(
                caller=caller,
                unit=given["unit"],
                name=given["name"],
                url=given["url"],
                events=given["events"],
                format_=given["format"],
                secret_ref=given["secret_ref"],
                proved_at=authenticated_at(request),
            )
        except InvalidInput as exc:
            _tell(form, exc)
        else:
            if secret:
                return render(request, "reviews/webhook_secret.html", {"endpoint": row, "secret": secret, "new": True})
            messages.success(request, f"It is made, and signs with the secret of {variable_of(row.secret_ref)}.")
            return redirect("administration_webhook", row.pk)
    return _page(request, form)


@require_GET
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """One webhook: its state and the log of its messages."""
    return _one(request, pk)


def _one(request: HttpRequest, pk: int, *, problem: str = "") -> HttpResponse:
    caller = caller_of(request)
    row = find_endpoint(caller, pk)
    context = {
        "endpoint": row,
        "format": FORMATS[row.format],
        "rows": log_of(row),
        "may_change": administers(caller),
        "page": reverse("administration_webhook", args=[pk]),
        "variable": variable_of(row.secret_ref) if row.secret_ref else "",
        "secret_field": FieldView(
            name="secret_ref",
            id="f-secret_ref",
            label="Name of its secret outside",
            hint="Such as LENDING, for GUIDERAIL_WEBHOOK_LENDING_SECRET or the file GUIDERAIL_WEBHOOK_LENDING_SECRET_FILE names.",
            value=request.POST.get("secret_ref", ""),
            error=problem,
        ),
    }
    return render(request, "reviews/webhook.html", context, status=422 if problem else 200)


@require_POST
@fresh_administrator
@never_cache
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Rotate the secret, test, switch off or on, remove, or send a message again."""
    caller, what = caller_of(request), request.POST.get("what", "")
    given: dict[str, Any] = {"caller": caller, "proved_at": authenticated_at(request)}
    find_endpoint(caller, pk)
    if what == "rotate":
        row, secret = rotate_secret(endpoint_id=pk, **given)
        return render(request, "reviews/webhook_secret.html", {"endpoint": row, "secret": secret, "new": False})
    if what == "move":
        try:
            row = move_secret(endpoint_id=pk, secret_ref=request.POST.get("secret_ref", ""), **given)
        except InvalidInput as exc:
            return _one(request, pk, problem=exc.detail)
        messages.success(request, f"It signs with the secret of {variable_of(row.secret_ref)} from now on.")
    elif what == "test":
        send_test(endpoint_id=pk, **given)
        messages.success(request, "A test is on its way. Its log entry appears below in a few seconds.")
    elif what in ("on", "off"):
        set_enabled(endpoint_id=pk, enabled=what == "on", **given)
        messages.success(request, "It is on." if what == "on" else "It is off. What happens meanwhile is not told later.")
    elif what == "again":
        raw = request.POST.get("delivery", "")
        send_again(delivery_id=int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 16 else 0, **given)
        messages.success(request, "It is sent again, under the same name.")
    elif what == "remove":
        remove_endpoint(endpoint_id=pk, **given)
        messages.success(request, "It is removed.")
        return redirect("administration_webhooks")
    else:
        raise InvalidInput("There is no such change.")
    return redirect("administration_webhook", pk)


def _page(request: HttpRequest, form: EndpointForm | None) -> HttpResponse:
    caller = caller_of(request)
    context = {
        "endpoints": endpoints(caller),
        "form": form or EndpointForm(caller, initial={"events": ["submission.approved", "submission.rejected"]}),
        "may_change": administers(caller),
    }
    return render(request, "reviews/webhooks.html", context, status=422 if form is not None else 200)


def _tell(form: forms.Form, problem: DomainError) -> None:
    for error in problem.errors:
        name = error.pointer.strip("/")
        form.add_error(name if name in form.fields else None, error.detail)
    if not problem.errors:
        form.add_error(None, problem.detail)
