"""The app package: what is in it, and the sentence for each thing that can be wrong with it."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.admin import schemas
from bot.admin.package import MANIFEST_DIR, PackageError, build, problems
from bot.settings import Settings
from bot.teams.commands import understand
from tests.admin.conftest import Change, Folder

BOT = "7b1f6a52-3d0e-4c19-8a54-2f2c9f0b6d11"


def files(package: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(content: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return written.getvalue()


def refused(folder: Folder, settings: Settings) -> list[str]:
    with pytest.raises(PackageError) as refusal:
        build(settings, folder.path)
    assert str(refusal.value).splitlines() == list(refusal.value.problems)
    return list(refusal.value.problems)


def manifest_of(package: bytes) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(files(package)["manifest.json"])
    return manifest


# What is in it


def test_the_package_holds_the_manifest_its_icons_and_its_languages_at_the_top(
    settings: Settings,
) -> None:
    assert list(files(build(settings))) == ["manifest.json", "color.png", "outline.png", "es.json"]


def test_ids_and_domain_are_filled_in(settings: Settings) -> None:
    manifest = manifest_of(build(settings))
    assert manifest["id"] == settings.teams_app_id
    assert manifest["bots"][0]["botId"] == BOT
    assert manifest["composeExtensions"][0]["botId"] == BOT
    assert manifest["webApplicationInfo"] == {
        "id": BOT,
        "resource": f"api://herald.contoso.example/botid-{BOT}",
    }
    assert manifest["validDomains"] == ["herald.contoso.example", "token.botframework.com"]
    assert b"${{" not in b"".join(files(build(settings)).values())


def test_the_same_settings_give_the_same_bytes_whatever_the_files_dates_and_line_ends(
    settings: Settings, folder: Folder
) -> None:
    for file in folder.path.glob("*.json"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert build(settings, folder.path) == build(settings)


def test_other_settings_give_another_package(settings: Settings) -> None:
    other = settings.model_copy(update={"public_url": "https://elsewhere.example"})
    assert build(other) != build(settings)


def test_a_finished_package_is_found_good(settings: Settings) -> None:
    assert problems(build(settings), settings) == []


def test_a_local_address_with_its_port_makes_a_package_too(settings: Settings) -> None:
    local = settings.model_copy(update={"public_url": "http://localhost:8700"})
    assert "localhost:8700" in manifest_of(build(local))["validDomains"]


def test_the_manifest_declares_the_kinds_of_notice_that_people_need(settings: Settings) -> None:
    rows = manifest_of(build(settings))["activities"]["activityTypes"]
    templates = {row["type"]: row["templateText"] for row in rows}
    assert len(templates) >= 8
    assert "{pendingRequestCount}" in templates["pendingFinanceApprovalRequests"]
    assert "{deploymentId}" in templates["deploymentApprovalRequired"]


def test_a_translated_command_is_still_one_that_the_bot_understands() -> None:
    # Teams types a command's title for the person, in the person's language.
    manifest = json.loads((MANIFEST_DIR / "manifest.json").read_text("utf-8"))
    spanish = json.loads((MANIFEST_DIR / "es.json").read_text("utf-8"))
    for at, command in enumerate(manifest["bots"][0]["commandLists"][0]["commands"]):
        heard = understand(spanish[f"bots[0].commandLists[0].commands[{at}].title"])
        assert heard.command is not None
        assert heard.command.name == command["title"]


# What can be wrong with the manifest


def row(manifest: Any, number: int = 0) -> Any:
    return manifest["activities"]["activityTypes"][number]


def command(manifest: Any) -> Any:
    return manifest["bots"][0]["commandLists"][0]["commands"][0]


def extension(manifest: Any) -> Any:
    return manifest["composeExtensions"][0]["commands"]


BROKEN: list[tuple[str, Change, str]] = [
    (
        "a long name",
        lambda m: m["name"].update(short="x" * 31),
        "name.short is 31 characters long; at most 30 are allowed.",
    ),
    (
        "a long description",
        lambda m: m["description"].update(short="x" * 81),
        "description.short is 81 characters long; at most 80 are allowed.",
    ),
    ("no accent color", lambda m: m.pop("accentColor"), "the file lacks 'accentColor'."),
    (
        "a color by name",
        lambda m: m.update(accentColor="blue"),
        "accentColor is 'blue', which hasn't the form that the official schema asks for.",
    ),
    (
        "an unknown field",
        lambda m: m["bots"][0].update(colour="red"),
        "bots[0] holds what the official schema doesn't know: colour.",
    ),
    (
        "an unknown scope",
        lambda m: m["bots"][0].update(scopes=["planet"]),
        "bots[0].scopes[0] is 'planet'; allowed are",
    ),
    (
        "a number for a text",
        lambda m: m.update(version=1),
        "version is not of the type that the official schema asks for: string.",
    ),
    ("a short version", lambda m: m.update(version="1.0"), "version is '1.0'; it must be three"),
    (
        "another schema",
        lambda m: m.update({"$schema": "https://example.com/schema.json"}),
        "$schema must be https://developer.microsoft.com/json-schemas/teams/v1.25/"
        "MicrosoftTeams.schema.json, to agree with manifestVersion.",
    ),
    (
        "a version without a schema",
        lambda m: m.update(manifestVersion="9.9"),
        "manifestVersion is '9.9', which has no official schema.",
    ),
    (
        "a path for a version",
        lambda m: m.update(manifestVersion="1.25/../v1.25"),
        "manifestVersion is '1.25/../v1.25', which has no official schema.",
    ),
    (
        "an unknown placeholder",
        lambda m: m["developer"].update(name="${{WHO_KNOWS}}"),
        "${{WHO_KNOWS}} was not filled in; no setting has that name.",
    ),
    (
        "another app's id",
        lambda m: m.update(id="11111111-1111-4111-8111-111111111111"),
        "id is '11111111-1111-4111-8111-111111111111'; it must be",
    ),
    (
        "another bot",
        lambda m: m["bots"][0].update(botId="11111111-1111-4111-8111-111111111111"),
        "bots[0].botId is '11111111-1111-4111-8111-111111111111'; it must be",
    ),
    (
        "another bot in the compose box",
        lambda m: m["composeExtensions"][0].update(botId="11111111-1111-4111-8111-111111111111"),
        "composeExtensions[0].botId is '11111111-1111-4111-8111-111111111111'; it must be",
    ),
    ("no bot", lambda m: m.pop("bots"), "bots is missing; Herald needs it."),
    (
        "no Entra app",
        lambda m: m.pop("webApplicationInfo"),
        "webApplicationInfo is missing; Herald needs it.",
    ),
    (
        "another Entra app",
        lambda m: m["webApplicationInfo"].update(id="11111111-1111-4111-8111-111111111111"),
        "webApplicationInfo.id is '11111111-1111-4111-8111-111111111111'; it must be",
    ),
    (
        "a resource without the bot's id",
        lambda m: m["webApplicationInfo"].update(resource="api://herald.contoso.example"),
        "webApplicationInfo.resource is 'api://herald.contoso.example'; it must be "
        f"'api://herald.contoso.example/botid-{BOT}'",
    ),
    (
        "a domain with a scheme",
        lambda m: m["validDomains"].append("https://contoso.example"),
        "validDomains[2] is 'https://contoso.example'; it must be a host, without https:// or /.",
    ),
    (
        "a domain with a path",
        lambda m: m["validDomains"].append("contoso.example/herald"),
        "validDomains[2] is 'contoso.example/herald'; it must be a host",
    ),
    (
        "no domain of its own",
        lambda m: m.update(validDomains=["token.botframework.com"]),
        "validDomains lacks herald.contoso.example.",
    ),
    (
        "no domain for sign-in",
        lambda m: m["validDomains"].remove("token.botframework.com"),
        "validDomains lacks token.botframework.com.",
    ),
    (
        "no kinds of notice",
        lambda m: m.pop("activities"),
        "activities.activityTypes is empty; without it there is nothing to notify about.",
    ),
    (
        "a long kind",
        lambda m: row(m).update(type="x" * 65),
        "activities.activityTypes[0].type is 65 characters long; at most 64 are allowed.",
    ),
    (
        "a long template",
        lambda m: row(m).update(templateText="x" * 129),
        "activities.activityTypes[0].templateText is 129 characters long; at most 128 are allowed.",
    ),
    (
        "a long description of a kind",
        lambda m: row(m).update(description="x" * 129),
        "activities.activityTypes[0].description is 129 characters long; at most 128 are allowed.",
    ),
    (
        "an empty template",
        lambda m: row(m).update(templateText=" "),
        "activities.activityTypes[0].templateText is empty.",
    ),
    (
        "a kind without a template",
        lambda m: row(m).pop("templateText"),
        "activities.activityTypes[0] lacks 'templateText'.",
    ),
    (
        "too many kinds",
        lambda m: m["activities"]["activityTypes"].extend(
            {"type": f"kind{n}", "description": "d", "templateText": "t"} for n in range(128)
        ),
        "activities.activityTypes holds 138 entries; at most 128 are allowed.",
    ),
    (
        "the reserved kind",
        lambda m: row(m).update(type="systemDefault"),
        "activities.activityTypes[0].type is systemDefault, which Teams reserves; it must not be",
    ),
    (
        "a kind of two words",
        lambda m: row(m).update(type="two words"),
        "activities.activityTypes[0].type is 'two words'; it must be one word of letters and",
    ),
    (
        "a kind declared twice",
        lambda m: row(m, 1).update(type="pendingFinanceApprovalRequests"),
        "activities.activityTypes declares the type pendingfinanceapprovalrequests more than once.",
    ),
    *(
        (
            f"the template {template}",
            lambda m, template=template: row(m).update(templateText=template),
            f"activities.activityTypes[0].templateText is '{template}'; what stands in braces must",
        )
        for template in ("{}", "{two words}", "{1st}", "{open", "close}", "{{twice}}", "{a-b}")
    ),
    (
        "a long command",
        lambda m: command(m).update(title="x" * 33),
        "bots[0].commandLists[0].commands[0].title is 33 characters long; at most 32 are shown.",
    ),
    (
        "a long summary",
        lambda m: command(m).update(description="x" * 129),
        "bots[0].commandLists[0].commands[0].description is 129 characters long; at most 128 are",
    ),
    (
        "a command without a summary",
        lambda m: command(m).update(description=""),
        "bots[0].commandLists[0].commands[0].description is empty.",
    ),
    (
        "a command listed twice",
        lambda m: command(m).update(title="notify"),
        "bots[0].commandLists[0] lists the command notify more than once.",
    ),
    (
        "too many commands",
        lambda m: m["bots"][0]["commandLists"][0].update(
            commands=[{"title": f"c{n}", "description": "d"} for n in range(13)]
        ),
        "bots[0].commandLists[0].commands holds 13 entries; at most 12 are allowed.",
    ),
    (
        "too many command lists",
        lambda m: m["bots"][0].update(commandLists=m["bots"][0]["commandLists"] * 4),
        "bots[0].commandLists holds 4 entries; at most 3 are allowed.",
    ),
    (
        "two lists for one scope",
        lambda m: m["bots"][0].update(commandLists=m["bots"][0]["commandLists"] * 2),
        "bots[0].commandLists has more than one list for personal.",
    ),
    (
        "a list for a scope that the bot lacks",
        lambda m: m["bots"][0].update(scopes=["personal", "team"]),
        "bots[0].commandLists[0].scopes names groupChat, where the bot itself is not offered.",
    ),
    (
        "too many commands in the compose box",
        lambda m: m["composeExtensions"][0].update(commands=extension(m) * 3),
        "composeExtensions[0].commands holds 12 entries; at most 10 are allowed.",
    ),
    (
        "a long title in the compose box",
        lambda m: extension(m)[0].update(title="x" * 33),
        "composeExtensions[0].commands[0].title is 33 characters long; at most 32 are allowed.",
    ),
    (
        "a command of the compose box that opens nothing",
        lambda m: extension(m)[0].update(fetchTask=False),
        "composeExtensions[0].commands[0] needs fetchTask, or parameters",
    ),
    (
        "what the schema says in words of its own",
        lambda m: extension(m)[0].update(parameters=[]),
        "composeExtensions[0].commands[0].parameters: [] ",
    ),
    (
        "two commands of the compose box with one id",
        lambda m: extension(m)[0].update(id="notifyTeammates"),
        "composeExtensions[0].commands has the id notifyTeammates more than once.",
    ),
]


@pytest.mark.parametrize(
    ("change", "sentence"), [pytest.param(*broken[1:], id=broken[0]) for broken in BROKEN]
)
def test_a_broken_manifest_is_refused_with_a_sentence_that_names_the_field(
    change: Change, sentence: str, folder: Folder, settings: Settings
) -> None:
    folder.change("manifest.json", change)
    found = refused(folder, settings)
    assert any(line.startswith(f"manifest.json: {sentence}") for line in found), found


def test_everything_that_is_wrong_is_said_at_once(folder: Folder, settings: Settings) -> None:
    folder.change("manifest.json", lambda m: m["name"].update(short="x" * 31))
    folder.change("manifest.json", lambda m: m["validDomains"].clear())
    assert len(refused(folder, settings)) == 3


# What can be wrong with a language

TEMPLATE = "activities.activityTypes[0].templateText"
BROKEN_LANGUAGES: list[tuple[str, Change, str]] = [
    ("a missing text", lambda t: t.pop(TEMPLATE), f"{TEMPLATE} is not translated."),
    (
        "a missing summary",
        lambda t: t.pop("bots[0].commandLists[0].commands[5].description"),
        "bots[0].commandLists[0].commands[5].description is not translated.",
    ),
    (
        "a text that the manifest lacks",
        lambda t: t.update({"activities.activityTypes[99].description": "Nada"}),
        "activities.activityTypes[99].description is not a text of the manifest.",
    ),
    (
        "a key that nothing knows",
        lambda t: t.update({"greeting": "Hola"}),
        "the file holds what the official schema doesn't know: greeting.",
    ),
    ("no name", lambda t: t.pop("name.short"), "the file lacks 'name.short'."),
    (
        "a long name",
        lambda t: t.update({"name.short": "x" * 31}),
        "name.short is 31 characters long; at most 30 are allowed.",
    ),
    (
        "a long template",
        lambda t: t.update({TEMPLATE: "x" * 129}),
        f"{TEMPLATE} is 129 characters long; at most 128 are allowed.",
    ),
    (
        "a lost parameter",
        lambda t: t.update({TEMPLATE: "Solicitudes"}),
        f"{TEMPLATE} must have the same parameters as the manifest: {{pendingRequestCount}}.",
    ),
    ("an empty text", lambda t: t.update({TEMPLATE: ""}), f"{TEMPLATE} is empty."),
]


@pytest.mark.parametrize(
    ("change", "sentence"), [pytest.param(*broken[1:], id=broken[0]) for broken in BROKEN_LANGUAGES]
)
def test_a_broken_language_is_refused_with_a_sentence_that_names_the_text(
    change: Change, sentence: str, folder: Folder, settings: Settings
) -> None:
    folder.change("es.json", change)
    assert f"es.json: {sentence}" in refused(folder, settings)


# What can be wrong with the files


def test_a_file_that_the_manifest_names_must_be_there(folder: Folder, settings: Settings) -> None:
    (folder.path / "es.json").unlink()
    assert refused(folder, settings) == [f"es.json is not in {folder.path}, or can't be read."]


def test_a_file_from_elsewhere_is_not_packed(folder: Folder, settings: Settings) -> None:
    folder.change("manifest.json", lambda m: m["icons"].update(color="../secret.png"))
    assert refused(folder, settings) == [
        "manifest.json names ../secret.png, which must lie beside it."
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{\n"id": }', "manifest.json is not JSON: line 2, Expecting value."),
        (b"\xff\xfe\x00", "manifest.json is not UTF-8 text."),
        (b"[]", "manifest.json is not a JSON object."),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused(
    content: bytes, sentence: str, folder: Folder, settings: Settings
) -> None:
    (folder.path / "manifest.json").write_bytes(content)
    assert refused(folder, settings) == [sentence]


def test_a_package_that_is_no_zip_is_refused(settings: Settings) -> None:
    assert problems(b"PK", settings) == ["The package is not a zip file, or it is damaged."]


def test_a_package_that_lacks_a_file_is_refused(settings: Settings) -> None:
    content = files(build(settings))
    del content["outline.png"]
    assert problems(zipped(content), settings) == ["The package lacks outline.png."]


def test_a_package_without_a_manifest_is_refused(settings: Settings) -> None:
    assert problems(zipped({}), settings) == ["The package lacks manifest.json."]


def test_a_package_with_a_file_too_many_is_refused(settings: Settings) -> None:
    content = files(build(settings)) | {"notes/.env": b"secret"}
    assert problems(zipped(content), settings) == [
        "The package holds notes/.env, which the manifest doesn't name."
    ]


def test_a_package_with_a_file_twice_is_refused(settings: Settings) -> None:
    written = io.BytesIO(build(settings))
    with zipfile.ZipFile(written, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("color.png", files(build(settings))["color.png"])
    assert problems(written.getvalue(), settings) == ["color.png is in the package twice."]


# What can be wrong with the icons


def save(folder: Folder, name: str, image: Image.Image, kind: str = "PNG") -> None:
    image.save(folder.path / name, format=kind)


def drawn(color: tuple[int, int, int, int]) -> Image.Image:
    image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    image.paste(color, (4, 4, 28, 28))
    return image


OUTLINES = {
    "must be 32x32 pixels; it is 64x64.": Image.new("RGBA", (64, 64), (0, 0, 0, 0)),
    "must have a transparent background.": Image.new("RGBA", (32, 32), (255, 255, 255, 255)),
    "must show something; it is transparent all over.": Image.new("RGBA", (32, 32)),
    "must be drawn in white alone (#FFFFFF), on transparent.": drawn((255, 0, 0, 255)),
    "must be an 8-bit RGBA image without interlacing, so that it can be transparent.": Image.new(
        "RGB", (32, 32), "white"
    ),
}


@pytest.mark.parametrize("end", OUTLINES)
def test_an_outline_icon_is_white_on_transparent_and_small(
    end: str, folder: Folder, settings: Settings
) -> None:
    save(folder, "outline.png", OUTLINES[end])
    assert refused(folder, settings) == [f"outline.png (icons.outline) {end}"]


def test_the_color_icon_has_its_size(folder: Folder, settings: Settings) -> None:
    save(folder, "color.png", Image.new("RGB", (96, 96)))
    assert refused(folder, settings) == [
        "color.png (icons.color) must be 192x192 pixels; it is 96x96."
    ]


def test_icons_are_png_images_whatever_their_names_say(folder: Folder, settings: Settings) -> None:
    save(folder, "color.png", Image.new("RGB", (192, 192)), "JPEG")
    (folder.path / "outline.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    assert refused(folder, settings) == [
        "color.png (icons.color) must be a PNG image.",
        "outline.png (icons.outline) must be a PNG image.",
    ]


@pytest.mark.parametrize("cut", [80, 200, 400])
def test_a_damaged_outline_icon_is_refused(cut: int, folder: Folder, settings: Settings) -> None:
    whole = (folder.path / "outline.png").read_bytes()
    (folder.path / "outline.png").write_bytes(whole[:cut] + bytes(len(whole) - cut))
    assert refused(folder, settings)[0].startswith("outline.png (icons.outline) must be")


@pytest.mark.parametrize("mode", ["gradient", "noise"])
def test_icons_are_read_as_other_software_reads_them(mode: str) -> None:
    from bot.admin.icons import Png

    noise = Image.effect_noise((32, 32), 90)
    bands = (noise, Image.linear_gradient("L").resize((32, 32)), noise.rotate(90), noise)
    image = Image.merge("RGBA", bands if mode == "noise" else (bands[1],) * 4)
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    assert Png.read(written.getvalue()).pixels() == list(image.get_flattened_data())


# The schemas


def test_without_the_npm_packages_it_says_how_to_get_them(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(schemas.SchemasMissing, match="run `npm install`"):
        build(settings, schemas_dir=tmp_path / "none")
