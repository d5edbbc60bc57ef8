"""Reports of other tools as evidence: what they say is read, and what is hostile is a sentence and no accident."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers import cyclonedx, dvc_lock, junit, openlineage, sarif
from gates.readers.secrets import secrets_in

JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" tests="4" errors="1" failures="1" skipped="1" time="0.5" timestamp="2026-11-20T10:00:00">
<testcase classname="tests.test_cart" name="test_total" time="0.1"/>
<testcase classname="tests.test_cart" name="test_tax" time="0.2"><failure message="password=hunter2">text</failure></testcase>
<testcase classname="tests.test_pay" name="test_refund"><error/></testcase>
<testcase classname="tests.test_pay" name="test_later"><skipped/></testcase>
</testsuite></testsuites>"""
BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;">]>
<testsuites><testsuite name="&lol2;"/></testsuites>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<testsuites><testsuite><testcase name="&x;"/></testsuite></testsuites>"""


def evidence(folder: Path, content: str | bytes | dict[str, Any] | list[Any], name: str = "report") -> EvidenceInput:
    path = folder / name
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return EvidenceInput("test_report", str(path), name, "")


def test_junit_is_counted_and_nothing_it_printed_is_kept(tmp_path: Path) -> None:
    report = junit.read(evidence(tmp_path, JUNIT))
    assert (report.passed, report.failed, report.errors, report.skipped, report.stated) == (1, 1, 1, 1, 4)
    assert report.names == ["tests.test_cart::test_tax", "tests.test_pay::test_refund"]
    assert report.newest == "2026-11-20T10:00:00"
    assert "hunter2" not in repr(report)


SCAN = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {
                "driver": {
                    "name": "CodeQL",
                    "rules": [
                        {"id": "py/sql-injection", "properties": {"security-severity": "8.8", "tags": ["security"]}},
                        {"id": "py/unused-import", "defaultConfiguration": {"level": "error"}},
                    ],
                }
            },
            "results": [
                {
                    "ruleId": "py/sql-injection",
                    "locations": [{"physicalLocation": {"artifactLocation": {"uri": "app/db.py"}, "region": {"startLine": 7}}}],
                },
                {"ruleIndex": 1, "message": {"text": "unused"}},
                {"ruleId": "py/sql-injection", "suppressions": [{"kind": "inSource"}]},
            ],
        }
    ],
}


def test_sarif_tells_security_from_quality_and_open_from_suppressed(tmp_path: Path) -> None:
    scan = sarif.read(evidence(tmp_path, SCAN))
    told = [(row.about, row.severity, row.level, row.open) for row in scan.findings]
    assert told == [
        ("security", "high", "warning", True),
        ("quality", "high", "error", True),
        ("security", "high", "warning", False),
    ]
    assert scan.findings[0].where == "app/db.py:7"
    assert sarif.read(evidence(tmp_path, {"version": "2.1.0", "runs": [{"results": None}]})).broken == ("a tool without a name",)


@pytest.mark.parametrize(
    ("score", "word"), [("9.0", "critical"), (8.9, "high"), (7, "high"), (4, "medium"), (0.1, "low"), (0, "")]
)
def test_cvss_bands(score: object, word: str) -> None:
    assert sarif.severity_of_score(score) == word


BOM = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {"component": {"name": "checkout", "version": "4.2.0", "hashes": [{"alg": "SHA-256", "content": "AB" * 32}]}},
    "components": [
        {"bom-ref": "a", "name": "openssl", "version": "3.0.1", "licenses": [{"license": {"id": "Apache-2.0"}}]},
        {"bom-ref": "b", "name": "left-pad", "components": [{"name": "inner", "version": "1"}]},
    ],
    "vulnerabilities": [
        {"id": "CVE-2026-1", "ratings": [{"severity": "medium"}, {"score": 9.8}], "affects": [{"ref": "a"}]},
        {"id": "CVE-2026-2", "ratings": [{"severity": "high"}], "analysis": {"state": "not_affected"}, "affects": [{"ref": "b"}]},
    ],
}


def test_a_bill_of_materials(tmp_path: Path) -> None:
    bom = cyclonedx.read(evidence(tmp_path, BOM))
    assert [part.name for part in bom.components] == ["openssl", "left-pad", "inner"]
    assert [(row.id, row.severity, row.open, row.affects) for row in bom.vulnerabilities] == [
        ("CVE-2026-1", "critical", True, ("openssl 3.0.1",)),
        ("CVE-2026-2", "high", False, ("left-pad",)),
    ]
    assert bom.looked_for and bom.digest == "sha256:" + "ab" * 32 and bom.subject == "checkout 4.2.0"
    without = {key: value for key, value in BOM.items() if key != "vulnerabilities"}
    assert not cyclonedx.read(evidence(tmp_path, without)).looked_for


def event(kind: str, run: str = "r1", at: str = "2026-11-20T05:00:00Z", **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "eventType": kind,
        "eventTime": at,
        "run": {"runId": run},
        "job": {"namespace": "airflow", "name": "orders"},
    }
    return {**row, **more}


def test_openlineage_events_and_how_the_last_run_ended(tmp_path: Path) -> None:
    source, target = {"namespace": "s3://lake", "name": "raw/orders"}, {"namespace": "s3://lake", "name": "clean/orders"}
    lines = [
        event("COMPLETE", "r1", "2026-11-19T05:00:00Z", inputs=[source]),
        event("START", "r2", "2026-11-20T05:00:00Z"),
        event("FAIL", "r2", "2026-11-20T06:00:00Z", outputs=[target]),
    ]
    told = openlineage.read(evidence(tmp_path, "\n".join(map(json.dumps, lines))))
    assert (told.inputs, told.outputs, told.jobs) == (["s3://lake/raw/orders"], ["s3://lake/clean/orders"], ["airflow/orders"])
    assert (told.ended, told.ended_at) == ("FAIL", "2026-11-20T06:00:00Z")
    running = openlineage.read(evidence(tmp_path, [*lines, event("START", "r3", "2026-11-21T05:00:00Z")]))
    assert running.ended == ""


def test_a_lock_file_of_dvc(tmp_path: Path) -> None:
    lock = """schema: '2.0'
