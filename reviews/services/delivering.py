"""Sending messages by e-mail. The row is the truth: a task that runs twice, or two at once, send each message once.

A row is locked while its mail goes out and marked in the same transaction; a second task skips it. Where a process dies between
the two, the mail goes out again under the same Message-ID, by which mail programs recognise it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from governance.models import Person
from reviews.models import Notification
from reviews.services.telling import may_see

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 6
MOST_IN_A_DIGEST = 200


def deliver_due(*, limit: int = 200) -> int:
    """Send what is to be sent at once, one mail a message. Returns how many went out."""
    due = Notification.objects.filter(mail=Notification.DUE, mail_not_before__lte=Now())
    return sum(_deliver([pk]) for pk in list(due.order_by("id").values_list("pk", flat=True)[:limit]))


def deliver_digests(*, limit: int = 500) -> int:
    """Send what waits for the daily mail, one mail a person. Returns how many people got one."""
    people = Notification.objects.filter(mail=Notification.DAILY).order_by("person_id").values_list("person_id", flat=True)
    sent = 0
    for person_id in list(people.distinct()[:limit]):
        rows = Notification.objects.filter(mail=Notification.DAILY, person_id=person_id, mail_not_before__lte=Now())
        sent += _deliver(list(rows.order_by("id").values_list("pk", flat=True)[:MOST_IN_A_DIGEST]), digest=True)
    return sent


def _deliver(ids: Sequence[int], *, digest: bool = False) -> int:
    """Send one mail about these rows of one person; 1 when it went out."""
    state = Notification.DAILY if digest else Notification.DUE
    with transaction.atomic(durable=True):
        rows = list(
            Notification.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("person")
            .filter(pk__in=ids, mail=state)
            .order_by("id")
        )
        if not rows:
            return 0
        person = rows[0].person
        # whoever lost their access since, or left, is not written to
        units = {unit for unit in {row.unit_id for row in rows} if Person.objects.filter(may_see(unit), pk=person.pk).exists()}
        shown = [row for row in rows if row.unit_id in units] if person.is_active and person.email else []
        dropped = [row.pk for row in rows if row not in shown]
        Notification.objects.filter(pk__in=dropped).update(mail=Notification.NO_MAIL)
        if not shown:
            return 0
        mine = [row.pk for row in shown]
        try:
            _mail(person, shown, digest=digest).send()
        except Exception as exc:  # any fault of the mail server is a delay, and is shown
            log.warning("mail to person:%s did not go out: %s", person.pk, exc)
            attempts = max(row.mail_attempts for row in shown) + 1
            Notification.objects.filter(pk__in=mine).update(
                mail=Notification.FAILED if attempts >= MOST_ATTEMPTS else state,
                mail_attempts=F("mail_attempts") + 1,
                mail_not_before=Now() + timedelta(minutes=2**attempts),
                mail_error=f"{type(exc).__name__}: {exc}"[:300],
            )
            return 0
        Notification.objects.filter(pk__in=mine).update(
            mail=Notification.SENT, mailed_at=Now(), mail_attempts=F("mail_attempts") + 1, mail_error=""
        )
    return 1


def _mail(person: Person, rows: Sequence[Notification], *, digest: bool) -> EmailMessage:
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    subject = f"{len(rows)} message{'' if len(rows) == 1 else 's'} from Guiderail" if digest else rows[0].title
    parts = [f"{row.title}\n\n{row.says}\n\n{settings.PUBLIC_URL}{row.path}\n\nWhy you: {row.why}" for row in rows]
    choices = f"{settings.PUBLIC_URL}/inbox/choices"
    text = "\n\n----\n\n".join(parts) + f"\n\n----\nWhich messages you get, and how: {choices}\n"
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=text,
        to=[person.email],
        headers={
            "Message-ID": f"<notification-{'-'.join(map(str, (rows[0].pk, rows[-1].pk)))}@{host}>",
            "List-Unsubscribe": f"<{choices}>",
            "Auto-Submitted": "auto-generated",
        },
    )
