"""What a version is worth a day, as its people declare it."""

from __future__ import annotations

from decimal import Decimal

from governance.domain.errors import FieldError, Forbidden, InvalidInput
from governance.domain.vocabulary import Role
from governance.models import Submission
from governance.selectors.access import Caller
from governance.services.work import unit_of_work
from reviews.models import DeclaredValue
from reviews.services.decision_input import says_something
from reviews.services.incidents import LARGEST
from reviews.services.locking import locked


def declaring_refusal(submission: Submission, caller: Caller) -> Forbidden | None:
    """Why the caller cannot declare it, or None: the submitter, the system's owner, and product."""
    if caller.token is not None or caller.person is None:
        return Forbidden("A token cannot declare a value. A person has to sign in.", code="person_needed")
    if caller.person.pk in {submission.submitter_id, submission.system.owner_id}:
        return None
    if caller.roles_in(submission.unit_id) & {Role.PRODUCT, Role.BUDGET_OWNER}:
        return None
    return Forbidden("The submitter, the system's owner, product or the budget owner declare it.", code="role_needed")


def declare_value(*, caller: Caller, submission_id: int, per_day: Decimal | None, currency: str, why: str) -> DeclaredValue:
    """Say what having the version in use is worth a day. A later declaration counts instead; all stay on record.

    It changes nothing about the case: neither its track nor its order in any queue.
    """
    problems = []
    if per_day is None or not per_day.is_finite() or not 0 <= per_day <= LARGEST:
        problems.append(FieldError("/per_day", "invalid", "An amount of 0 or more, such as 1200.50."))
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        problems.append(FieldError("/currency", "missing", "Name the currency by its three letters, such as EUR."))
    if not says_something(why, 10):
        problems.append(FieldError("/why", "missing", "Say where the amount comes from."))
    if problems or per_day is None:
        raise InvalidInput("Nothing was declared: " + " ".join(p.detail for p in problems), errors=tuple(problems))
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        if (refused := declaring_refusal(submission, caller)) is not None:
            raise refused
        assert caller.person is not None
        row = DeclaredValue.objects.create(
            unit_id=submission.unit_id, submission=submission, per_day=per_day, currency=currency, why=why.strip()[:500],
            by=caller.person,
        )  # fmt: skip
        work.note("value.declared", submission, {"per_day": str(per_day), "currency": currency})
    return row
