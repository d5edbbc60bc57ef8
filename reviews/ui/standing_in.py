"""Standing in for somebody while they are away, as pages. Handing a role on needs a fresh sign-in."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from governance.domain.errors import DomainError, Forbidden
from governance.models import Person
from governance.selectors import granting as selected
from governance.selectors.access import Caller
from governance.services.granting import end_delegation
from governance.ui.drafts import caller_of
from governance.ui.freshness import authenticated_at, confirm_address, is_fresh
from reviews.services.standing_in import hand_on


class StandInForm(forms.Form):
    grant = forms.ChoiceField(label="Which of your roles?")
    to = forms.ModelChoiceField(Person.objects.none(), label="Who stands in for you?", empty_label="Choose…")
    until = forms.DateField(
        label="Until when?", widget=forms.DateInput(attrs={"type": "date"}), help_text="Within a month; it ends by itself."
    )
    reason = forms.CharField(max_length=300, label="Why?", help_text="Such as: on leave.")

    def __init__(self, caller: Caller, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person = caller.person
        own = selected.own_grants(person) if person is not None else []
        choices = [(str(g.pk), f"{g.get_role_display()}, {g.unit.name if g.unit else 'all units'}") for g in own]
        self.fields["grant"].choices = choices  # type: ignore[attr-defined]
        here = Person.objects.filter(unit_id=caller.home_unit or 0, is_active=True)
        colleagues = here.exclude(pk=person.pk) if person is not None else here.none()
        self.fields["to"].queryset = colleagues.order_by("first_name", "username")  # type: ignore[attr-defined]
        self.fields["to"].label_from_instance = lambda row: row.name  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
def stand_ins(request: HttpRequest) -> HttpResponse:
    """Who stands in for the reader and for whom the reader does; and letting a colleague stand in."""
    caller = caller_of(request)
    if caller.person is None:
        raise Forbidden("Sign in.", code="person_needed")
    if request.method == "POST" and not is_fresh(request):
        return redirect(confirm_address(request.path))
    form = StandInForm(caller, request.POST or None)
    if form.is_valid():
        given = form.cleaned_data
        try:
            hand_on(
                caller=caller,
                grant_id=int(given["grant"]),
                to=given["to"],
                until=datetime.combine(given["until"], time.max, UTC),
                reason=given["reason"],
                proved_at=authenticated_at(request),
            )
        except DomainError as exc:
            for error in exc.errors:
                name = error.pointer.strip("/")
                form.add_error(name if name in form.fields else None, error.detail)
            if not exc.errors:
                form.add_error(None, exc.detail)
        else:
            messages.success(request, f"{given['to'].name} stands in for you until {given['until']:%d %B}.")
            return redirect("stand_ins")
    mine, others = selected.stand_ins(caller.person)
    context = {"form": form, "mine": mine, "others": others, "may_hand_on": bool(selected.own_grants(caller.person))}
    return render(request, "reviews/stand_ins.html", context, status=422 if form.errors else 200)


@require_POST
def stand_in_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End it before its day: whoever handed the role on can, and whoever holds it."""
    end_delegation(caller=caller_of(request), grant_id=pk)
    messages.success(request, "It has ended.")
    return redirect("stand_ins")
