"""No secret reaches a log: not in a message, an argument, an address or a traceback."""

from __future__ import annotations

import io
import logging
import logging.config
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from governance.domain.scrubbing import HIDDEN, scrubbed
from governance.domain.secret_values import MOST_BYTES, SecretUnreadable, secret_value

TOKEN = "grl_Zm9vYmFyYmF6cXV4-quux1234"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJqdGkiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        (f"Bearer {TOKEN}", TOKEN),
        (f"token={TOKEN}&x=1", TOKEN),
        (f"identity {JWT} was refused", JWT),
        ("headers={'Authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ("could not connect to postgresql://guiderail:hunter22@db:5432/x", "hunter22"),
        ("redis://:hunter22@broker:6379/0", "hunter22"),
        ("the variable said swordfish-and-more", "swordfish-and-more"),
        ("it signs with whsec_bm5ubm5ubm5ubm5ubm5ubg==", "bm5ubm5ubm5ubm5ubm5ubg"),
        ("the file said from-the-vault-agent", "from-the-vault-agent"),
    ],
)
def test_it_is_hidden(text: str, gone: str, monkeypatch: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-the-vault-agent\n")
    monkeypatch.setenv("GUIDERAIL_MLFLOW_MAIN_WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("EMAIL_HOST_PASSWORD", "swordfish-and-more")
    out = scrubbed(text)
    assert gone not in out and HIDDEN in out


def test_what_is_no_secret_stays() -> None:
    text = "S-1042 of credit-default 2.3.0: GET https://example.org:8443/api/v1/permits?system=x 200; sha256:9f86d081884c7d65"
    assert scrubbed(text) == text


def test_what_cannot_be_read_or_is_too_short_hides_nothing(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_TOKEN_FILE", str(tmp_path / "gone"))
    monkeypatch.setenv("SOME_SECRET", "short")
    monkeypatch.setenv("OTHER_SECRET", "/run/secrets/a-path-is-no-secret")
    text = "short stays, and /run/secrets/a-path-is-no-secret too"
    assert scrubbed(text) == text


def test_a_secret_too_large_or_no_text_is_an_error_never_empty(monkeypatch: Any, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    monkeypatch.setenv("SOME_SECRET_FILE", str(file))
    for content in (b"x" * (MOST_BYTES + 1), b"\xff\xfe"):
        file.write_bytes(content)
        with pytest.raises(SecretUnreadable, match="SOME_SECRET_FILE"):
            secret_value("SOME_SECRET")


def test_the_installations_own_logging_hides_arguments_and_tracebacks() -> None:
    stream = io.StringIO()
    plain = settings.LOGGING["formatters"]["plain"]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.config.DictConfigurator({"version": 1}).configure_formatter(dict(plain)))
    log = logging.Logger("test")
    log.addHandler(handler)
    try:
        raise ValueError(f"the server refused {TOKEN}")
    except ValueError:
        log.exception("asking %s", "https://user:hunter22@mlflow.example.org/")
    said = stream.getvalue()
    assert "ValueError" in said and TOKEN not in said and "hunter22" not in said
