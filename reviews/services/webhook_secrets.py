"""Where the secrets of webhooks lie: outside, in the environment or in files that a Vault agent writes, or here, encrypted.

An endpoint with the reference `LENDING` signs with `GUIDERAIL_WEBHOOK_LENDING_SECRET`, or with the content of the file that
`GUIDERAIL_WEBHOOK_LENDING_SECRET_FILE` names, read at every delivery. It may hold several secrets, each on a line: all of them
sign, so that a secret is rotated by writing the new one above the former and taking that away later. The name is the endpoint's
own, and only names of this form are ever read: a page must not reach the other secrets of the environment.
"""

from __future__ import annotations

import base64
import binascii
import re

from django.conf import settings
from django.utils import timezone

from governance.domain.secret_values import SecretUnreadable as FileUnreadable
from governance.domain.secret_values import secret_value
from reviews.models import WebhookEndpoint
from reviews.services.webhook_signing import PREFIX, SecretUnreadable, unseal

NAME = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
LEAST, MOST = 24, 64
"""Bytes of a secret, as the specification asks."""
MOST_AT_ONCE = 3


def variable_of(name: str) -> str:
    """The variable a reference stands for."""
    return f"GUIDERAIL_WEBHOOK_{name}_SECRET"


def kept_outside(name: str) -> list[bytes]:
    """The secrets a reference leads to now, the newest first. Raises `SecretUnreadable`, which never holds one."""
    if not NAME.fullmatch(name):
        raise SecretUnreadable("A reference is a name in capitals, such as LENDING.")
    variable = variable_of(name)
    try:
        lines = secret_value(variable).split()
    except FileUnreadable as exc:
        raise SecretUnreadable(str(exc)) from exc
    if not lines:
        raise SecretUnreadable(f"{variable} is not set, and {variable}_FILE names no file.")
    if len(lines) > MOST_AT_ONCE:
        raise SecretUnreadable(f"{variable} holds more than {MOST_AT_ONCE} secrets. Take the oldest away.")
    return [_read(line, variable) for line in lines]


def keys_of(endpoint: WebhookEndpoint) -> list[bytes]:
    """Every secret that signs a message of this endpoint now. Raises `SecretUnreadable`."""
    if endpoint.secret_ref:
        keys = kept_outside(endpoint.secret_ref)
    elif endpoint.secret is not None:
        keys = [unseal(endpoint.secret)]
    else:  # the database refuses such a row
        raise SecretUnreadable("This webhook has no secret.")
    if endpoint.previous is not None and endpoint.previous_until is not None and endpoint.previous_until > timezone.now():
        keys.append(unseal(endpoint.previous))
    return keys


def only_outside() -> bool:
    """Whether the operator allows no secret in the database."""
    return bool(settings.WEBHOOK_SECRETS_OUTSIDE)


def _read(line: str, variable: str) -> bytes:
    try:
        if not line.startswith(PREFIX):
            raise ValueError
        key = base64.b64decode(line.removeprefix(PREFIX), validate=True)
    except (ValueError, binascii.Error):
        raise SecretUnreadable(f"What {variable} holds is no secret: {PREFIX} and base64.") from None
    if not LEAST <= len(key) <= MOST:
        raise SecretUnreadable(f"What {variable} holds is {len(key)} bytes long; a secret has {LEAST} to {MOST}.")
    return key
