"""Administration of deployment gates: which project's environment is which system's, and what its deployments were told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from governance.domain.errors import DomainError
from governance.models import System
from governance.selectors.access import Caller
from governance.selectors.administration import administers
from governance.ui.administration import fresh_administrator
from governance.ui.drafts import caller_of
from governance.ui.freshness import authenticated_at
from reviews.models import DeploymentGate
from reviews.selectors.deployment_gates import deployment_gate, deployment_gates, gateable
from reviews.services import github_app, gitlab_deployments
from reviews.services.deployment_gates import end_gate, gate_deployments, try_again

NAMES = {DeploymentGate.GITHUB: "GitHub", DeploymentGate.GITLAB: "GitLab"}


class GateForm(forms.Form):
    provider = forms.ChoiceField(label="Where does it deploy from?", choices=list(NAMES.items()))
    project = forms.CharField(
        max_length=20,
        label="Number of the repository or project",
        help_text="GitHub: the id in api.github.com/repos/OWNER/NAME. GitLab: the project ID. A name could be taken over.",
    )
    installation = forms.CharField(
        max_length=20,
        required=False,
        label="Installation of the app",
        help_text="GitHub only: the number at the end of the installation's address, under Settings, GitHub Apps, Configure.",
    )
    environment_there = forms.CharField(
        max_length=255, label="Environment there", initial="production", help_text="As it is written there."
    )
    system = forms.ModelChoiceField(System.objects.none(), label="Which system is it?", empty_label=None)
    environment = forms.CharField(
        max_length=40, label="Environment here", initial="production", help_text="What submissions call it."
    )

    exposure = forms.IntegerField(
        min_value=1,
        max_value=100,
        initial=100,
        label="Share it reaches, in percent",
        help_text="Of traffic or people. A permit for less does not let it through: make an environment for the canary.",
    )

    def __init__(self, caller: Caller, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        systems = [row.pk for row in gateable(caller)]
        self.fields["system"].queryset = System.objects.filter(pk__in=systems).order_by("slug")  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
def gates(request: HttpRequest) -> HttpResponse:
    """The rules, and a form for another one."""
    return _make(request) if request.method == "POST" else _page(request, None)


@fresh_administrator
def _make(request: HttpRequest) -> HttpResponse:
    caller = caller_of(request)
    form = GateForm(caller, request.POST)
    if form.is_valid():
        try:
            gate = gate_deployments(caller=caller, proved_at=authenticated_at(request), **form.cleaned_data)
        except DomainError as exc:
            for error in exc.errors:
                name = error.pointer.strip("/")
                form.add_error(name if name in form.fields else None, error.detail)
            if not exc.errors:
                form.add_error(None, exc.detail)
        else:
            messages.success(request, f"Deployments to {gate.environment_there} wait for a permit of {gate.system.slug} now.")
            return redirect("administration_deployment_gates")
    return _page(request, form)


@require_POST
@fresh_administrator
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a rule."""
    caller = caller_of(request)
    end_gate(caller=caller, gate=deployment_gate(caller, pk), proved_at=authenticated_at(request))
    messages.success(request, "The rule has ended. Take it out there as well: what waits is answered no more.")
    return redirect("administration_deployment_gates")


@require_POST
@fresh_administrator
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Take up again what was given up."""
    caller = caller_of(request)
    count = try_again(caller=caller, gate=deployment_gate(caller, pk), proved_at=authenticated_at(request))
    messages.success(request, f"{count} will be tried again." if count else "Nothing was given up.")
    return redirect("administration_deployment_gates")


def _page(request: HttpRequest, form: GateForm | None) -> HttpResponse:
    caller = caller_of(request)
    context = {
        "gates": [(row, NAMES[row.gate.provider]) for row in deployment_gates(caller)],
        "form": form or GateForm(caller),
        "may_change": administers(caller),
        "public_url": settings.PUBLIC_URL,
        "github": github_app.configured(),
        "gitlab": gitlab_deployments.configured(),
    }
    return render(request, "reviews/deployment_gates.html", context, status=422 if form is not None else 200)
