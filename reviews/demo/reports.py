"""The files CI and schedulers leave behind, as the demo hands them in: JUnit, SARIF, CycloneDX, pull request, OpenLineage, GX."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import quoteattr


def junit(name: str, tests: Sequence[str], *, failed: Sequence[str] = ()) -> bytes:
    """A JUnit report of these tests, of which `failed` failed."""
    failure = '<failure message="assertion"/>'
    cases = "".join(
        f'<testcase classname={quoteattr(name)} name={quoteattr(test)} time="0.04">{failure if test in failed else ""}</testcase>'
        for test in tests
    )
    head = f'<testsuite name={quoteattr(name)} tests="{len(tests)}" failures="{len(failed)}" errors="0" skipped="0">'
    return f'<?xml version="1.0" encoding="utf-8"?><testsuites>{head}{cases}</testsuite></testsuites>'.encode()


def sarif(commit: str, *findings: tuple[str, str, str]) -> bytes:
    """A scan of a commit. Each finding: rule, CVSS score ("" for one of quality), place as `file:line`."""
    rules = {
        rule: {"id": rule, "properties": {"security-severity": score, "tags": ["security"]} if score else {}}
        for rule, score, _ in findings
    }
    results = [
        {
            "ruleId": rule,
            "level": "warning",
            "message": {"text": rule},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": place.split(":")[0]},
                        "region": {"startLine": int(place.split(":")[1])},
                    }
                }
            ],
        }
        for rule, _, place in findings
    ]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "Semgrep", "rules": list(rules.values())}},
        "results": results,
        "versionControlProvenance": [{"repositoryUri": "https://git.demo.invalid/shop", "revisionId": commit}],
    }
    return _json({"version": "2.1.0", "runs": [run]})


def bom(name: str, version: str, digest: str, *vulnerabilities: tuple[str, str, str]) -> bytes:
    """A bill of materials of a build. Each vulnerability: id, severity, component."""
    components = ["fastapi", "pydantic", "openssl", *(component for _, _, component in vulnerabilities)]
    return _json(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "metadata": {
                "component": {
                    "type": "container",
                    "name": name,
                    "version": version,
                    "hashes": [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}],
                }
            },
            "components": [
                {"type": "library", "bom-ref": part, "name": part, "version": "2.4.1"} for part in dict.fromkeys(components)
            ],
            "vulnerabilities": [
                {"id": id_, "ratings": [{"severity": severity}], "affects": [{"ref": component}]}
                for id_, severity, component in vulnerabilities
            ],
        }
    )


def pull_request(commit: str, author: str, *approved_by: str) -> bytes:
    """A pull request as `gh pr view --json author,reviews,headRefOid,url` prints it."""
    return _json(
        {
            "author": {"login": author},
            "headRefOid": commit,
            "url": "https://git.demo.invalid/pull/412",
            "reviews": [{"author": {"login": name}, "state": "APPROVED", "commit": {"oid": commit}} for name in approved_by],
        }
    )


def openlineage(job: str, at: str, *, inputs: Sequence[str], outputs: Sequence[str], ended: str = "COMPLETE") -> bytes:
    """The events of one run. Data sets as `s3://bucket/path`; `at`: when it ended, ISO."""
    common = {"run": {"runId": f"run-of-{job}"}, "job": {"namespace": "airflow", "name": job}}
    return _json(
        [
            {"eventType": "START", "eventTime": f"{at[:10]}T00:00:00Z", **common},
            {
                "eventType": ended,
                "eventTime": at,
                **common,
                "inputs": [_data_set(name) for name in inputs],
                "outputs": [_data_set(name) for name in outputs],
            },
        ]
    )


def expectations(column: str, rows: int, *, broken: int = 0) -> bytes:
    """A Great Expectations result about one column of a table."""
    result = {"element_count": rows, "unexpected_count": broken, "unexpected_percent": 100 * broken / rows}
    kwargs = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": column}}
    row = {"success": not broken, "expectation_config": kwargs, "result": result}
    statistics = {"evaluated_expectations": 1, "successful_expectations": int(not broken)}
    return _json(
        {"success": not broken, "results": [row], "statistics": statistics, "suite_name": f"{column} is there", "meta": {}}
    )


def _data_set(name: str) -> dict[str, str]:
    """OpenLineage names a data set by the bucket it is in and the path there."""
    scheme, _, rest = name.partition("://")
    bucket, _, path = rest.partition("/")
    return {"namespace": f"{scheme}://{bucket}", "name": path}


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()
