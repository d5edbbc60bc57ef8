"""`POST /kubernetes/validate`: a Kubernetes validating admission webhook. A pure read of a decision already taken.

The cluster's objects name what they run by annotations; the answer is the permit's. Which environment it is about stands in the
address (`/kubernetes/validate/staging`), never in the object: who deploys must not choose which permit counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.callers import caller_of
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.storable import unstorable
from governance.selectors.access import Caller
from reviews.api.permits import percent, require_permit_scope
from reviews.api.submissions import REFUSALS
from reviews.selectors.permits import PermitAnswer, permit_answer

PREFIX = "guiderail.io/"
LONGEST_WARNING = 255
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_EXAMPLE = f"{PREFIX}system: credit-default and {PREFIX}version: 2.3.0"
_READS = (
    f"Reads the annotations {PREFIX}system, {PREFIX}version, {PREFIX}digest and {PREFIX}exposure of the object or its pod "
    "template. The exposure is a percentage; not said, it is about all of it. Answers 200 either way; what is not named or not "
    "known is not allowed."
)
_ANSWERS = {200: OpenApiTypes.OBJECT, **{code: REFUSALS[code] for code in (401, 403, 422)}}


@dataclass(frozen=True)
class Named:
    """What an object says it runs: system and version, or the artefact's digest, or all three; and to which share, in percent."""

    system: str = ""
    version: str = ""
    digest: str = ""
    exposure: str = ""

    def __bool__(self) -> bool:
        return bool(self.digest or (self.system and self.version))


@dataclass(frozen=True)
class Ruling:
    """The answer to the cluster."""

    allowed: bool
    says: str = ""
    warning: str = ""


class KubernetesView(APIView):
    """The admission webhook of production."""

    @extend_schema(
        operation_id="kubernetes_validate",
        summary="Kubernetes admission review (v1): allowed while a permit for production is valid",
        description=_READS,
        request=OpenApiTypes.OBJECT,
        responses=_ANSWERS,
    )
    def post(self, request: Request) -> Response:
        return _answer(request, "production")


class KubernetesEnvironmentView(APIView):
    """The admission webhook of another environment."""

    @extend_schema(
        operation_id="kubernetes_validate_environment",
        summary="Kubernetes admission review (v1) for another environment than production",
        description=_READS,
        request=OpenApiTypes.OBJECT,
        responses=_ANSWERS,
    )
    def post(self, request: Request, environment: str) -> Response:
        return _answer(request, environment)


def _answer(request: Request, environment: str) -> Response:
    caller = caller_of(request)
    require_permit_scope(caller)
    review = _review_of(request.data)
    ruling = rule(caller, review, environment)
    answer: dict[str, Any] = {"uid": review["uid"], "allowed": ruling.allowed}
    if not ruling.allowed:
        answer["status"] = {"code": 403, "message": ruling.says}
    if ruling.warning:
        answer["warnings"] = [shortened(ruling.warning)]
    return Response({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer})


def rule(caller: Caller, review: Mapping[str, Any], environment: str) -> Ruling:
    """Allowed or not, by the permit of what the object names."""
    if review.get("operation") not in ("CREATE", "UPDATE"):
        return Ruling(True)  # taking away and looking into need no permit
    new, old = _table(review.get("object")), _table(review.get("oldObject"))
    if _table(new.get("metadata")).get("deletionTimestamp"):
        return Ruling(True)  # finalizers come off while it goes
    try:
        named = named_by(new)
    except _Contradiction as contradiction:
        return Ruling(False, str(contradiction))
    if not named:
        return Ruling(False, f"Guiderail: the object does not say which model it runs. Annotate its pods with {_EXAMPLE}.")
    answer = _ask(caller, named, environment)
    if answer.allowed:
        return Ruling(True)
    why = f"Guiderail: {answer.reasons[0]}" + (f" Review: {answer.url}" if answer.url else "")
    if review["operation"] == "UPDATE" and _same(old, new, named):
        # it runs already: scaling or labelling it is no deployment, and refusing would only hinder taking it down
        return Ruling(True, warning=why)
    return Ruling(False, why)


