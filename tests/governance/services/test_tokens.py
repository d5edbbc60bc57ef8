"""API tokens: shown once, hashed at rest, ended at once, and never a way to decide."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.domain.errors import Forbidden
from governance.domain.lifecycle import Action, Case, refusal
from governance.domain.vocabulary import Role, Scope, State
from governance.models import ApiToken, AuditEvent
from governance.selectors.access import SYSTEM, caller_for
from governance.services.tokens import find_token, hash_of, issue_token, revoke_token
from tests.governance import making

pytestmark = pytest.mark.django_db


def issued(**options: object) -> tuple[ApiToken, str]:
    given: dict[str, object] = {"scopes": list(Scope), "person": making.person(), **options}
    return issue_token(caller=SYSTEM, unit=making.unit(), name="ci", **given)  # type: ignore[arg-type]


def test_only_the_hash_is_kept() -> None:
    row, secret = issued()
    assert secret.startswith("grl_") and len(secret) >= 4 + 43 + 6
    assert row.sha256 == hashlib.sha256(secret.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM governance_apitoken t")
        assert secret[10:] not in cursor.fetchone()[0]
    assert not AuditEvent.objects.filter(payload__contains=secret[10:]).exists()
    assert row.shown == secret[:10]


def test_two_tokens_differ() -> None:
    assert issued()[1] != issued()[1]


@pytest.mark.parametrize("spoil", ["", "grl_", "x", "last", "prefix", "case", "longer", "grl_\x00", "grl_é" * 20])
def test_made_up_strings_never_reach_the_database(spoil: str) -> None:
    _, secret = issued()
    bad = {"last": secret[:-1] + ("0" if secret[-1] != "0" else "1"), "prefix": "gr_" + secret[4:], "case": secret.swapcase()}
    bad["longer"] = secret + "a"
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert find_token(bad.get(spoil, spoil)) is None
    assert len(queries) == 0


def test_a_wellformed_but_unknown_one_is_not_found() -> None:
    row, secret = issued()
    assert find_token(secret) == row
    ApiToken.objects.filter(pk=row.pk).delete()
    assert find_token(secret) is None


def test_it_ends_at_its_time_at_once_when_revoked_and_with_its_person() -> None:
    row, secret = issued(days=1)
    assert timedelta(hours=23) < row.expires_at - timezone.now() <= timedelta(days=1)
    ApiToken.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert find_token(secret) is None
    row, secret = issued()
    revoke_token(caller=SYSTEM, token=row)
    assert find_token(secret) is None
    assert AuditEvent.objects.filter(action="token.revoked").count() == 1
    row, secret = issued()
    row.person.is_active = False
    row.person.save()
    assert find_token(secret) is None


def test_use_is_noted_once_a_minute() -> None:
    row, secret = issued()
    find_token(secret)
    row.refresh_from_db()
    assert row.last_used_at is not None
    with CaptureQueriesContext(connection) as queries:
        find_token(secret)
    assert len(queries) == 1, "reading it is one statement; nothing is written within the minute"


def test_the_hash_is_of_the_whole_secret() -> None:
    assert hash_of("a") != hash_of("b")


def test_a_scope_it_lacks_is_refused_in_words() -> None:
    row, _ = issued(scopes=[Scope.READ])
    caller = caller_for(row.person, token=row)
    caller.require_scope(Scope.READ)
    for scope in set(Scope) - {Scope.READ}:
        with pytest.raises(Forbidden, match=scope.value):
            caller.require_scope(scope)


@pytest.mark.parametrize("action", [Action.COMPLETE_REVIEW, Action.REQUEST_CHANGES, Action.REJECT, Action.REVOKE])
def test_no_scope_decides_whatever_roles_its_person_holds(action: Action) -> None:
    """All roles, all scopes: the person could; the token cannot."""
    who = making.person("amir", *Role)
    row, _ = issued(person=who)
    state = State.APPROVED if action is Action.REVOKE else State.IN_REVIEW
    case = Case(state=state, submitter=who.pk + 1, step=Role.ANALYST, steps_left=1)
    by_token, in_person = caller_for(who, token=row), caller_for(who)
    assert refusal(case, action, in_person.actor(making.unit().pk)) is None
    refused = refusal(case, action, by_token.actor(making.unit().pk))
    assert isinstance(refused, Forbidden)
    assert by_token.any_roles == {Role.SUBMITTER}


def test_there_is_no_scope_for_deciding() -> None:
    assert {scope.value for scope in Scope} == {"submit", "evidence", "read", "permit", "deploy", "monitor"}


def test_a_token_of_somebody_who_left_the_unit_sees_nothing() -> None:
    row, _ = issued()
    who = row.person
    who.unit = making.unit("shop")
    who.save()
    making.RoleGrant.objects.filter(person=who).delete()
    making.RoleGrant.objects.create(person=who, role=Role.SUBMITTER, unit=making.unit("shop"), reason="moved")
    caller = caller_for(who, token=row)
    assert (caller.units, caller.any_roles, caller.home_unit) == (frozenset(), frozenset(), None)


def test_a_token_never_sees_all_units() -> None:
    who = making.person("root", Role.SUBMITTER, everywhere=True)
    row, _ = issued(person=who)
    caller = caller_for(who, token=row)
    assert not caller.sees_all_units and caller.units == {making.unit().pk}
    assert caller_for(who).sees_all_units
