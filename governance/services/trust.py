"""Trust rules, and the exchange of a pipeline's identity token for a short token of ours.

What is checked of an identity token, in this order: its size and shape; that a rule trusts its issuer; a key of that issuer and
an algorithm we take; signature, times, audience; the claims that the rule pins; that it was not used before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
from django.conf import settings
from django.db import IntegrityError
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import Role, Scope
from governance.models import ApiToken, Person, TrustRule, Unit, UsedIdentity
from governance.selectors.access import Caller, caller_for
from governance.services.administration import require_administrator
from governance.services.issuers import NoKey, signing_key
from governance.services.tokens import new_token
from governance.services.work import unit_of_work

LIFETIME = timedelta(minutes=15)
LEEWAY_SECONDS = 30
LONGEST = 16 * 1024
LONGEST_LIFE = timedelta(hours=24)
GITHUB_ISSUER, GITLAB_ISSUER = "https://token.actions.githubusercontent.com", "https://gitlab.com"
REQUIRED = ("exp", "iat", "iss", "aud", "sub", "jti")
_FOREIGN_KEYS = ("jku", "jwk", "x5u", "x5c", "crit", "b64", "zip")


class IdentityRefused(Exception):
    """The identity token is not exchanged. `code` is stable; the message says why."""

    def __init__(self, says: str, *, code: str) -> None:
        super().__init__(says)
        self.code = code


def trust(
    *,
    caller: Caller,
    unit: Unit,
    name: str,
    provider: str,
    issuer: str,
    audience: str,
    project: str,
    ref: str,
    environment: str,
    workflow: str,
    person: Person,
    scopes: Iterable[Scope],
    proved_at: datetime | None = None,
) -> TrustRule:
    """Make a rule. For administrators of the unit who have just proved who they are. Raises `InvalidInput` naming each field."""
    require_administrator(caller, unit.pk, proved_at)
    given = {key: value.strip() for key, value in {"name": name, "audience": audience, "project": project, "ref": ref}.items()}
    wanted = sorted({scope.value for scope in scopes})
    wrong = [FieldError(f"/{key}", "missing", "Fill it in.") for key, value in given.items() if not value]
    host = urlsplit(issuer).hostname or ""
    if provider not in (TrustRule.GITHUB, TrustRule.GITLAB):
        wrong.append(FieldError("/provider", "unknown", "github or gitlab."))
    if not (issuer.startswith("https://") or host in settings.OUTGOING_HOSTS) or not host or urlsplit(issuer).query:
        wrong.append(FieldError("/issuer", "invalid", f"An https address, such as {GITHUB_ISSUER}."))
    if given["project"] and not re.fullmatch(r"[0-9]{1,20}", given["project"]):
        wrong.append(FieldError("/project", "invalid", "The number, not the name: a name can be taken over by somebody else."))
    if given["ref"] and not re.fullmatch(r"refs/(heads|tags)/[^\s*?\[\]]+", given["ref"]):
        wrong.append(FieldError("/ref", "invalid", "One branch or tag, such as refs/heads/main."))
    if not wanted:
        wrong.append(FieldError("/scopes", "missing", "Choose at least one."))
    if not person.is_active or not caller_for(person).roles_in(unit.pk) & {Role.SUBMITTER}:
        wrong.append(FieldError("/person", "role_needed", f"Somebody who may submit in {unit.name}."))
    if wrong:
        raise InvalidInput("The rule was not made: " + " ".join(each.detail for each in wrong), errors=tuple(wrong))
    with unit_of_work(caller) as work:
        rule = TrustRule.objects.create(
            unit=unit,
            provider=provider,
            issuer=issuer,
            environment=environment.strip(),
            workflow=workflow.strip(),
            person=person,
            scopes=wanted,
            created_by=caller.person,
            **given,
        )
        said = {"issuer": issuer, "project": rule.project, "ref": rule.ref, "environment": rule.environment}
        work.note("trust.made", rule, {**said, "workflow": rule.workflow, "scopes": wanted, "person": person.reference})
    return rule


def end_trust(*, caller: Caller, rule: TrustRule, proved_at: datetime | None = None) -> None:
    """End a rule, and the tokens it gave, at once."""
    require_administrator(caller, rule.unit_id, proved_at)
    with unit_of_work(caller) as work:
        if TrustRule.objects.filter(pk=rule.pk, ended_at__isnull=True).update(ended_at=Now()):
            live = ApiToken.objects.filter(trust_rule=rule, revoked_at__isnull=True, expires_at__gt=Now())
            work.note("trust.ended", rule, {"tokens_revoked": live.update(revoked_at=Now())})


def exchange(identity: str) -> tuple[ApiToken, str]:
    """Give a 15-minute token for an identity token. Returns the row and the secret. Raises `IdentityRefused` with the reason."""
    claims, rule = _checked(identity)
    expires = datetime.fromtimestamp(int(claims["exp"]), UTC)
    until = timezone.now() + LIFETIME
    key = hashlib.sha256(f"{rule.issuer}\n{claims['jti']}".encode()).hexdigest()
    caller = Caller(person=rule.person, home_unit=rule.unit_id, origin="api")
    try:
        with unit_of_work(caller) as work:
            live = TrustRule.objects.select_for_update().filter(pk=rule.pk, ended_at__isnull=True).exists()
            if not live or not rule.person.is_active:
                raise IdentityRefused("The rule that trusts this pipeline has ended.", code="not_trusted")
            kept_until = expires + timedelta(seconds=2 * LEEWAY_SECONDS)
            UsedIdentity.objects.create(key=key, rule=rule, expires_at=kept_until)
            row, secret = new_token(rule.person, rule.unit, f"{rule.name} (pipeline)", rule.scopes, until, rule=rule)
            TrustRule.objects.filter(pk=rule.pk).update(last_used_at=Now())
            said = {"rule": rule.pk, "subject": str(claims["sub"])[:200], "identity": key, "scopes": rule.scopes}
            work.note("token.exchanged", row, said)
    except IntegrityError as exc:
        raise IdentityRefused("This identity token was used before. Ask for a fresh one.", code="used_before") from exc
    return row, secret


def forget_used(*, limit: int = 10_000) -> int:
    """Forget identity tokens that nobody could use any more because they have expired."""
    old = UsedIdentity.objects.filter(expires_at__lt=Now() - timedelta(hours=1)).values_list("pk", flat=True)[:limit]
    return UsedIdentity.objects.filter(pk__in=list(old)).delete()[0]


def _checked(identity: str) -> tuple[dict[str, Any], TrustRule]:
    """The claims of a genuine token and the rule that trusts it."""
    header, issuer = _outside(identity)
    found = TrustRule.objects.select_related("person", "unit").filter(issuer=issuer, ended_at__isnull=True)
    rules = list(found.order_by("id")[:200])
    if not rules:
        raise IdentityRefused("No rule trusts the issuer of this token. An administrator adds one.", code="not_trusted")
    try:
        key = signing_key(issuer, header["kid"], header["alg"])
        claims = jwt.decode(
            identity,
            key,
            algorithms=[header["alg"]],
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": list(REQUIRED), "verify_aud": False},  # the audience is pinned by each rule, see _differs
        )
    except NoKey as exc:
        raise IdentityRefused(str(exc), code="no_key") from exc
    except jwt.PyJWTError as exc:
        raise IdentityRefused(f"The identity token does not hold: {exc}."[:300], code="token_refused") from exc
    life = int(claims["exp"]) - int(claims["iat"])
    if not isinstance(claims["jti"], str) or not claims["jti"] or life > LONGEST_LIFE.total_seconds():
        raise IdentityRefused("The identity token has no id of its own, or lives longer than a day.", code="token_refused")
    differs = ""
    for rule in rules:
        differs = _differs(rule, claims)
        if not differs:
            return claims, rule
    raise IdentityRefused(f"No rule trusts this pipeline: {differs}", code="not_trusted")


def _outside(identity: str) -> tuple[dict[str, str], str]:
    """Header and issuer as the token claims them, before anything is believed."""
    if len(identity) > LONGEST or identity.count(".") != 2:
        raise IdentityRefused("This is no identity token (three parts, up to 16 KiB).", code="token_refused")
    try:
        header = jwt.get_unverified_header(identity)
        claims = jwt.decode(identity, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError, TypeError) as exc:
        raise IdentityRefused("This is no identity token.", code="token_refused") from exc
    if any(name in header for name in _FOREIGN_KEYS):
        raise IdentityRefused("The token's header brings keys or extensions of its own; none are taken.", code="token_refused")
    kid, algorithm, issuer = header.get("kid"), header.get("alg"), claims.get("iss")
    named = isinstance(kid, str) and isinstance(algorithm, str) and isinstance(issuer, str)
    if not named or not (kid and algorithm and issuer):
        raise IdentityRefused("The token names no key, algorithm or issuer.", code="token_refused")
    return {"kid": str(kid), "alg": str(algorithm)}, str(issuer)


def _differs(rule: TrustRule, claims: Mapping[str, Any]) -> str:
    """The first claim that is not what the rule pins, or ""."""
    has = _claimed(rule.provider, claims)
    if claims["aud"] != rule.audience and claims["aud"] != [rule.audience]:
        return "it is meant for another audience."
    pinned = {"project": rule.project, "ref": rule.ref, "environment": rule.environment, "workflow": rule.workflow}
    names = {"project": "project number", "ref": "ref", "environment": "environment", "workflow": "workflow"}
    for name, wanted in pinned.items():
        if wanted and has[name] != wanted:
            return f"its {names[name]} ({str(has[name])[:80] or 'none'}) is another."
    return ""


def _claimed(provider: str, claims: Mapping[str, Any]) -> dict[str, str]:
    """What the token says of the pipeline, under one set of names. Only text counts: a number or list equals nothing."""

    def text(name: str) -> str:
        value = claims.get(name)
        return value if isinstance(value, str) else ""

    if provider == TrustRule.GITHUB:
        return {
            "project": text("repository_id"),
            "ref": text("ref"),
            "environment": text("environment"),
            "workflow": text("job_workflow_ref"),
        }
    kind = {"branch": "heads", "tag": "tags"}.get(text("ref_type"), "")
    return {
        "project": text("project_id"),
        "ref": f"refs/{kind}/{text('ref')}" if kind else "",
        "environment": text("environment"),
        "workflow": text("ci_config_ref_uri"),
    }