def named_by(thing: Mapping[str, Any]) -> Named:
    """What an object's annotations name: its own, and those of its pod template. Raises when they contradict each other."""
    found: dict[str, str] = {}
    for table in _annotations(thing):
        for key in ("system", "version", "digest", "exposure"):
            given = table.get(PREFIX + key)
            if not isinstance(given, str) or not given:
                continue
            if found.setdefault(key, given) != given:
                raise _Contradiction(f"Guiderail: object and pods name different things in {PREFIX}{key}. Make them equal.")
    if "digest" in found and not _DIGEST.fullmatch(found["digest"]):
        raise _Contradiction(f"Guiderail: {PREFIX}digest is sha256: and 64 hexadecimal digits.")
    try:
        percent(found.get("exposure", ""))
    except InvalidInput:
        raise _Contradiction(f"Guiderail: {PREFIX}exposure is a whole percentage from 1 to 100, such as “5”.") from None
    return Named(**found)


def shortened(text: str) -> str:
    """A warning as Kubernetes shows it: one line below 256 bytes."""
    raw = " ".join(text.split()).encode()
    return raw.decode() if len(raw) <= LONGEST_WARNING else raw[: LONGEST_WARNING - 3].decode(errors="ignore") + "…"


class _Contradiction(Exception):
    pass


def _ask(caller: Caller, named: Named, environment: str) -> PermitAnswer:
    about: dict[str, Any] = {"environment": environment, "exposure": percent(named.exposure)}
    if not (named.system and named.version):
        return permit_answer(caller, digest=named.digest, **about)
    by_version = permit_answer(caller, system=named.system, version=named.version, **about)
    if not by_version.allowed or not named.digest:
        return by_version
    # named twice: both have to lead to the same permit
    by_digest = permit_answer(caller, digest=named.digest, **about)
    if by_digest.allowed and by_digest.submission != by_version.submission:
        says = f"The digest belongs to {by_digest.submission}, and {named.system} {named.version} to {by_version.submission}."
        return PermitAnswer(False, None, (says,), None, by_version.submission, by_version.url, "unknown")
    return by_digest


def _same(old: Mapping[str, Any], new: Mapping[str, Any], named: Named) -> bool:
    """Whether an update leaves what runs as it was: names, and pods as a whole, for an argument can name another model too."""
    try:
        before = named_by(old)
    except _Contradiction:
        return False
    return before == named and _runs(old) == _runs(new)


def _annotations(thing: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield _table(_table(thing.get("metadata")).get("annotations"))
    for template in _templates(thing):
        yield _table(_table(template.get("metadata")).get("annotations"))


def _templates(thing: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The pod templates of a workload: `spec.template`, and a CronJob's `spec.jobTemplate.spec.template`."""
    spec = _table(thing.get("spec"))
    yield _table(spec.get("template"))
    yield _table(_table(_table(spec.get("jobTemplate")).get("spec")).get("template"))


def _runs(thing: Mapping[str, Any]) -> list[Any]:
    """What runs: the specification of each pod template, or of the pod itself. Images, arguments and variables stand in it."""
    return [template.get("spec") for template in _templates(thing) if template] or [thing.get("spec")]


def _review_of(data: Any) -> Mapping[str, Any]:
    review = _table(_table(data).get("request"))
    if _table(data).get("apiVersion") != "admission.k8s.io/v1" or not isinstance(review.get("uid"), str) or unstorable(review):
        raise InvalidInput(
            "This is no AdmissionReview of admission.k8s.io/v1.",
            errors=(FieldError("/request", "invalid", "Set admissionReviewVersions: [v1] in the webhook's configuration."),),
        )
    return review


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
