"""The app package: the zip that an administrator uploads to Teams.

Source: "Create the app package", Microsoft Teams: the manifest, both icons and the languages' files
at the top of a zip. The bytes depend on the settings and on `manifest/` alone.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.admin import icons, rules, schemas, translations
from bot.errors import HeraldError
from bot.settings import ROOT, Settings

MANIFEST_DIR = ROOT / "manifest"
_MANIFEST = "manifest.json"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can say


class PackageError(HeraldError):
    """The app package can't be built.

    `problems` are sentences, one for each thing that is wrong.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def build(
    settings: Settings, manifest_dir: Path = MANIFEST_DIR, *, schemas_dir: Path = schemas.SCHEMAS
) -> bytes:
    """The package for these settings: always the same bytes for the same input.

    Raises:
        PackageError: something is wrong with the manifest, an icon or a translation.
        SchemasMissing: the npm packages are not installed.
    """
    package = _zipped(_files(settings, manifest_dir))
    if found := problems(package, settings, schemas_dir=schemas_dir):
        raise PackageError(found)
    return package


def problems(
    package: bytes, settings: Settings, *, schemas_dir: Path = schemas.SCHEMAS
) -> list[str]:
    """What is wrong with a finished package, whoever made it; empty when it may be uploaded.

    Raises SchemasMissing when the npm packages are not installed.
    """
    try:
        files, found = _unzipped(package)
        manifest = _json(_MANIFEST, files)
        return [*found, *_manifest_problems(manifest, files, settings, schemas_dir)]
    except PackageError as error:
        return list(error.problems)


def _files(settings: Settings, folder: Path) -> dict[str, bytes]:
    """What goes into the package, by name: the manifest first, then what it names."""
    known = {
        "TEAMS_APP_ID": settings.teams_app_id,
        "MICROSOFT_APP_ID": settings.microsoft_app_id,
        "PUBLIC_DOMAIN": settings.domain,
    }
    files = {_MANIFEST: _content(folder, _MANIFEST, known)}
    for name in _named(_json(_MANIFEST, files)):
        files[name] = _content(folder, name, known)
    return files


def _content(folder: Path, name: str, known: Mapping[str, str]) -> bytes:
    if Path(name).name != name:
        raise PackageError([f"manifest.json names {name}, which must lie beside it."])
    try:
        content = (folder / name).read_bytes()
    except OSError:
        raise PackageError([f"{name} is not in {folder}, or can't be read."]) from None
    if not name.endswith(".json"):
        return content
    filled = _filled(_json(name, {name: content}), known)
    return (json.dumps(filled, ensure_ascii=False, indent=2) + "\n").encode()


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, wanted in known.items():
            value = value.replace(f"${{{{{name}}}}}", wanted)
        return value
    if isinstance(value, list):
        return [_filled(inner, known) for inner in value]
    if isinstance(value, dict):
        return {name: _filled(inner, known) for name, inner in value.items()}
    return value


def _json(name: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    if name not in files:
        raise PackageError([f"The package lacks {name}."])
    try:
        value = json.loads(files[name].decode())
    except UnicodeDecodeError:
        raise PackageError([f"{name} is not UTF-8 text."]) from None
    except json.JSONDecodeError as error:
        raise PackageError([f"{name} is not JSON: line {error.lineno}, {error.msg}."]) from None
    if not isinstance(value, dict):
        raise PackageError([f"{name} is not a JSON object."])
    return value


def _named(manifest: Mapping[str, Any]) -> list[str]:
    """The files that a manifest names, each once; whatever shape it has."""
    icons_named, languages = manifest.get("icons"), manifest.get("localizationInfo")
    names = list(icons_named.values()) if isinstance(icons_named, dict) else []
    if isinstance(languages, dict):
        rows = languages.get("additionalLanguages")
        names.append(languages.get("defaultLanguageFile"))
        names += [row.get("file") for row in rows or [] if isinstance(row, dict)]
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def _zipped(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    # Stored, not compressed: zlib's builds differ in the bytes that they make.
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.create_system = 3  # Unix, also on Windows
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return written.getvalue()


def _unzipped(package: bytes) -> tuple[dict[str, bytes], list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            names = archive.namelist()
            files = {name: archive.read(name) for name in names}
    except zipfile.BadZipFile:
        raise PackageError(["The package is not a zip file, or it is damaged."]) from None
    found = [f"{name} is in the package twice." for name in files if names.count(name) > 1]
    wanted = {_MANIFEST, *_named(_json(_MANIFEST, files))}
    found += [f"The package lacks {name}." for name in sorted(wanted - files.keys())]
    found += [
        f"The package holds {name}, which the manifest doesn't name."
        for name in sorted(files.keys() - wanted)
    ]
    return files, found


def _manifest_problems(
    manifest: dict[str, Any], files: Mapping[str, bytes], settings: Settings, schemas_dir: Path
) -> Iterator[str]:
    for name, content in files.items():
        if name.endswith(".json"):
            for left in rules.placeholders(content.decode(errors="replace")):
                yield f"{name}: {left} was not filled in; no setting has that name."
    version = str(manifest.get("manifestVersion"))
    try:
        schema = schemas.read(version, schemas.MANIFEST, schemas=schemas_dir)
        texts_schema = schemas.read(version, schemas.LOCALIZATION, schemas=schemas_dir)
    except schemas.UnknownVersion:
        yield f"{_MANIFEST}: manifestVersion is {version!r}, which has no official schema."
        return
    found = schemas.errors(manifest, schema)
    sentences = [schemas.sentence(error) for error in found]
    if schemas.is_of_shape(found):
        sentences += rules.problems(manifest, settings)
        yield from _icon_problems(manifest, files)
        yield from _language_problems(manifest, files, texts_schema)
    yield from (f"{_MANIFEST}: {sentence}" for sentence in sentences)


def _icon_problems(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[str]:
    checks = {"color": icons.problems_of_color, "outline": icons.problems_of_outline}
    for kind, check in checks.items():
        name = manifest["icons"][kind]
        if name in files:
            yield from (f"{name} (icons.{kind}) {end}" for end in check(files[name]))


def _language_problems(
    manifest: Mapping[str, Any], files: Mapping[str, bytes], schema: dict[str, Any]
) -> Iterator[str]:
    for row in manifest.get("localizationInfo", {}).get("additionalLanguages", []):
        name = row["file"]
        if name not in files:
            continue
        texts = _json(name, files)
        found = schemas.errors(texts, schema)
        sentences = [schemas.sentence(error) for error in found]
        if schemas.is_of_shape(found):
            sentences += sorted(translations.problems(manifest, texts, schema))
        yield from (f"{name}: {sentence}" for sentence in sentences)
