"""The files people start Guiderail with: compose, image, CI and make say what they should, and hold no secret."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.stack import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)


def test_the_services_of_the_contract_are_there() -> None:
    assert {"migrate", "web", "worker", "gates", "beat"} == set(OURS)
    assert SERVICES["postgres"]["image"] == "postgres:17"
    assert SERVICES["valkey"]["image"] == "valkey/valkey:8"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_a_lasting_service_says_whether_it_is_well(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(set(OURS) - {"migrate"}))
def test_nothing_starts_before_the_migrations(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert "no-new-privileges:true" in SERVICES[name]["security_opt"]


def test_every_queue_has_a_worker() -> None:
    served = {queue for name in OURS for word in SERVICES[name].get("command", []) for queue in str(word).split(",")}
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()} | {settings.CELERY_TASK_DEFAULT_QUEUE}
    assert routed <= served


def test_secrets_are_asked_for_and_have_no_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for secret in ("POSTGRES_PASSWORD", "GUIDERAIL_SECRET_KEY"):
        uses = re.findall(rf"\$\{{{secret}([^}}]*)\}}", text)
        assert uses
        assert all(rest.startswith(":?") for rest in uses)
    image = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"(?i)(password|secret|token)", image)


def test_every_variable_given_to_the_services_is_one_the_settings_read() -> None:
    read = (ROOT / "governance/config/settings.py").read_text()
    assert [name for name in SERVICES["web"]["environment"] if f'"{name}"' not in read] == []


def test_the_image_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    last_stage = lines[max(index for index, line in enumerate(lines) if line.startswith("FROM")) :]
    assert [line for line in last_stage if line.startswith("USER")] == ["USER guiderail"]
    for line in last_stage:
        source = re.match(r"COPY (\w[\w.]*) ", line)
        assert source is None or (ROOT / source[1]).exists(), line


def test_ci_fails_when_a_check_fails_although_the_tests_pass(tmp_path: Path) -> None:
    """`.ci/run` with a make that fails one part and not the other; its last line stays that of the tests."""
    project = tmp_path / "a project"
    (project / ".ci").mkdir(parents=True)
    (project / ".ci" / "run").write_bytes((ROOT / ".ci" / "run").read_bytes())
    programs = tmp_path / "programs"
    programs.mkdir()
    make = programs / "make"
    make.write_text(
        '#!/bin/sh\ncase "$*" in\n*check*) echo checking; exit ${CHECK:-0};;\n'
        '*test*) echo "1 passed in 0.1s"; [ -z "$TEST" ] || echo "make: *** [x: test] Error 1" >&2; exit ${TEST:-0};;\nesac\n'
    )
    apt = programs / "apt-get"
    apt.write_text("#!/bin/sh\nexit 0\n")
    for program in (make, apt):
        program.chmod(0o755)

    def ci(**more: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", **more}
        return subprocess.run(
            ["bash", str(project / ".ci" / "run")],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    assert [ci().returncode, ci(CHECK="2").returncode, ci(TEST="1").returncode] == [0, 2, 1]
    assert ci(TEST="1").stdout.splitlines()[-1] == "1 passed in 0.1s"
    assert ci(CHECK="2").stdout.splitlines()[-1] == "1 passed in 0.1s"
