"""The one reader of the environment. It fails at boot and names the variable."""

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHORTEST_SECRET = 32
# The names that hosting services give out, and what they are here.
_DATABASES = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
_SERVICE_ADDRESSES = ("graph_url", "entra_authority", "bot_openid_metadata_url", "public_url")


class Settings(BaseSettings):
    """What the environment, or a file `.env` beside `app.py`, says. README documents each one."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    microsoft_app_id: str
    microsoft_app_password: SecretStr | None = None
    microsoft_app_certificate: Path | None = None
    microsoft_app_tenant_id: str = ""
    microsoft_app_type: Literal["SingleTenant", "MultiTenant"] = "SingleTenant"
    public_url: str
    host: str = "127.0.0.1"
    port: int = Field(default=3978, ge=0, le=65535)
    database_url: str = f"sqlite+aiosqlite:///{ROOT / 'herald.sqlite3'}"
    worker: Literal["embedded", "none"] = "embedded"
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode]
    allowed_tenants: Annotated[tuple[str, ...], NoDecode] = ()
    retention_days: int = Field(default=90, ge=1, le=3650)
    teams_app_id: str
    teams_catalog_app_id: str = ""
    environment: Literal["production", "local"] = "production"
    graph_url: str = "https://graph.microsoft.com"
    entra_authority: str = "https://login.microsoftonline.com"
    bot_openid_metadata_url: str = (
        "https://login.botframework.com/v1/.well-known/openidconfiguration"
    )
    bot_token_issuer: str = "https://api.botframework.com"
    bot_token_scope: str = "https://api.botframework.com/.default"
    text_rate: float = Field(default=5, gt=0)
    text_rate_overall: float = Field(default=50, gt=0)
    notice_rate: float = Field(default=2, gt=0)
    notice_rate_overall: float = Field(default=20, gt=0)
    group_rate: float = Field(default=5, gt=0)
    group_rate_overall: float = Field(default=50, gt=0)
    deliveries_per_hour: int = Field(default=60, ge=1)
    audience_limit: int = Field(default=25_000, ge=1)
    tenant_rate: float = Field(default=50, gt=0)
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=3979, ge=0, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("secret_keys", "allowed_tenants", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("database_url", mode="after")
    @classmethod
    def _names_its_driver(cls, value: str) -> str:
        for short, whole in _DATABASES.items():
            if value.startswith((f"{short}:", f"{whole}:")):
                return whole + value[value.index(":") :]
        raise ValueError(
            "must be an address such as sqlite+aiosqlite:///herald.sqlite3 "
            "or postgresql+asyncpg://user:password@host/herald"
        )

    @field_validator("microsoft_app_id", "teams_app_id", mode="after")
    @classmethod
    def _must_be_guid(cls, value: str) -> str:
        if not _GUID.fullmatch(value.lower()):
            raise ValueError("must be a GUID, as Entra and the manifest write it")
        return value.lower()

    @field_validator("allowed_tenants", mode="after")
    @classmethod
    def _are_guids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for tenant in value:
            if not _GUID.fullmatch(tenant.lower()):
                raise ValueError("must be the tenants' ids (GUIDs), not their domains")
        return value

    @field_validator("microsoft_app_tenant_id", "teams_catalog_app_id", mode="after")
    @classmethod
    def _may_be_guid(cls, value: str) -> str:
        if value and not _GUID.fullmatch(value.lower()):
            raise ValueError("must be a GUID")
        return value.lower()

    @field_validator("secret_keys", mode="after")
    @classmethod
    def _keys_are_long(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not value:
            raise ValueError("needs at least one key")
        if any(len(key.get_secret_value()) < _SHORTEST_SECRET for key in value):
            raise ValueError(f"every key needs at least {_SHORTEST_SECRET} characters")
        return value

    @field_validator(*_SERVICE_ADDRESSES, mode="after")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an address such as https://example.com")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.microsoft_app_password and not self.microsoft_app_certificate:
            raise ValueError(
                "MICROSOFT_APP_PASSWORD or MICROSOFT_APP_CERTIFICATE: one of them is needed"
            )
        if self.microsoft_app_type == "SingleTenant" and not self.microsoft_app_tenant_id:
            raise ValueError("MICROSOFT_APP_TENANT_ID: a single-tenant app needs its tenant's id")
        if not self.tenants:
            raise ValueError(
                "ALLOWED_TENANTS: a multi-tenant app has to be told which tenants it is for; "
                "or set MICROSOFT_APP_TENANT_ID for one alone"
            )
        if self.worker == "none" and self.database_url.startswith("sqlite"):
            raise ValueError(
                "WORKER: none needs PostgreSQL in DATABASE_URL; a SQLite file is for one process, "
                "which is the app with its own worker"
            )
        if self.environment != "local":
            for name in _SERVICE_ADDRESSES:
                parts = urlsplit(getattr(self, name))
                if parts.scheme != "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"}:
                    raise ValueError(
                        f"{name.upper()}: plain-http and loopback addresses are for "
                        "ENVIRONMENT=local only"
                    )
        return self

    @property
    def domain(self) -> str:
        """The host (with its port, where it has one) of `PUBLIC_URL`."""
        return urlsplit(self.public_url).netloc

    @property
    def sso_resource(self) -> str:
        """The Entra application's address for single sign-on: `api://<domain>/botid-<app id>`."""
        return f"api://{self.domain}/botid-{self.microsoft_app_id}"

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """The plain values of `SECRET_KEYS`, newest first."""
        return tuple(key.get_secret_value() for key in self.secret_keys)

    @property
    def tenants(self) -> frozenset[str]:
        """The tenants that may use this bot: `ALLOWED_TENANTS`, or else the app's own alone.

        Never empty once the settings were read.
        """
        own = {self.microsoft_app_tenant_id} if self.microsoft_app_tenant_id else set()
        return frozenset(tenant.lower() for tenant in self.allowed_tenants or own)


def read_settings(**overrides: object) -> Settings:
    """Read the environment.

    Raises:
        SettingsError: a variable is missing or wrong; the message has a line for each.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError("\n".join(_line(problem) for problem in error.errors())) from None


def _line(problem: object) -> str:
    assert isinstance(problem, dict)  # noqa: S101
    name = ".".join(str(part) for part in problem["loc"][:1]).upper()
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "missing":
        message = "is not set"
    return f"{name} {message}" if name else message
