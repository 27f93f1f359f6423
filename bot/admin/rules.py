"""What must hold in a filled-in manifest and the official schema doesn't say.

Source: Teams' manifest reference, and what single sign-on and activity notifications need.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.admin.schemas import ADDRESS, MANIFEST
from bot.admin.templates import is_sane
from bot.settings import Settings

Manifest = Mapping[str, Any]
_SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_PLACEHOLDER = re.compile(r"\$\{\{.*?\}\}")
_TOKEN_DOMAIN = "token.botframework.com"
# The reference says 32 and 128; the schema lets 128 and 4,000 pass, which the menu then cuts off.
_COMMAND_TITLE = 32
_COMMAND_DESCRIPTION = 128
_RESERVED_TYPE = "systemdefault"


def placeholders(text: str) -> list[str]:
    """The placeholders that are still in a file, each once."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def problems(manifest: Manifest, settings: Settings) -> Iterator[str]:
    """One sentence for each thing that is wrong; the manifest has passed the schema's types."""
    yield from _versions(manifest)
    yield from _identity(manifest, settings)
    yield from _domains(manifest, settings)
    yield from _activity_types(manifest)
    yield from _command_lists(manifest)
    yield from _compose_extension(manifest)


def _versions(manifest: Manifest) -> Iterator[str]:
    wanted = ADDRESS.format(version=manifest["manifestVersion"], name=MANIFEST)
    if manifest.get("$schema") != wanted:
        yield f"$schema must be {wanted}, to agree with manifestVersion."
    if not _SEMVER.fullmatch(manifest["version"]):
        yield f"version is {manifest['version']!r}; it must be three numbers, such as 1.0.0."


def _identity(manifest: Manifest, settings: Settings) -> Iterator[str]:
    entra, bots, extensions = (
        manifest.get("webApplicationInfo", {}),
        manifest.get("bots", []),
        manifest.get("composeExtensions", []),
    )
    for name, found in (("bots", bots), ("webApplicationInfo", entra)):
        if not found:
            yield f"{name} is missing; Herald needs it."
    named = [
        ("id", manifest["id"], settings.teams_app_id, "TEAMS_APP_ID"),
        *(
            (f"{kind}[{number}].botId", row.get("botId"), settings.microsoft_app_id, _APP)
            for kind, rows in (("bots", bots), ("composeExtensions", extensions))
            for number, row in enumerate(rows)
        ),
    ]
    if entra:
        named += [
            ("webApplicationInfo.id", entra["id"], settings.microsoft_app_id, _APP),
            ("webApplicationInfo.resource", entra.get("resource"), settings.sso_resource, _SSO),
        ]
    for field, value, wanted, why in named:
        if value != wanted:
            yield f"{field} is {value!r}; it must be {wanted!r} ({why})."


_APP = "MICROSOFT_APP_ID"
_SSO = "api://<domain of PUBLIC_URL>/botid-<MICROSOFT_APP_ID>, for single sign-on"


def _domains(manifest: Manifest, settings: Settings) -> Iterator[str]:
    domains = manifest.get("validDomains", [])
    for number, domain in enumerate(domains):
        if not re.fullmatch(r"[A-Za-z0-9.*\-\[\]:]+", domain) or "://" in domain:
            yield f"validDomains[{number}] is {domain!r}; it must be a host, without https:// or /."
    for wanted in (settings.domain, _TOKEN_DOMAIN):
        if wanted not in domains:
            yield f"validDomains lacks {wanted}."


def _activity_types(manifest: Manifest) -> Iterator[str]:
    rows = manifest.get("activities", {}).get("activityTypes", [])
    if not rows:
        yield "activities.activityTypes is empty; without it there is nothing to notify about."
    for number, row in enumerate(rows):
        place = f"activities.activityTypes[{number}]"
        if row["type"].lower() == _RESERVED_TYPE:
            yield f"{place}.type is systemDefault, which Teams reserves; it must not be declared."
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", row["type"]):
            yield f"{place}.type is {row['type']!r}; it must be one word of letters and digits."
        if not is_sane(row["templateText"]):
            yield (
                f"{place}.templateText is {row['templateText']!r}; what stands in braces must be "
                "a name of letters, digits and underscores."
            )
        for text in ("description", "templateText"):
            if not row[text].strip():
                yield f"{place}.{text} is empty."
    for twice in _twice(row["type"].lower() for row in rows):
        yield f"activities.activityTypes declares the type {twice} more than once."


def _command_lists(manifest: Manifest) -> Iterator[str]:
    bot: Manifest = next(iter(manifest.get("bots", [])), {})
    lists = bot.get("commandLists", [])
    for scope in _twice(scope for commands in lists for scope in commands.get("scopes", [])):
        yield f"bots[0].commandLists has more than one list for {scope}."
    for number, commands in enumerate(lists):
        place = f"bots[0].commandLists[{number}]"
        for scope in sorted(set(commands.get("scopes", [])) - set(bot["scopes"])):
            yield f"{place}.scopes names {scope}, where the bot itself is not offered."
        for at, command in enumerate(commands.get("commands", [])):
            yield from _command(f"{place}.commands[{at}]", command)
        for title in _twice(str(row.get("title")) for row in commands.get("commands", [])):
            yield f"{place} lists the command {title} more than once."


def _command(place: str, command: Manifest) -> Iterator[str]:
    limits = {"title": _COMMAND_TITLE, "description": _COMMAND_DESCRIPTION}
    for name, limit in limits.items():
        text = command.get(name, "")
        if not text.strip():
            yield f"{place}.{name} is empty."
        if len(text) > limit:
            yield f"{place}.{name} is {len(text)} characters long; at most {limit} are shown."


def _compose_extension(manifest: Manifest) -> Iterator[str]:
    for extension in manifest.get("composeExtensions", []):
        commands = extension.get("commands", [])
        for twice in _twice(command["id"] for command in commands):
            yield f"composeExtensions[0].commands has the id {twice} more than once."
        for number, command in enumerate(commands):
            if not command.get("fetchTask") and not command.get("parameters"):
                yield (
                    f"composeExtensions[0].commands[{number}] needs fetchTask, or parameters: "
                    "it has nothing to show."
                )


def _twice(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]
