"""Administration as pages: people and their roles, units, tokens. Changing anything needs a fresh sign-in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.domain.errors import DomainError, Forbidden, InvalidInput, NotFound
from governance.domain.vocabulary import Role, Scope
from governance.models import ApiToken, GrantRequest, Person, Unit
from governance.selectors import administration as selected
from governance.selectors.access import Caller
from governance.services import administration
from governance.services.tokens import LONGEST_DAYS, issue_token, revoke_token
from governance.ui.drafts import caller_of
from governance.ui.freshness import authenticated_at, confirm_address, is_fresh

View = Callable[..., HttpResponse]


def fresh_administrator(view: View) -> View:
    """For administrators who have just proved who they are; others are told, or asked to prove it."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not selected.administers(caller_of(request)):
            raise Forbidden("Only an administrator can do this.", code="role_needed")
        if not is_fresh(request):
            # a form's own address may take no GET: come back to the page it stands on
            back = request.path if request.method == "GET" else request.POST.get("page", "")
            return redirect(confirm_address(back if back.startswith("/administration") else reverse("administration")))
        return view(request, *args, **kwargs)

    return checked


class PersonForm(forms.Form):
    first_name = forms.CharField(max_length=150, label="First name")
    last_name = forms.CharField(max_length=150, label="Last name")
    username = forms.CharField(max_length=80, label="User name", help_text="Small letters, digits, dots and dashes.")
    email = forms.EmailField(label="E-mail", help_text="Where Guiderail writes to. One person has one account.")
    unit = forms.ModelChoiceField(Unit.objects.none(), label="Business unit", empty_label=None)
    manager = forms.ModelChoiceField(
        Person.objects.none(), required=False, label="Manager", help_text="Signs under waivers that this person asks for."
    )
    known_as = forms.CharField(
        required=False,
        max_length=500,
        label="Also known as",
        help_text="Names in metadata, separated by commas, such as an MLflow user or a git address: "
        "who took part in a model must not review it.",
    )

    def __init__(self, caller: Caller, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = selected.units(caller)
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]
        self.fields["manager"].queryset = Person.objects.filter(unit__in=units, is_active=True)  # type: ignore[attr-defined]
        self.fields["manager"].label_from_instance = lambda row: row.name  # type: ignore[attr-defined]


class PlaceForm(forms.Form):
    unit = forms.ModelChoiceField(Unit.objects.none(), label="Business unit", empty_label=None)
    manager = forms.ModelChoiceField(
        Person.objects.none(),
        required=False,
        label="Manager",
        help_text="Signs under waivers that this person asks for, and says whose team the person belongs to.",
    )
    known_as = forms.CharField(
        required=False, max_length=500, label="Also known as", help_text="Names in metadata, separated by commas."
    )

    prefix = "place"  # the form beside it has a unit too

    def __init__(self, caller: Caller, about: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = selected.units(caller)
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]
        others = Person.objects.filter(unit__in=units, is_active=True).exclude(pk=about)
        self.fields["manager"].queryset = others  # type: ignore[attr-defined]
        self.fields["manager"].label_from_instance = lambda row: row.name  # type: ignore[attr-defined]


