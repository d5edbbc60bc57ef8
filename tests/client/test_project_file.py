"""`guiderail.yaml`: each mistake is named with its key, and nothing is sent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from governance.domain.vocabulary import KIND_NAME, EvidenceRole
from tests.client.running import Client
from tests.stack import ROOT

SCHEMA = json.loads((ROOT / "client/src/guiderail_client/guiderail.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def client(tmp_path: Path) -> Client:
    # an address nobody answers at: whatever gets that far ends with 5
    return Client(tmp_path, url="http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no settings"),
        ("- a\n- b\n", "holds no settings"),
        ("system: [", "cannot be read"),
        ("version: '1'\n", "system is missing"),
        ("system: a\nversion: 2.10\n", 'Put it in quotes: version: "2.1"'),
        ("system: a\nversion: '1'\ntrack: green\n", "decided by the policy"),
        ("system: a\nversion: '1'\nsorces: []\n", "sorces is not known"),
        ("system: a\nversion: '1'\nsources: MLmodel\n", "sources is a list"),
        ("system: a\nversion: '1'\nsources: [MLmodel]\n", "no such file"),
        ("system: a\nversion: '1'\nevidence: [{role: bom}]\n", "path is missing"),
        ("system: a\nversion: '1'\nanswers: [x]\n", "answers is a table"),
        ("system: a\nversion: ${NOT_SET_ANYWHERE}\n", "NOT_SET_ANYWHERE, which is not set"),
    ],
)
def test_each_mistake_is_named(client: Client, text: str, says: str) -> None:
    (client.folder / "guiderail.yaml").write_text(text, encoding="utf-8")
    ran = client("preview")
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err, ran.err
    assert "Traceback" not in ran.err


def test_no_file_leads_to_init(client: Client) -> None:
    ran = client("submit")
    assert ran.code == 2
    assert "guiderail init" in ran.err


def test_init_writes_what_it_finds_and_its_own_schema_accepts_it(client: Client) -> None:
    for name in ("MLmodel", "README.md", "predictions.parquet"):
        (client.folder / name).write_text("x", encoding="utf-8")
    assert client("init").code == 0
    text = (client.folder / "guiderail.yaml").read_text(encoding="utf-8")
    found = yaml.safe_load(text)
    assert found["sources"] == ["MLmodel", "README.md"]
    assert found["evidence"][0]["role"] == "candidate_predictions"
    Draft202012Validator(SCHEMA).validate(found)
    assert (client.folder / "guiderail.schema.json").exists()
    again = client("init")
    assert (again.code, (client.folder / "guiderail.yaml").read_text(encoding="utf-8")) == (2, text)


def test_the_schema_knows_what_the_server_knows() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    properties: Any = SCHEMA["properties"]
    assert set(properties["evidence"]["items"]["properties"]["role"]["enum"]) == {role.value for role in EvidenceRole}
    assert properties["kind"]["pattern"] == f"^{KIND_NAME.pattern}$"


@pytest.mark.parametrize(
    ("url", "token", "says", "code"),
    [
        ("", "t", "No server is named", 2),
        ("ftp://x", "t", "is no address", 2),
        ("http://guiderail.example.org", "t", "unencrypted", 2),
        ("https://guiderail.example.org", "", "There is no token", 4),
        ("https://guiderail.example.org", "a\nb", "characters that no token has", 4),
    ],
)
def test_address_and_token_are_checked_before_anything_is_sent(
    tmp_path: Path, url: str, token: str, says: str, code: int
) -> None:
    client = Client(tmp_path, url=url, token=token)
    client.project()
    ran = client("preview")
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err


def test_it_needs_neither_django_nor_anything_but_yaml() -> None:
    code = (
        "import sys, guiderail_client.cli as c;"
        "c._parser();"
        "print([m for m in ('django', 'yaml', 'numpy', 'requests', 'httpx', 'rest_framework') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "client/src")}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
