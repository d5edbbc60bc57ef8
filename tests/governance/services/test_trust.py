"""Identity tokens of pipelines: what is genuine and pinned gets a short token, everything else is refused."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from django.utils import timezone

from governance.domain.vocabulary import Role, Scope
from governance.models import ApiToken, AuditEvent, TrustRule, UsedIdentity
from governance.selectors.access import SYSTEM
from governance.services import issuers
from governance.services.tokens import find_token
from governance.services.trust import end_trust, forget_used, trust
from tests.governance import making
from tests.governance.services.issuer import AUDIENCE, Issuer, running
from tests.governance.ui.test_administration_pages import signed_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def _issuer() -> Iterator[Issuer]:
    with running() as issuer:
        yield issuer


@pytest.fixture
def issuer(_issuer: Issuer, settings: Any) -> Iterator[Issuer]:
    settings.OUTGOING_HOSTS = frozenset({"127.0.0.1"})
    issuers.forget()
    _issuer.asked = 0
    _issuer.document = {"issuer": _issuer.url, "jwks_uri": f"{_issuer.url}/.well-known/jwks"}
    yield _issuer
    issuers.forget()


def trusted(issuer: Issuer, **more: Any) -> TrustRule:
    given = {
        "name": "credit-default",
        "provider": "github",
        "issuer": issuer.url,
        "audience": AUDIENCE,
        "project": "74",
        "ref": "refs/heads/main",
        "environment": "prod",
        "workflow": "",
        "person": making.person("dana"),
        "unit": making.unit(),
        "scopes": [Scope.SUBMIT, Scope.READ],
        **more,
    }
    return trust(caller=SYSTEM, **given)


def send(token: Any) -> Any:
    return Client().post("/api/v1/oidc/token", json.dumps({"token": token}), content_type="application/json")


def test_a_github_job_gets_fifteen_minutes_within_the_rules_scopes(issuer: Issuer) -> None:
    rule = trusted(issuer)
    answer = send(issuer.github())
    assert answer.status_code == 200, answer.content
    assert answer.json()["scopes"] == ["read", "submit"] and answer["Cache-Control"] == "no-store"
    token = find_token(answer.json()["token"])
    assert token is not None and token.person.username == "dana" and token.trust_rule_id == rule.pk
    assert timedelta(minutes=14) < token.expires_at - timezone.now() <= timedelta(minutes=15)
    mine = Client().get("/api/v1/submissions", HTTP_AUTHORIZATION=f"Bearer {answer.json()['token']}")
    assert mine.status_code == 200
    event = AuditEvent.objects.get(action="token.exchanged")
    assert event.actor == token.person.reference
    assert json.loads(event.payload)["data"]["rule"] == rule.pk and "eyJ" not in event.payload
    for _ in range(3):
        assert send(issuer.github()).status_code == 200
    assert issuer.asked == 2, "the keys are kept"


def test_a_gitlab_job_of_the_right_project_and_branch(issuer: Issuer) -> None:
    trusted(issuer, provider="gitlab", project="20", environment="")
    assert send(issuer.gitlab()).status_code == 200
    for claims in ({"ref_type": "tag"}, {"ref": "dev"}, {"project_id": "21"}, {"project_id": 20}, {"aud": "https://vault"}):
        assert send(issuer.gitlab(**claims)).status_code == 401, claims


def unsigned(claims: dict[str, Any], header: dict[str, Any], signature: bytes = b"") -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=").decode()])


def signed_by_another(issuer: Issuer) -> str:
    claims = jwt.decode(issuer.github(), options={"verify_signature": False})
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims, other, algorithm="RS256", headers={"kid": "rsa-1"})


def with_public_key_as_secret(issuer: Issuer) -> str:
    """The old confusion: HS256, with the public key everybody knows as the secret."""
    claims = jwt.decode(issuer.github(), options={"verify_signature": False})
    public = issuer.keys()["keys"][0]["n"].encode()
    content = unsigned(claims, {"alg": "HS256", "kid": "rsa-1"}).removesuffix(".")
    return unsigned(claims, {"alg": "HS256", "kid": "rsa-1"}, hmac.new(public, content.encode(), "sha256").digest())


def changed(issuer: Issuer, part: int) -> str:
    parts = issuer.github().split(".")
    parts[part] = parts[part][:-4] + ("AAAA" if parts[part][-4:] != "AAAA" else "BBBB")
    return ".".join(parts)


def other_claims(issuer: Issuer) -> str:
    """A genuine signature under claims that somebody exchanged."""
    head, _, tail = issuer.github().split(".")
    body = jwt.decode(issuer.github(), options={"verify_signature": False}) | {"repository_id": "74"}
    return ".".join([head, base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=").decode(), tail])


NOW = int(time.time())
FORGED: dict[str, Callable[[Issuer], Any]] = {
    "no token": lambda i: "x",
    "two parts": lambda i: "a.b",
    "no JSON": lambda i: "YQ.YQ.YQ",
    "far too long": lambda i: i.github(more="x" * 20_000),
    "alg none": lambda i: unsigned(jwt.decode(i.github(), options={"verify_signature": False}), {"alg": "none", "kid": "rsa-1"}),
    "alg None": lambda i: unsigned({"iss": i.url}, {"alg": "nOnE", "kid": "rsa-1"}),
    "no signature": lambda i: i.github().rsplit(".", 1)[0] + ".",
    "another's signature": signed_by_another,
    "public key as secret": with_public_key_as_secret,
    "signature changed": lambda i: changed(i, 2),
    "claims changed": lambda i: changed(i, 1),
    "claims exchanged": other_claims,
    "unknown kid": lambda i: i.github(kid="rsa-2"),
    "kid of an EC key": lambda i: i.github(kid="ec-1"),
    "kid of a symmetric key": lambda i: i.github(kid="secret"),
    "kid is a path": lambda i: i.github(kid="../../../dev/null"),
    "kid is SQL": lambda i: i.github(kid="x' OR '1'='1"),
    "no kid": lambda i: jwt.encode(jwt.decode(i.github(), options={"verify_signature": False}), i.rsa, algorithm="RS256"),
    "jku brings its own keys": lambda i: i.github(headers={"jku": "https://evil.example/keys"}),
    "jwk in the header": lambda i: i.github(headers={"jwk": i.keys()["keys"][0]}),
    "x5u": lambda i: i.github(headers={"x5u": "https://evil.example/cert"}),
    "crit": lambda i: i.github(headers={"crit": ["exp"]}),
    "another algorithm of the same key": lambda i: jwt.encode(
        jwt.decode(i.github(), options={"verify_signature": False}), i.rsa, algorithm="RS512", headers={"kid": "rsa-1"}
    ),
    "expired": lambda i: i.github(exp=NOW - 600),
    "not yet valid": lambda i: i.github(nbf=NOW + 6_000),
    "issued in the future": lambda i: i.github(iat=NOW + 6_000),
    "no expiry": lambda i: i.github(exp=None),
    "lives for a month": lambda i: i.github(exp=NOW + 30 * 86_400),
    "no jti": lambda i: i.github(jti=None),
    "empty jti": lambda i: i.github(jti=""),
    "jti is a number": lambda i: i.github(jti=5),
    "no audience": lambda i: i.github(aud=None),
    "another audience": lambda i: i.github(aud="https://github.com/octo-org"),
    "two audiences": lambda i: i.github(aud=[AUDIENCE, "https://vault.example.org"]),
    "no issuer": lambda i: i.github(iss=None),
    "another issuer": lambda i: i.github(iss="https://token.actions.githubusercontent.com"),
    "issuer with a slash": lambda i: i.github(iss=f"{i.url}/"),
    "another repository": lambda i: i.github(repository_id="75"),
    "the same name, another repository": lambda i: i.github(repository_id="7400", repository="octo-org/octo-repo"),
    "repository id as a number": lambda i: i.github(repository_id=74),
    "repository id as a list": lambda i: i.github(repository_id=["74"]),
    "no repository id": lambda i: i.github(repository_id=None),
    "a pull request": lambda i: i.github(ref="refs/pull/7/merge"),
    "another branch": lambda i: i.github(ref="refs/heads/main-2"),
    "another environment": lambda i: i.github(environment="dev"),
    "no environment": lambda i: i.github(environment=None),
}


def test_every_forged_token_is_refused(issuer: Issuer) -> None:
    trusted(issuer)
    answers = {name: send(make(issuer)) for name, make in FORGED.items()}
    assert len(FORGED) >= 40
    assert {name: a.status_code for name, a in answers.items()} == dict.fromkeys(FORGED, 401)
    assert not ApiToken.objects.exists() and not UsedIdentity.objects.exists()
    assert issuer.asked <= 2, "made-up key ids do not make us ask again and again"
    assert all(a["Content-Type"] == "application/problem+json" and a.json()["detail"] for a in answers.values())
    assert [send(body).status_code for body in ("", None, 5, ["x"])] == [422] * 4
    assert send(issuer.github()).status_code == 200, "and a genuine one is still taken"


def test_each_is_exchanged_once_also_at_the_same_moment_and_stays_used(issuer: Issuer) -> None:
    trusted(issuer)
    token = issuer.github(exp=int(time.time()) + 300)
    assert [send(token).status_code for _ in range(3)] == [200, 401, 401]
    assert send(token).json()["code"] == "used_before" and ApiToken.objects.count() == 1
    forget_used()
    assert send(token).status_code == 401, "it has not expired, so it is not forgotten"
    UsedIdentity.objects.update(expires_at=timezone.now() - timedelta(hours=2))
    assert forget_used() == 1


def test_a_workflow_can_be_pinned_and_an_ended_rule_trusts_nobody(issuer: Issuer) -> None:
    rule = trusted(issuer, workflow="octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main")
    secret = send(issuer.github()).json()["token"]
    assert send(issuer.github(job_workflow_ref="octo-org/other/.github/workflows/x.yml@refs/heads/main")).status_code == 401
    end_trust(caller=SYSTEM, rule=rule)
    assert send(issuer.github()).status_code == 401
    assert find_token(secret) is None, "what it gave has stopped too"


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://elsewhere.example"},
        {"jwks_uri": "http://127.0.0.2:1/keys"},
        {"jwks_uri": None},
        {"jwks_uri": "http://169.254.169.254/latest"},
    ],
)
def test_an_issuer_that_points_elsewhere_is_not_followed(issuer: Issuer, document: dict[str, Any]) -> None:
    trusted(issuer)
    issuer.document.update(document)
    assert send(issuer.github()).status_code == 401


def test_the_page_makes_and_ends_rules_and_says_how_to_connect(issuer: Issuer, settings: Any) -> None:
    dana = making.person("dana")
    adm = signed_in(making.person("adm", Role.ADMIN, everywhere=True))
    form = {
        "name": "credit", "provider": "github", "issuer": issuer.url, "audience": AUDIENCE, "project": "octo/repo",
        "ref": "main", "person": dana.pk, "unit": making.unit().pk, "scopes": ["submit"],
    }  # fmt: skip
    wrong = text_of(adm.post("/administration/trust", {**form, "issuer": "http://evil.example"}))
    assert "The number, not the name" in wrong and "such as refs/heads/main" in wrong and "An https address" in wrong
    right = {**form, "project": "74", "ref": "refs/heads/main"}
    assert "is trusted" in text_of(adm.post("/administration/trust", right, follow=True))
    rule = TrustRule.objects.get()
    assert "not trusted any more" in text_of(adm.post(f"/administration/trust/{rule.pk}/end", follow=True))
    settings.PUBLIC_URL = "https://guide.example.org"
    shown = text_of(adm.get("/connect"))
    for words in (
        "id-token: write",
        "id_tokens:",
        "agent any",
        "curl -H",
        "https://guide.example.org",
        "secrets.GUIDERAIL_TOKEN }}",
    ):
        assert words in shown, words