stages:
  clean:
    cmd: python clean.py
    deps: [{path: raw/orders.csv, hash: md5, md5: 0cc175b9c0f1b6a831c399e269772661}, {path: clean.py, md5: aa}]
    outs: [{path: clean/orders.parquet, hash: md5, md5: 92eb5ffee6ae2fec3ad71c777531578f}]
  report:
    deps: [{path: clean/orders.parquet}]
    outs: [{path: report.html}]
"""
    told = dvc_lock.read(evidence(tmp_path, lock, "dvc.lock"))
    assert dvc_lock.looks_like(lock)
    assert (told.inputs, told.outputs) == (["raw/orders.csv"], ["clean/orders.parquet", "report.html"])
    assert told.digests["clean/orders.parquet"] == "md5:92eb5ffee6ae2fec3ad71c777531578f"


DEEP = "[" * 100_000
HOSTILE = [
    pytest.param(junit.read, BOMB, "document type", id="billion laughs"),
    pytest.param(junit.read, OUTSIDE, "document type", id="a file from outside"),
    pytest.param(junit.read, "<testsuites><testsuite>", "something else", id="junit breaks off"),
    pytest.param(junit.read, "<testsuites>" + "<a>" * 200, "nested deeper", id="junit without end"),
    pytest.param(junit.read, "<html></html>", "<html>", id="a page"),
    pytest.param(junit.read, b"\x00\x01\x02", "something else", id="no xml"),
    pytest.param(junit.read, "", "0 bytes", id="nothing"),
    pytest.param(sarif.read, DEEP, "nests without end", id="deep sarif"),
    pytest.param(sarif.read, '{"version": "2.1.0", "runs": [NaN]}', "no JSON", id="NaN"),
    pytest.param(sarif.read, {"version": "2.1.0", "runs": {}}, "another document", id="sarif of other shape"),
    pytest.param(sarif.read, b"\xff\xfe{}", "none", id="utf-16"),
    pytest.param(cyclonedx.read, {"bomFormat": "SPDX"}, "another document", id="spdx"),
    pytest.param(cyclonedx.read, [1], "another document", id="a list"),
    pytest.param(openlineage.read, DEEP, "another document", id="deep events"),
    pytest.param(openlineage.read, '{"eventTime": "x"}', "another document", id="no job"),
    pytest.param(dvc_lock.read, "stages: &a [*a]", "", id="yaml that contains itself"),
]


@pytest.mark.parametrize(("read", "content", "says"), HOSTILE)
def test_hostile_files_are_refused_in_words(
    tmp_path: Path, read: Callable[[EvidenceInput], object], content: Any, says: str
) -> None:
    with pytest.raises(EvidenceProblem) as refused:
        read(evidence(tmp_path, content))
    assert says in str(refused.value)
    assert "root:" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("aws_key = AKIAIOSFODNN7EXAMPLE", ["an AWS access key"]),
        ("-----BEGIN RSA PRIVATE KEY-----", ["a private key"]),
        ("postgresql://app:s3cr3t-9x@db/app", ["a password in an address"]),
        ("postgresql://app:${PASSWORD}@db/app", []),
        ('api_key: "zT9f3Qw81LmXo02bRt"', ["a value of “api_key” that looks random"]),
        ("password = your-password-here", []),
        ("password: vault:kv/app#db", []),
        ("client_secret: aaaaaaaaaaaa1111", []),
        ("commit 3f0c1b9e7a5d3f0c1b9e7a5d3f0c1b9e7a5d3f0c", []),
    ],
)
def test_what_counts_as_a_secret(line: str, kinds: list[str]) -> None:
    assert [hit.kind for hit in secrets_in(line)] == kinds


@pytest.mark.parametrize("before", [0, 3_590, 3_600, 3_990, 4_000, 100_000])
def test_a_secret_deep_in_minified_json_is_found_once(before: int) -> None:
    line = '{"a":"' + " " * before + '","key":"AKIAIOSFODNN7EXAMPLE"}'
    assert [(hit.kind, hit.line) for hit in secrets_in("{}\n" + line + " " * 5_000)] == [("an AWS access key", 2)]
