"""What lies in `deploy/`, as far as it can be told without a container engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import ROOT, Settings

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
SETTINGS = {name.upper() for name in Settings.model_fields}
# What the files' other software reads.
OTHERS = {
    "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "PUBLIC_DOMAIN", "HERALD_VERSION",
    "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PATH",
}  # fmt: skip


@pytest.fixture
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return found


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, lines that go on joined."""
    lines = re.sub(r"\\\n\s*", "", DOCKERFILE).splitlines()
    said = [line for line in lines if line.strip() and not line.startswith("#")]
    return [
        (word, rest.strip()) for word, _, rest in (line.strip().partition(" ") for line in said)
    ]


def test_every_file_that_is_copied_into_the_image_is_there_and_not_ignored() -> None:
    ignore = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    kept = {line[1:] for line in ignore if line.startswith("!")}
    copied = {
        source
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert "bot" in copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert source in kept, f"{source} would not reach the builder"
    assert copied == kept


def test_every_package_that_is_imported_at_run_time_is_in_the_image() -> None:
    folders = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and (path / "__init__.py").exists() and path.name in {"bot", "cards"}
    }
    copied = {rest.split()[0] for word, rest in instructions() if word == "COPY"}
    assert folders <= copied


def test_the_image_runs_as_nobody_in_particular() -> None:
    words = instructions()
    user = next(rest for word, rest in reversed(words) if word == "USER")
    assert user.isdigit()
    assert int(user) > 0
    last = [rest for word, rest in words if word == "CMD"][-1]
    assert last == '["python", "app.py"]'


def test_the_image_asks_after_its_health_where_herald_answers() -> None:
    health = next(rest for word, rest in instructions() if word == "HEALTHCHECK")
    port = Settings.model_fields["metrics_port"].default
    asked = f"u.urlopen('http://127.0.0.1:' + os.environ.get('METRICS_PORT', '{port}') + '/healthz'"
    assert asked in health
    assert Settings.model_fields["metrics_host"].default == "127.0.0.1"
    source = (ROOT / "bot" / "health.py").read_text("utf-8")
    assert 'web.get("/healthz"' in source


def test_every_setting_that_is_used_exists(compose: dict[str, Any]) -> None:
    used = set(
        re.findall(r"\b([A-Z][A-Z_]{3,})=", "\n".join(r for w, r in instructions() if w == "ENV"))
    )
    for service in compose["services"].values():
        used |= set(service.get("environment", {}))
    for file in ("compose.yaml", "Caddyfile"):
        text = (DEPLOY / file).read_text("utf-8")
        used |= set(re.findall(r"\{\$?([A-Z_]+)[:}]", text))
    assert used - SETTINGS - OTHERS == set()


def test_two_copies_share_one_postgresql_behind_a_proxy(compose: dict[str, Any]) -> None:
    services = compose["services"]
    herald = services["herald"]
    assert herald["deploy"]["replicas"] == 2
    assert herald["environment"]["DATABASE_URL"].startswith("postgresql+asyncpg://")
    assert herald["read_only"] is True
    assert herald["cap_drop"] == ["ALL"]
    assert "ports" not in herald, "only the proxy is reached from outside"
    assert "ports" not in services["database"]
    assert services["proxy"]["ports"]


def test_every_path_of_the_compose_file_exists(compose: dict[str, Any]) -> None:
    volumes = set(compose["volumes"])
    for service in compose["services"].values():
        for row in service.get("volumes", []):
            source = row.split(":")[0]
            assert source in volumes or (DEPLOY / source).exists(), source
        if isinstance(build := service.get("build"), dict):
            context = (DEPLOY / build["context"]).resolve()
            assert context == ROOT
            assert (context / build["dockerfile"]).exists()
        for file in [service["env_file"]] if "env_file" in service else []:
            assert (DEPLOY / file).resolve() == Path(ROOT / ".env")
        for name in service.get("depends_on", []):
            assert name in compose["services"]


def test_the_proxy_reaches_herald_where_it_listens(compose: dict[str, Any]) -> None:
    proxy = (DEPLOY / "Caddyfile").read_text("utf-8")
    port = compose["services"]["herald"]["environment"]["PORT"]
    assert f"dynamic a herald {port}" in proxy
    assert proxy.count("{") == proxy.count("}")
