"""Webhooks: signed by the specification, written by the audit trail, tried again, guarded; against real local servers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from governance.domain.errors import DomainError, InvalidInput
from governance.domain.vocabulary import Role, Track
from governance.models import AuditEvent, Person, Submission
from reviews.models import Notification, WebhookDelivery, WebhookEndpoint
from reviews.selectors.webhooks import EVENTS, FROM_AUDIT, body_of
from reviews.services import webhook_sending
from reviews.services.deciding import decide
from reviews.services.webhook_endpoints import add_endpoint, move_secret, rotate_secret, set_enabled
from reviews.services.webhook_sending import WAITS, deliver_due, send_again, spread
from reviews.services.webhook_signing import seal, shown, signature, unseal
from reviews.tasks import webhooks
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)


class Receiver(http.server.ThreadingHTTPServer):
    """A real receiver. `answers`: what it says, one after the other; the last one stays."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = [204]
        self.pause = 0.0
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
        time.sleep(self.server.pause)
        status = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.url + "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.OUTGOING_HOSTS = frozenset({"127.0.0.1"})
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def people() -> dict[str, Person]:
    return making.everybody() | {"adm": making.person("adm", Role.ADMIN, everywhere=True)}


def made(people: dict[str, Person], url: str, *events: str, **more: Any) -> tuple[WebhookEndpoint, bytes]:
    given = {"unit": None, "name": "t", "url": url, "events": events or tuple(EVENTS), "proved_at": timezone.now(), **more}
    row, secret = add_endpoint(caller=making.call(people["adm"]), **given)
    return row, base64.b64decode(secret.removeprefix("whsec_"))


def approved(people: dict[str, Person]) -> Submission:
    row = making.in_review(Track.YELLOW)
    decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    return row


def verified(headers: dict[str, str], body: bytes, key: bytes) -> Any:
    """As a receiver checks, written down from the specification, independent of the code that signs."""
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
    signed = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert any(part == f"v1,{expected}" for part in headers["webhook-signature"].split(" "))
    return json.loads(body)


def overdue() -> None:
    WebhookDelivery.objects.filter(state="due").update(not_before=timezone.now() - timedelta(seconds=1))


