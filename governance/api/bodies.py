"""What programs send, checked by pydantic: each mistake is named by its JSON pointer with what was expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    StringConstraints,
    ValidationError,
    model_validator,
)

from governance.domain.errors import FieldError, InvalidInput
from governance.domain.incoming import NewAnswer, NewEvidence, NewSource, NewSubmission
from governance.domain.storable import unstorable
from governance.domain.vocabulary import EvidenceRole, Kind

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
UserName = Annotated[str, StringConstraints(pattern=r"^[\w.@+-]{1,150}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^(sha256:)?[0-9a-f]{64}$")]


def _kind(raw: Any) -> Kind:
    if not isinstance(raw, str):
        raise ValueError("a kind is a word such as ml_model, application or data_pipeline")
    return Kind(raw)


KindName = Annotated[InstanceOf[Kind], BeforeValidator(_kind)]

_NEVER_SENT = {"track", "tier", "risk_tier", "state", "approved"}


class Closed(BaseModel):
    """Takes only what is named, so that a typing error is told instead of ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceBody(Closed):
    """A metadata file: its text, or the sha256 of evidence stored before."""

    name: Text
    content: str | None = Field(default=None, max_length=2_200_000)
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def one_of(self) -> SourceBody:
        if (self.content is None) == (self.sha256 is None):
            raise ValueError("give either “content” (the text) or “sha256” (of evidence stored before)")
        return self


class EvidenceBody(Closed):
    """A stored file in a role."""

    role: EvidenceRole
    sha256: Sha256
    columns: dict[str, str | list[str]] = Field(default_factory=dict, max_length=40)
    format: Annotated[str, StringConstraints(max_length=40)] = ""


class SubmissionBody(Closed):
    """A submission as CONTRACT.md gives it."""

    system: Slug
    kind: KindName = Kind.ML_MODEL
    version: Text
    environment: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")] = "production"
    sources: list[SourceBody] = Field(default_factory=list, max_length=40)
    answers: dict[str, Any] = Field(default_factory=dict, max_length=200)
    evidence: list[EvidenceBody] = Field(default_factory=list, max_length=40)
    carry_over: list[Text] = Field(default_factory=list, max_length=200)
    draft: bool = False
    gates: bool = False

    def new_submission(self) -> NewSubmission:
        """The body as the services take it."""
        return NewSubmission(
            system=self.system,
            kind=self.kind,
            version=self.version,
            environment=self.environment,
            sources=sources_of(self.sources),
            answers=answers_of(self.answers),
            evidence=evidence_of(self.evidence),
            carried=tuple(dict.fromkeys(self.carry_over)),
        )


class AnswersBody(Closed):
    """`{"answers": {"question.id": value}}`; a value may be `{"value": …, "reason": "why the prefilled one is corrected"}`.

    `carry_over`: questions whose offered answer, the champion's, holds for this version too.
    """

    answers: dict[str, Any] = Field(default_factory=dict, max_length=200)
    carry_over: list[Text] = Field(default_factory=list, max_length=200)

    @model_validator(mode="after")
    def says_something(self) -> AnswersBody:
        if not self.answers and not self.carry_over:
            raise ValueError("give “answers”, or in “carry_over” the questions whose offered answer still holds")
        return self


B = TypeVar("B", bound=BaseModel)


def parse(model: type[B], data: Any) -> B:
    """Validate a decoded body. Raises `InvalidInput` with one `FieldError` per mistake."""
    # the content of a metadata file is kept as bytes, whatever it holds
    if bad := unstorable(data, skip=frozenset({"content"})):
        pointer, why = bad
        raise InvalidInput(
            f"The body cannot be used: {pointer or 'it'} {why}. Remove it.",
            errors=(FieldError(pointer, "unstorable", f"This {why}."),),
        )
    try:
        return model.model_validate(data)
    except ValidationError as exc:
        errors = tuple(_field_error(error) for error in exc.errors(include_url=False))
        raise InvalidInput(
            "The body cannot be used: " + " ".join(f"{e.pointer}: {e.detail}" for e in errors[:5]), errors=errors
        ) from exc


def sources_of(rows: Sequence[SourceBody]) -> tuple[NewSource, ...]:
    """Metadata files as the services take them."""
    return tuple(NewSource(s.name, None if s.content is None else s.content.encode(), s.sha256 or "") for s in rows)


def evidence_of(rows: Sequence[EvidenceBody]) -> tuple[NewEvidence, ...]:
    """Evidence as the services take it. Raises `InvalidInput` for a role that is given twice."""
    roles = [item.role for item in rows]
    if twice := sorted({role.value for role in roles if roles.count(role) > 1}):
        raise InvalidInput(
            f"Evidence roles are given once each; twice: {', '.join(twice)}.",
            errors=(FieldError("/evidence", "twice", "Give each role once."),),
        )
    return tuple(NewEvidence(e.role, e.sha256.removeprefix("sha256:"), e.columns, e.format) for e in rows)


def answers_of(raw: Mapping[str, Any]) -> dict[str, NewAnswer]:
    """Answers as sent: a bare value, or `{"value": …, "reason": …}`."""
    found = {}
    for question, given in raw.items():
        if isinstance(given, Mapping) and "value" in given and set(given) <= {"value", "reason"}:
            found[question] = NewAnswer(given["value"], str(given.get("reason", "")))
        else:
            found[question] = NewAnswer(given)
    return found


def _field_error(error: Any) -> FieldError:
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in error["loc"])
    name = str(error["loc"][-1]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        if name in _NEVER_SENT:
            return FieldError(
                pointer, "never_sent", f"“{name}” is decided by the policy from facts; nobody sends it. Leave it out."
            )
        return FieldError(pointer, "unknown_field", f"“{name}” is not a field here. Check its spelling against /api/v1/schema/.")
    if error["type"] == "missing":
        return FieldError(pointer, "missing", f"“{name}” is needed.")
    return FieldError(pointer, error["type"], _sentence(error["msg"]))


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
