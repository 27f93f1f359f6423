"""An administrator's own package: what is changed in `manifest/` is changed everywhere."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from bot import wiring
from bot.admin.package import PackageError, build
from bot.notifications.activity_types import read_activity_types
from bot.settings import Settings
from sandbox.stage import Stage
from tests.admin.conftest import Folder
from tests.conftest import Serve
from tests.desk import Desk

KIND = {
    "type": "labResultReady",
    "description": "A lab result is ready",
    "templateText": "{actor} says that the result for {patientInitials} is ready",
}
SPANISH = {
    "description": "Hay un resultado del laboratorio",
    "templateText": "{actor} avisa: el resultado de {patientInitials} está listo",
}
BULK = "sendActivityNotificationToRecipients"


def add_kind(manifest: Any) -> None:
    manifest["activities"]["activityTypes"].append(KIND)


def in_package(folder: Folder, settings: Settings, name: str) -> Any:
    with zipfile.ZipFile(io.BytesIO(build(settings, folder.path))) as archive:
        return json.loads(archive.read(name))


@pytest.fixture
def added(folder: Folder) -> Folder:
    """A folder `manifest/` with one more kind of notice, in both languages."""
    folder.change("manifest.json", add_kind)
    rows = json.loads((folder.path / "manifest.json").read_text("utf-8"))
    at = len(rows["activities"]["activityTypes"]) - 1
    spanish = {f"activities.activityTypes[{at}].{name}": SPANISH[name] for name in SPANISH}
    folder.change("es.json", lambda texts: texts.update(spanish))
    return folder


async def test_an_added_kind_of_notice_is_in_the_package_the_form_and_the_feed(
    added: Folder,
    settings: Settings,
    stage: Stage,
    serve: Serve,
    at_desk: Callable[[str], Desk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manifest = in_package(added, settings, "manifest.json")
    assert manifest["activities"]["activityTypes"][-1] == KIND
    assert SPANISH["templateText"] in in_package(added, settings, "es.json").values()

    monkeypatch.setattr(
        wiring, "read_activity_types", lambda: read_activity_types(added.path / "manifest.json")
    )
    stage.world.manifest = manifest
    lee = at_desk("Lee")
    megan = stage.world.named("Megan")
    async with serve():
        await lee.teams.install(lee.person)
        await lee.say("notify")
        assert KIND["description"] in json.dumps(lee.card)
        await lee.press("notice.choose_kind", activity_type=KIND["type"])
        assert "Patient initials" in json.dumps(lee.card)
        await lee.press(
            "Review", param_patientInitials="M.B.", preview="Room 3", recipients=megan.id
        )
        await lee.press("notice.send")
    [call] = stage.world.accepted(BULK)
    assert call.body["activityType"] == KIND["type"]
    [item] = stage.world.feeds[megan.id]
    assert item.text == "Lee Gu says that the result for M.B. is ready"


def test_a_kind_that_a_language_lacks_is_named_before_anything_is_uploaded(
    folder: Folder, settings: Settings
) -> None:
    folder.change("manifest.json", add_kind)
    with pytest.raises(PackageError, match=r"es.json: .*templateText is not translated"):
        build(settings, folder.path)


def test_another_language_is_added_by_its_file_and_one_line(
    folder: Folder, settings: Settings
) -> None:
    texts = (folder.path / "es.json").read_text("utf-8")
    (folder.path / "pt-BR.json").write_text(texts, "utf-8")
    line = {"languageTag": "pt-BR", "file": "pt-BR.json"}
    folder.change(
        "manifest.json", lambda value: value["localizationInfo"]["additionalLanguages"].append(line)
    )
    assert in_package(folder, settings, "pt-BR.json") == json.loads(texts)


def test_name_and_color_are_changed_in_the_manifest_alone(
    folder: Folder, settings: Settings
) -> None:
    def change(value: Any) -> None:
        value["name"]["short"] = "Clinic notes"
        value["accentColor"] = "#00695C"

    folder.change("manifest.json", change)
    manifest = in_package(folder, settings, "manifest.json")
    assert manifest["name"]["short"] == "Clinic notes"
    assert manifest["accentColor"] == "#00695C"
