"""Trust rules as pages: which pipelines get a short token for their identity token. And how to connect a pipeline."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.domain.errors import DomainError, NotFound
from governance.domain.vocabulary import Scope
from governance.models import Person, TrustRule, Unit
from governance.selectors import administration as selected
from governance.selectors.access import Caller, visible
from governance.services.trust import GITHUB_ISSUER, GITLAB_ISSUER, end_trust, trust
from governance.ui.administration import fresh_administrator
from governance.ui.drafts import caller_of
from governance.ui.freshness import authenticated_at


class TrustForm(forms.Form):
    name = forms.CharField(max_length=120, label="What is it for?", help_text="Such as: credit-default on GitHub.")
    provider = forms.ChoiceField(label="Which CI?", choices=[("github", "GitHub Actions"), ("gitlab", "GitLab CI")])
    issuer = forms.CharField(
        max_length=200,
        label="Issuer",
        initial=GITHUB_ISSUER,
        help_text=f"{GITHUB_ISSUER}, {GITLAB_ISSUER}, or your own GitLab's address.",
    )
    audience = forms.CharField(max_length=200, label="Audience", help_text="What the job asks its token for.")
    project = forms.CharField(
        max_length=20,
        label="Number of the repository or project",
        help_text="GitHub: the id in api.github.com/repos/OWNER/NAME. GitLab: the project ID. A name could be taken over.",
    )
    ref = forms.CharField(max_length=255, label="Branch or tag", initial="refs/heads/main", help_text="Such as refs/heads/main.")
    environment = forms.CharField(
        max_length=255, required=False, label="Environment of the job", help_text="Empty: jobs without one, and of any."
    )
    workflow = forms.CharField(
        max_length=500,
        required=False,
        label="Workflow",
        help_text="job_workflow_ref of GitHub or ci_config_ref_uri of GitLab. Empty: any of that branch.",
    )
    person = forms.ModelChoiceField(Person.objects.none(), label="For whom does it act?", empty_label=None)
    unit = forms.ModelChoiceField(Unit.objects.none(), label="In which unit?", empty_label=None)
    scopes = forms.MultipleChoiceField(
        label="What may it do?",
        widget=forms.CheckboxSelectMultiple,
        choices=[(scope.value, scope.value) for scope in Scope],
        initial=[Scope.SUBMIT.value, Scope.EVIDENCE.value, Scope.READ.value, Scope.PERMIT.value],
        help_text="No token can review, sign, waive or change policy.",
    )

    def __init__(self, caller: Caller, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = selected.units(caller)
        self.fields["audience"].initial = settings.PUBLIC_URL
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]
        self.fields["person"].queryset = Person.objects.filter(unit__in=units, is_active=True)  # type: ignore[attr-defined]
        self.fields["person"].label_from_instance = lambda row: row.name  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
def rules(request: HttpRequest) -> HttpResponse:
    """The rules of the caller's units, and a form for another one."""
    return _make(request) if request.method == "POST" else _page(request, None)


@fresh_administrator
def _make(request: HttpRequest) -> HttpResponse:
    caller = caller_of(request)
    form = TrustForm(caller, request.POST)
    if form.is_valid():
        given = {**form.cleaned_data, "scopes": [Scope(value) for value in form.cleaned_data["scopes"]]}
        try:
            rule = trust(caller=caller, proved_at=authenticated_at(request), **given)
        except DomainError as exc:
            for error in exc.errors:
                name = error.pointer.strip("/")
                form.add_error(name if name in form.fields else None, error.detail)
            if not exc.errors:
                form.add_error(None, exc.detail)
        else:
            messages.success(request, f"“{rule.name}” is trusted. Its jobs need no token of their own.")
            return redirect("administration_trust")
    return _page(request, form)


@require_POST
@fresh_administrator
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a rule."""
    caller = caller_of(request)
    rule = visible(TrustRule.objects.filter(pk=pk), caller).first()
    if rule is None:
        raise NotFound("There is no such rule in your business unit.")
    end_trust(caller=caller, rule=rule, proved_at=authenticated_at(request))
    messages.success(request, f"“{rule.name}” is not trusted any more; tokens it gave have stopped.")
    return redirect("administration_trust")


@require_GET
def connect(request: HttpRequest) -> HttpResponse:
    """What to copy into a pipeline, with this installation's address in it."""
    return render(request, "governance/connect.html", {"url": settings.PUBLIC_URL})


def _page(request: HttpRequest, form: TrustForm | None) -> HttpResponse:
    caller = caller_of(request)
    selected.require_reading(caller)
    found = visible(TrustRule.objects.select_related("person", "unit"), caller)
    context = {
        "rules": found.order_by(F("ended_at").desc(nulls_first=True), "-id")[: selected.MOST],
        "form": form or TrustForm(caller),
        "may_change": selected.administers(caller),
    }
    return render(request, "governance/administration_trust.html", context, status=422 if form is not None else 200)