def test_the_signature_of_the_published_example() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = signature([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_kept_sealed_and_shown_in_the_form_of_the_libraries() -> None:
    box = seal(b"k" * 32)
    assert b"k" * 8 not in box and unseal(box) == b"k" * 32 and seal(b"k" * 32) != box
    assert shown(b"k" * 32) == "whsec_" + base64.b64encode(b"k" * 32).decode()


def test_an_approval_arrives_signed_in_order_and_once(people: dict[str, Person], receiver: Receiver) -> None:
    _, key = made(people, receiver.url, "submission.approved", "permit.issued", "review.requested")
    row = approved(people)
    assert spread() == 3 and spread() == 0
    assert deliver_due() == 3 and deliver_due() == 0
    got = [verified(headers, body, key) for headers, body in receiver.got]
    assert {message["type"] for message in got} == {"review.requested", "submission.approved", "permit.issued"}
    data = next(message["data"] for message in got if message["type"] == "submission.approved")
    assert (data["submission"], data["system"], data["track"]) == (row.number, "credit-default", "yellow")
    assert data["url"].endswith(f"/submissions/{row.number}")
    assert "Dana" not in receiver.got[0][1].decode() and "dana" not in receiver.got[0][1].decode(), "no personal data"
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert len(set(ids)) == 3 and AuditEvent.objects.filter(id__in=ids).count() == 3


def test_events_of_a_change_that_did_not_happen_are_not_told(people: dict[str, Person], receiver: Receiver) -> None:
    made(people, receiver.url)
    row = making.in_review(Track.YELLOW)
    spread()
    before = WebhookDelivery.objects.count()
    with pytest.raises(Exception, match="changed since"):
        decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest="sha256:x", decision=making.approve())
    assert spread() == 0 and WebhookDelivery.objects.count() == before


def test_only_what_was_asked_for_of_the_own_unit_from_now_on(people: dict[str, Person], receiver: Receiver) -> None:
    approved(people)
    made(people, receiver.url, "permit.issued", unit=making.unit())
    made(people, receiver.url, "permit.issued", unit=making.unit("shop"))
    assert spread() == 0, "what was before is not told"
    approved(people)
    assert spread() == 1
    assert WebhookDelivery.objects.get().endpoint.unit == making.unit()


def test_a_failing_receiver_is_tried_again_later_and_given_up_at_last(people: dict[str, Person], receiver: Receiver) -> None:
    endpoint, _ = made(people, receiver.url, "permit.issued")
    approved(people)
    spread()
    receiver.answers = [500]
    for attempt in range(len(WAITS) + 1):
        overdue()
        assert deliver_due() == 0
        row = WebhookDelivery.objects.get()
        if attempt < len(WAITS):
            wait = row.not_before - timezone.now()
            assert WAITS[attempt] * 0.75 < wait < WAITS[attempt] * 1.25
    assert (row.state, row.attempts) == ("failed", len(WAITS) + 1)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1, "the same message keeps its name"
    assert row.log.count() == len(WAITS) + 1 and row.log.all()[0].status == 500
    receiver.answers = [200]
    send_again(caller=making.call(people["adm"]), delivery_id=row.pk, proved_at=timezone.now())
    assert deliver_due() == 1
    endpoint.refresh_from_db()
    assert WebhookDelivery.objects.get().state == "delivered" and endpoint.failing_since is None


def test_long_failure_and_410_switch_it_off_and_its_administrator_is_told(people: dict[str, Person], receiver: Receiver) -> None:
    first, _ = made(people, receiver.url, "permit.issued")
    approved(people)
    spread()
    receiver.answers = [503]
    deliver_due()
    WebhookEndpoint.objects.filter(pk=first.pk).update(failing_since=timezone.now() - timedelta(days=6))
    overdue()
    deliver_due()
    first.refresh_from_db()
    assert first.disabled_at is not None and first.disabled_why.startswith("Nothing arrived for 5 days")
    assert Notification.objects.filter(kind="webhook_dead", person=people["adm"]).count() == 1
    overdue()
    assert deliver_due() == 0 and len(receiver.got) == 2, "nothing is sent while it is off"
    set_enabled(caller=making.call(people["adm"]), endpoint_id=first.pk, enabled=True, proved_at=timezone.now())
    receiver.answers = [410]
    deliver_due()
    first.refresh_from_db()
    assert first.disabled_why == "The receiver said that it is gone."


@pytest.mark.parametrize(("arrange", "says"), [("redirect", "redirect"), ("slow", "did not answer"), ("gone", "did not answer")])
def test_redirects_and_slow_or_dead_receivers_fail(
    people: dict[str, Person], receiver: Receiver, monkeypatch: pytest.MonkeyPatch, arrange: str, says: str
) -> None:
    url = receiver.url
    if arrange == "redirect":
        receiver.answers = [302]
    elif arrange == "slow":
        receiver.pause = 0.5
        monkeypatch.setattr(webhook_sending, "SECONDS", 0.1)
    else:
        url = "http://127.0.0.1:1/hook"
    made(people, url, "permit.issued")
    approved(people)
    spread()
    assert deliver_due() == 0
    attempt = WebhookDelivery.objects.get().log.get()
    assert says in attempt.error and len(receiver.got) == (0 if arrange == "gone" else 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/x", "ftp://x.org", "https://me:pw@x.org", "https://127.0.0.1/x", "https://[::1]/x",
        "https://169.254.169.254/latest/meta-data", "https://10.0.0.7/x", "https://[::ffff:192.168.1.1]/x", "https://", "x",
    ],
)  # fmt: skip
def test_an_address_inside_or_without_https_is_refused_at_once(people: dict[str, Person], url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        made(people, url)
    assert refused.value.errors[0].pointer == "/url"


def test_a_name_that_leads_inside_is_refused_when_it_is_looked_up(people: dict[str, Person], receiver: Receiver) -> None:
    made(people, f"https://localhost:{receiver.server_port}/hook", "permit.issued")
    approved(people)
    spread()
    assert deliver_due() == 0 and receiver.got == []
    assert "leads to an address inside" in WebhookDelivery.objects.get().log.get().error


def test_after_a_rotation_both_secrets_sign_for_a_day(people: dict[str, Person], receiver: Receiver) -> None:
    endpoint, old = made(people, receiver.url, "permit.issued")
    _, shown_new = rotate_secret(caller=making.call(people["adm"]), endpoint_id=endpoint.pk, proved_at=timezone.now())
    new = base64.b64decode(shown_new.removeprefix("whsec_"))
    approved(people)
    webhooks()  # the task, as the worker runs it every few seconds
    verified(*receiver.got[0], old)
    verified(*receiver.got[0], new)
    WebhookEndpoint.objects.update(previous_until=timezone.now())
    send_again(caller=making.call(people["adm"]), delivery_id=WebhookDelivery.objects.get().pk, proved_at=timezone.now())
    deliver_due()
    verified(*receiver.got[1], new)
    with pytest.raises(AssertionError):
        verified(*receiver.got[1], old)


def test_every_event_of_the_contract_has_its_audit_action_and_words() -> None:
    assert set(FROM_AUDIT.values()) == set(EVENTS) and len(EVENTS) == 14
    for form in ("slack", "teams"):
        assert "open" in body_of(form, "incident.opened", "now", None, {}).lower()
    text = json.loads(body_of("slack", "submission.approved", "now", None, {}))["text"]
    assert "approved" in text
    card = json.loads(body_of("teams", "submission.approved", "now", None, {}))["attachments"][0]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive" and card["content"]["version"] == "1.4"


def test_by_the_pages_an_administrator_makes_tests_and_removes_one(
    people: dict[str, Person], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    adm = Client()
    adm.force_login(people["adm"], backend="django.contrib.auth.backends.ModelBackend")
    session = adm.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = str(people["adm"].pk)
    session.save()
    form = {"name": "lending channel", "url": receiver.url, "format": "standard", "events": ["permit.issued"]}
    assert "https://" in adm.post("/administration/webhooks", {**form, "url": "http://x.org"}).content.decode()
    text = adm.post("/administration/webhooks", form).content.decode()
    assert "whsec_" in text
    row = WebhookEndpoint.objects.get()
    page = f"/administration/webhooks/{row.pk}"
    assert "whsec_" not in adm.get(page).content.decode() + adm.get("/administration/webhooks").content.decode()
    assert adm.post(f"{page}/change", {"what": "test"})["Location"] == page
    assert deliver_due() == 1 and json.loads(receiver.got[0][1])["type"] == "webhook.test"
    assert "arrived" in adm.get(page).content.decode()
    assert "whsec_" in adm.post(f"{page}/change", {"what": "rotate"}).content.decode()
    monkeypatch.setenv("GUIDERAIL_WEBHOOK_LENDING_SECRET", shown(b"n" * 32))
    assert adm.post(f"{page}/change", {"what": "move", "secret_ref": "nothing"}).status_code == 422
    assert adm.post(f"{page}/change", {"what": "move", "secret_ref": "LENDING"}).status_code == 302
    assert "GUIDERAIL_WEBHOOK_LENDING_SECRET" in adm.get(page).content.decode()
    delivery = WebhookDelivery.objects.get().pk
    for change in ({"what": "off"}, {"what": "on"}, {"what": "again", "delivery": delivery}, {"what": "remove"}):
        assert adm.post(f"{page}/change", change).status_code == 302
    assert adm.get(page).status_code == 404 and AuditEvent.objects.filter(action__startswith="webhook.").count() == 8
    dana = Client()
    dana.force_login(people["dana"], backend="django.contrib.auth.backends.ModelBackend")
    assert dana.get("/administration/webhooks").status_code == 403 == dana.post("/administration/webhooks", form).status_code


def test_a_secret_outside_signs_rotates_where_it_lies_and_never_enters_the_database(
    people: dict[str, Person], receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, file = b"o" * 32, b"n" * 32, tmp_path / "secret"
    monkeypatch.setenv("GUIDERAIL_WEBHOOK_LENDING_SECRET_FILE", str(file))
    file.write_text(shown(old) + "\n")
    given = {"caller": making.call(people["adm"]), "proved_at": timezone.now()}
    make = {"unit": making.unit(), "name": "n", "url": receiver.url, "events": ["permit.issued"], "secret_ref": "LENDING"}
    endpoint, told = add_endpoint(**given, **make)
    assert told == "" and bytes(WebhookEndpoint.objects.values_list("secret", flat=True).get() or b"") == b""
    approved(people)
    webhooks()
    verified(*receiver.got[0], old)
    file.write_text(f"{shown(new)}\n{shown(old)}\n")
    delivery = WebhookDelivery.objects.get().pk
    send_again(delivery_id=delivery, **given)
    deliver_due()
    verified(*receiver.got[1], old)
    verified(*receiver.got[1], new)
    with pytest.raises(DomainError, match="above the former in GUIDERAIL_WEBHOOK_LENDING_SECRET"):
        rotate_secret(endpoint_id=endpoint.pk, **given)
    file.unlink()
    send_again(delivery_id=delivery, **given)
    assert deliver_due() == 0 and len(receiver.got) == 2, "nothing goes out unsigned"
    log = WebhookDelivery.objects.get().log.order_by("-id")[0].error
    assert "GUIDERAIL_WEBHOOK_LENDING_SECRET_FILE" in log and str(tmp_path) not in log


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE-URL", "x", "in capitals"),
        ("LENDING", "", "is not set"),
        ("LENDING", "hunter2", "is no secret"),
        ("LENDING", "whsec_c2hvcnQ=", "5 bytes long"),
        ("USED", shown(b"u" * 32), "Another webhook"),
    ],
)
def test_a_reference_that_leads_to_no_secret_is_refused(
    people: dict[str, Person], receiver: Receiver, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv("GUIDERAIL_WEBHOOK_USED_SECRET", shown(b"u" * 32))
    monkeypatch.setenv(f"GUIDERAIL_WEBHOOK_{name}_SECRET", value)
    given = {"caller": making.call(people["adm"]), "proved_at": timezone.now(), "unit": making.unit(), "name": "n"}
    given |= {"url": receiver.url, "events": ["permit.issued"]}
    add_endpoint(**given, secret_ref="USED")
    with pytest.raises(InvalidInput, match=says):
        add_endpoint(**given, secret_ref=name)


def test_a_secret_kept_here_moves_out_and_is_forgotten_after_a_day(
    people: dict[str, Person], receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, old = made(people, receiver.url, "permit.issued")
    new = b"n" * 32
    monkeypatch.setenv("GUIDERAIL_WEBHOOK_LENDING_SECRET", shown(new))
    settings.WEBHOOK_SECRETS_OUTSIDE = True
    given = {"caller": making.call(people["adm"]), "proved_at": timezone.now()}
    with pytest.raises(DomainError, match="No secret is kept in the database"):
        rotate_secret(endpoint_id=endpoint.pk, **given)
    with pytest.raises(InvalidInput, match="No secret is kept in the database"):
        add_endpoint(**given, unit=making.unit(), name="n", url=receiver.url, events=["permit.issued"])
    move_secret(endpoint_id=endpoint.pk, secret_ref="LENDING", **given)
    approved(people)
    webhooks()
    verified(*receiver.got[0], old)
    verified(*receiver.got[0], new)
    WebhookEndpoint.objects.update(previous_until=timezone.now())
    webhooks()
    row = WebhookEndpoint.objects.get()
    assert (row.secret, row.previous, row.secret_ref) == (None, None, "LENDING")
    assert AuditEvent.objects.filter(action="webhook.secret_moved").count() == 1
