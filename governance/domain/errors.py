"""Refusals. Each has a stable code, a kind that adapters map to a response, and words for the person who gets it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ErrorKind(StrEnum):
    """How an adapter answers: invalid 422, forbidden 403, missing 404, conflict 409, unavailable 503."""

    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    CONFLICT = "conflict"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with the input. `pointer` is an RFC 6901 JSON pointer; `detail` says what was expected and how to mend
    it."""

    pointer: str
    code: str
    detail: str


class DomainError(Exception):
    """Base of every refusal the product makes on purpose.

    `detail` is shown as it is: it says what is wrong and what to do next.
    """

    code = "domain_error"
    kind = ErrorKind.INVALID
    title = "The request cannot be carried out"

    def __init__(self, detail: str, *, code: str | None = None, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        if code is not None:
            self.code = code


class InvalidInput(DomainError):
    """The input does not say what is needed; `errors` name each field."""

    code = "invalid_input"
    kind = ErrorKind.INVALID
    title = "Some of what was sent cannot be used"


class Forbidden(DomainError):
    """The actor lacks the role, scope or unit."""

    code = "forbidden"
    kind = ErrorKind.FORBIDDEN
    title = "Not allowed"


class SegregationOfDuties(Forbidden):
    """The actor submitted, built, evidenced or already reviewed this case."""

    code = "segregation_of_duties"
    title = "Somebody else has to decide this"


class ReauthenticationNeeded(Forbidden):
    """A signature needs a fresh sign-in."""

    code = "reauthentication_needed"
    title = "Please confirm it is you"


class NotFound(DomainError):
    """No such object, or none this actor may see: the two are not told apart."""

    code = "not_found"
    kind = ErrorKind.MISSING
    title = "Not found"


class Conflict(DomainError):
    """The object is not in a state that allows this."""

    code = "conflict"
    kind = ErrorKind.CONFLICT
    title = "Not possible in the present state"


class StaleDossier(Conflict):
    """The dossier changed since the person looked."""

    code = "stale_dossier"
    title = "The case changed since you opened it"


class Unavailable(DomainError):
    """A part that is needed does not answer; nothing was changed."""

    code = "unavailable"
    kind = ErrorKind.UNAVAILABLE
    title = "Temporarily unavailable"