class GrantForm(forms.Form):
    role = forms.ChoiceField(label="Role", choices=[(role.value, role.label) for role in Role])
    unit = forms.ModelChoiceField(Unit.objects.none(), required=False, label="In which unit?", empty_label="All units")
    until = forms.DateField(
        required=False,
        label="Until",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The last day. Empty: until it is ended.",
    )
    reason = forms.CharField(max_length=300, label="Why?", help_text="Stays on record beside the role.")

    def __init__(self, caller: Caller, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = selected.units(caller)  # type: ignore[attr-defined]


class TokenForm(forms.Form):
    name = forms.CharField(max_length=120, label="What is it for?", help_text="Such as: credit-default pipeline on GitHub.")
    person = forms.ModelChoiceField(
        Person.objects.none(),
        label="For whom does it act?",
        empty_label=None,
        help_text="Submissions made with it are this person's.",
    )
    unit = forms.ModelChoiceField(Unit.objects.none(), label="In which unit?", empty_label=None)
    scopes = forms.MultipleChoiceField(
        label="What may it do?",
        widget=forms.CheckboxSelectMultiple,
        choices=[
            (scope.value, words)
            for scope, words in {
                Scope.SUBMIT: "submit: hand in submissions",
                Scope.EVIDENCE: "evidence: store files",
                Scope.READ: "read: see verdicts and submissions",
                Scope.PERMIT: "permit: ask what may be deployed",
                Scope.DEPLOY: "deploy: report deployments",
                Scope.MONITOR: "monitor: report from monitoring",
            }.items()
        ],
        initial=[Scope.SUBMIT.value, Scope.EVIDENCE.value, Scope.READ.value, Scope.PERMIT.value],
        help_text="No token can review, sign, waive or change policy.",
    )
    days = forms.IntegerField(label="For how many days?", min_value=1, max_value=LONGEST_DAYS, initial=90)

    def __init__(self, caller: Caller, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = selected.units(caller)
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]
        self.fields["person"].queryset = Person.objects.filter(unit__in=units, is_active=True)  # type: ignore[attr-defined]
        self.fields["person"].label_from_instance = lambda row: row.name  # type: ignore[attr-defined]


class UnitForm(forms.Form):
    name = forms.CharField(max_length=120, label="Name")
    slug = forms.CharField(max_length=40, label="Short name", help_text="Small letters, digits and dashes; stays as it is.")


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Everybody of the caller's units, with their roles."""
    caller, words = caller_of(request), request.GET.get("q", "")[:100]
    context = {"rows": selected.people(caller, words), "q": words, "may_change": selected.administers(caller)}
    return render(request, "governance/administration.html", {**context, "most": selected.MOST})


@require_http_methods(["GET", "POST"])
@fresh_administrator
@never_cache
def new_person(request: HttpRequest) -> HttpResponse:
    """Add somebody; the first password is shown once."""
    caller = caller_of(request)
    form = PersonForm(caller, request.POST or None)
    if form.is_valid():
        given = form.cleaned_data
        try:
            person, password = administration.add_person(
                caller=caller,
                proved_at=authenticated_at(request),
                **{**given, "known_as": given["known_as"].split(",")},
            )
        except DomainError as exc:
            _tell(form, exc)
        else:
            context = {"person": person, "password": password, "new": True}
            return render(request, "governance/administration_password.html", context)
    return render(request, "governance/administration_person_new.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: roles held and past, and what an administrator can change."""
    return _person(request, pk, None)


@require_POST
@fresh_administrator
@never_cache
def person_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Grant or end a role, let in or out, set a new password."""
    caller, proved_at = caller_of(request), authenticated_at(request)
    what = request.POST.get("what", "")
    selected.person(caller, pk)
    if what == "grant":
        form = GrantForm(caller, request.POST)
        if not form.is_valid():
            return _person(request, pk, form)
        given = form.cleaned_data
        until = datetime.combine(given["until"], time.max, UTC) if given["until"] else None
        try:
            granted = administration.grant_role(
                caller=caller,
                person_id=pk,
                role=Role(given["role"]),
                unit=given["unit"],
                until=until,
                reason=given["reason"],
                proved_at=proved_at,
            )
        except DomainError as exc:
            _tell(form, exc)
            return _person(request, pk, form)
        if isinstance(granted, GrantRequest):
            messages.success(request, "Asked for. It holds once another administrator or a risk officer approves it.")
        else:
            messages.success(request, "The role is granted from now on.")
    elif what == "end":
        grant_id = request.POST.get("grant", "")
        administration.end_grant(caller=caller, grant_id=int(grant_id) if grant_id.isdigit() else 0, proved_at=proved_at)
        messages.success(request, "The role has ended.")
    elif what == "place":
        place = PlaceForm(caller, pk, request.POST)
        if not place.is_valid():
            return _person(request, pk, None, place=place)
        moved = {**place.cleaned_data, "known_as": place.cleaned_data["known_as"].split(",")}
        try:
            administration.change_person(caller=caller, person_id=pk, proved_at=proved_at, **moved)
        except DomainError as exc:
            _tell(place, exc)
            return _person(request, pk, None, place=place)
        messages.success(request, "Saved.")
    elif what in ("in", "out"):
        administration.set_active(caller=caller, person_id=pk, active=what == "in", proved_at=proved_at)
        closed = "The account is closed; its sessions and tokens stopped."
        messages.success(request, "The account is open." if what == "in" else closed)
    elif what == "password":
        row, password = administration.new_password(caller=caller, person_id=pk, proved_at=proved_at)
        return render(request, "governance/administration_password.html", {"person": row, "password": password, "new": False})
    else:
        raise InvalidInput("There is no such change.")
    return redirect("administration_person", pk=pk)


@require_http_methods(["GET", "POST"])
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens of the caller's units; making one shows its secret once, with lines to copy into a pipeline."""
    caller = caller_of(request)
    return _make_token(request) if request.method == "POST" else _tokens(request, TokenForm(caller))


@fresh_administrator
def _make_token(request: HttpRequest) -> HttpResponse:
    caller = caller_of(request)
    form = TokenForm(caller, request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            row, secret = issue_token(
                caller=caller,
                person=given["person"],
                unit=given["unit"],
                name=given["name"],
                scopes=[Scope(value) for value in given["scopes"]],
                days=given["days"],
                proved_at=authenticated_at(request),
            )
        except DomainError as exc:
            _tell(form, exc)
        else:
            context = {"token": row, "secret": secret, "url": settings.PUBLIC_URL}
            return render(request, "governance/administration_token.html", context)
    return _tokens(request, form)


@require_POST
@fresh_administrator
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End a token."""
    caller = caller_of(request)
    token = ApiToken.objects.filter(pk=pk, unit__in=selected.units(caller)).first()
    if token is None:
        raise NotFound("There is no such token in your business unit.")
    revoke_token(caller=caller, token=token, proved_at=authenticated_at(request))
    messages.success(request, f"“{token.name}” is revoked and works no more.")
    return redirect("administration_tokens")


@require_http_methods(["GET", "POST"])
@fresh_administrator
def units(request: HttpRequest) -> HttpResponse:
    """The business units, and a form for another one."""
    caller = caller_of(request)
    form = UnitForm(request.POST or None)
    if form.is_valid():
        try:
            administration.add_unit(caller=caller, proved_at=authenticated_at(request), **form.cleaned_data)
        except DomainError as exc:
            _tell(form, exc)
        else:
            messages.success(request, "The unit is there.")
            return redirect("administration_units")
    context = {"units": selected.units(caller), "form": form, "everywhere": Role.ADMIN in caller.roles.get(None, ())}
    return render(request, "governance/administration_units.html", context, status=422 if form.errors else 200)


def _person(request: HttpRequest, pk: int, form: GrantForm | None, *, place: PlaceForm | None = None) -> HttpResponse:
    caller = caller_of(request)
    row = selected.person(caller, pk)
    itself = caller.person is not None and caller.person.pk == pk
    context = {
        "row": row,
        "form": form or GrantForm(caller, initial={"unit": row.person.unit_id}),
        "place": place or PlaceForm(caller, pk, initial=_place_of(row.person)),
        "waiting": row.person.grant_requests.filter(answered_at__isnull=True).select_related("unit", "asked_by"),
        "may_change": selected.administers(caller) and not itself,
        "itself": itself,
        "page": reverse("administration_person", args=[pk]),
    }
    sent_back = form is not None or place is not None
    return render(request, "governance/administration_person.html", context, status=422 if sent_back else 200)


def _place_of(person: Person) -> dict[str, Any]:
    return {"unit": person.unit_id, "manager": person.manager_id, "known_as": ", ".join(person.known_as)}


def _tokens(request: HttpRequest, form: TokenForm) -> HttpResponse:
    caller = caller_of(request)
    context = {"tokens": selected.tokens(caller), "form": form, "may_change": selected.administers(caller)}
    return render(request, "governance/administration_tokens.html", context, status=422 if form.errors else 200)


def _tell(form: forms.Form, problem: DomainError) -> None:
    """Each mistake at its field; the rest above the form."""
    for error in problem.errors:
        name = error.pointer.strip("/")
        form.add_error(name if name in form.fields else None, error.detail)
    if not problem.errors:
        form.add_error(None, problem.detail)
