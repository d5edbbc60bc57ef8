"""Administration of model registries: which registered model is which system."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from governance.domain.errors import DomainError
from governance.models import Person, System
from governance.selectors.access import Caller
from governance.selectors.administration import administers
from governance.ui.administration import fresh_administrator
from governance.ui.drafts import caller_of
from governance.ui.freshness import authenticated_at
from reviews.selectors.registries import linkable, registry_link, registry_links
from reviews.services.registry_links import link_model, try_again, unlink_model


class LinkForm(forms.Form):
    server = forms.ChoiceField(label="MLflow server", help_text="The operator names servers in GUIDERAIL_MLFLOW_SERVERS.")
    model = forms.CharField(max_length=256, label="Registered model", help_text="Its name in MLflow.")
    system = forms.ModelChoiceField(System.objects.none(), label="Which system is it?", empty_label=None)
    environment = forms.CharField(max_length=40, initial="production", label="Environment")
    acts_for = forms.ModelChoiceField(
        Person.objects.none(),
        label="For whom are drafts opened?",
        empty_label=None,
        help_text="The drafts are this person's to complete and submit.",
    )
    alias = forms.CharField(
        max_length=100,
        required=False,
        label="Alias on approval",
        help_text="Such as champion. Set when a version is approved, taken away when the approval ends. Empty: none.",
    )

    def __init__(self, caller: Caller, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        systems, people = linkable(caller)
        self.fields["server"].choices = [(name, f"{name}: {url}") for name, url in settings.MLFLOW_SERVERS.items()]  # type: ignore[attr-defined]
        self.fields["system"].queryset = System.objects.filter(pk__in=[row.pk for row in systems]).order_by("slug")  # type: ignore[attr-defined]
        self.fields["acts_for"].queryset = Person.objects.filter(pk__in=[row.pk for row in people])  # type: ignore[attr-defined]
        self.fields["acts_for"].label_from_instance = lambda row: row.name  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
def registries(request: HttpRequest) -> HttpResponse:
    """The links, and a form for another one."""
    return _link(request) if request.method == "POST" else _page(request, None)


@fresh_administrator
def _link(request: HttpRequest) -> HttpResponse:
    caller = caller_of(request)
    form = LinkForm(caller, request.POST)
    if form.is_valid():
        try:
            link = link_model(caller=caller, proved_at=authenticated_at(request), **form.cleaned_data)
        except DomainError as exc:
            for error in exc.errors:
                name = error.pointer.strip("/")
                form.add_error(name if name in form.fields else None, error.detail)
            if not exc.errors:
                form.add_error(None, exc.detail)
        else:
            messages.success(request, f"{link.model} is linked. Versions registered from now on become drafts.")
            return redirect("administration_registries")
    return _page(request, form)


@require_POST
@fresh_administrator
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Unlink."""
    caller = caller_of(request)
    link = registry_link(caller, pk)
    unlink_model(caller=caller, link=link, proved_at=authenticated_at(request))
    messages.success(request, f"{link.model} is not linked any more.")
    return redirect("administration_registries")


@require_POST
@fresh_administrator
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Take up again what failed."""
    caller = caller_of(request)
    count = try_again(caller=caller, link=registry_link(caller, pk), proved_at=authenticated_at(request))
    messages.success(request, f"{count} will be tried again." if count else "Nothing has failed for good.")
    return redirect("administration_registries")


def _page(request: HttpRequest, form: LinkForm | None) -> HttpResponse:
    caller = caller_of(request)
    context = {
        "links": registry_links(caller),
        "form": form or LinkForm(caller),
        "may_change": administers(caller),
        "servers": settings.MLFLOW_SERVERS,
    }
    return render(request, "reviews/registries.html", context, status=422 if form is not None else 200)
