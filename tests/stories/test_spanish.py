"""People whose Teams speaks Spanish: what they type, what they read, and what others read then."""

import inspect
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.errors import ConsentNeeded, HeraldError, SignInNeeded
from bot.notifications.left_out import LeftOut
from bot.settings import ROOT, Settings
from bot.teams.commands import COMMANDS, lines, understand
from bot.teams.results import Results
from bot.teams.texts import Texts
from bot.words import speaking
from sandbox import actions, activities
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from tests.bot.test_words import TOOL
from tests.conftest import Serve
from tests.desk import Desk
from tests.thread import Thread

SEATTLE = "(206) 342-8631"
SPANISH = json.loads((ROOT / "manifest" / "es.json").read_text("utf-8"))


def speaks_spanish(desk: Desk, locale: str = "es-MX") -> Desk:
    desk.person.locale = locale
    return desk


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    desk = speaks_spanish(at_desk("Adele"))
    await desk.teams.install(desk.person)
    return desk


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


# A receptionist and her texts ---------------------------------------------------------------------


async def test_a_text_from_the_word_for_it_to_the_phones(adele: Desk, stage: Stage) -> None:
    assert "Hola, Adele Vance" in adele.shown
    await adele.say("sms")
    assert adele.has_button("Revisar")
    await adele.press("Revisar", meeting=meeting_of(adele), phone_0="12")
    assert "A este número le faltan cifras." in adele.shown
    assert adele.values()["phone_0"] == "12"
    await adele.press("Revisar", phone_0=SEATTLE, attendee_list="425 703 6214, hora del Este")
    assert "hora del Este" in adele.shown
    await adele.press("text.send")
    assert "Aceptado por Microsoft" in adele.shown
    assert "el número que termina en 8631" in adele.shown
    [call] = stage.world.accepted("sendVirtualAppointmentSms")
    zones = [row["timeZone"] for row in call.body["attendees"]]
    assert zones == ["Pacific Standard Time", "Eastern Standard Time"]

    await adele.say("historial")
    assert "SMS de confirmación" in adele.shown
    delivery_id = actions.button(adele.card, "delivery.look")["data"]["delivery_id"]
    await adele.say(f"estado {delivery_id[:8]}")
    assert "Aceptado por Microsoft" in adele.shown


async def test_what_a_worker_draws_after_a_restart_is_in_its_owners_language(
    stage: Stage, serve: Serve, at_desk: Callable[[str], Desk]
) -> None:
    adele = speaks_spanish(at_desk("Adele"))
    async with serve():
        await adele.teams.install(adele.person)
        await adele.say("texto")
        day = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
        when = {"when": "later", "when_date": day, "when_time": "00:01"}
        chosen = {"meeting": later_meeting(adele), "phone_0": SEATTLE}
        await adele.press("Revisar", **chosen, **when)
        await adele.press("text.send")
        assert "Programado" in adele.shown
    with sqlite3.connect(stage.state_dir / "herald.sqlite3") as database:
        database.execute("UPDATE batches SET due_at_ms = 1")
    async with serve():
        await stage.world.until(lambda: "Aceptado por Microsoft" in adele.shown, timeout_s=10)


def later_meeting(desk: Desk) -> str:
    """One that starts in a week: what leaves tomorrow is in time for it."""
    meetings = desk.stage.world.meetings.values()
    mine = [meeting for meeting in meetings if meeting.organizer_id == desk.person.id]
    length = mine[0].end - mine[0].start
    mine[0].start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
    mine[0].end = mine[0].start + length
    return mine[0].join_url


async def test_the_file_of_the_results_has_headings_that_its_reader_understands(
    adele: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[bytes] = []
    made = Results.csv

    async def csv(self: Results, delivery: Any) -> bytes:
        kept.append(await made(self, delivery))
        return kept[-1]

    monkeypatch.setattr(Results, "csv", csv)
    await adele.say("mensaje")
    both = {"phone_0": SEATTLE, "phone_1": "(425) 703-6214"}
    await adele.press("Revisar", meeting=meeting_of(adele), **both)
    await adele.press("text.send")
    await adele.press("delivery.results")
    lines = kept[0].decode("utf-8-sig").splitlines()
    assert lines[:2] == [
        "Quién,Zona horaria,Resultado",
        "…8631,hora del Pacífico,aceptado por Microsoft",
    ]


# A team lead and her notices ----------------------------------------------------------------------


async def test_a_notice_names_its_kinds_and_those_left_out_in_spanish(
    adele: Desk, stage: Stage
) -> None:
    await adele.say("avisar La sala cambió")
    await adele.press("notice.choose_kind", activity_type="patientArrived")
    assert "avisa: ha llegado el paciente" in adele.shown
    assert "Ha llegado un paciente" in json.dumps(adele.card, ensure_ascii=False)
    ids = ",".join(stage.world.named(name).id for name in ("Adele", "Lee"))
    await adele.press("Revisar", param_patientInitials="", recipients=ids)
    assert "Complete: iniciales del paciente." in adele.shown
    await adele.press("Revisar", param_patientInitials="A. B.", recipients=ids)
    assert "avisa: ha llegado el paciente A. B." in adele.shown
    assert "Usted: nadie puede enviarse un aviso a sí mismo." in adele.shown
    await adele.press("notice.send")
    assert "Aceptado por Microsoft" in adele.shown
    # The same, for whoever reads it in another language.
    speaks_spanish(adele, "en-US")
    await adele.say("history")
    await adele.press("delivery.look")
    assert "You: nobody can send a notice to himself or herself." in adele.shown
    assert "Lee Gu" in adele.shown


def test_who_was_left_out_before_this_was_known_by_reason_is_still_shown() -> None:
    with speaking("es"):
        assert LeftOut.from_json("Apps get no notices.").sentence == "Apps get no notices."


# Where others read --------------------------------------------------------------------------------


@pytest.fixture
def channel(stage: Stage) -> Conversation:
    people = [who for who in stage.world.people.values() if not who.is_guest]
    return stage.teams.channel(stage.teams.team("Care team", people, ("General",)), "General")


async def test_a_card_in_a_thread_speaks_as_its_owner_and_to_each_who_presses_as_they_do(
    adele: Desk, at_desk: Callable[[str], Desk], stage: Stage, channel: Conversation
) -> None:
    await adele.say("entrar")
    thread = Thread(adele, channel)
    await thread.say("avisar @Lee La sala cambió", stage.world.named("Lee"))
    assert "Completar el formulario" in thread.shown
    dialog = await thread.open()
    kind = {"activity_type": dialog.values["activity_type"]}
    filled = {name: "7" for name in dialog.values if name.startswith("param_")}
    await dialog.press("Revisar", **kind, **filled)
    await dialog.press("Enviar ahora a 1 persona")
    await stage.world.until(lambda: "Aceptado" in thread.shown)
    assert "Aviso de Adele Vance" in thread.shown

    megan = at_desk("Megan")
    hers = await Thread(megan, channel).open("Ver detalles")
    assert hers.sentence == "Only the person who sent this can see its details."
    await Thread(megan, channel).say("help")
    assert "What you can write to me" in Thread(megan, channel).shown


# What is typed, and what can't be done ------------------------------------------------------------


def test_the_spanish_manifest_lists_what_is_typed_and_what_the_help_says() -> None:
    """Teams types a command's title for its user."""
    rows = json.loads((ROOT / "manifest" / "manifest.json").read_text("utf-8"))["bots"][0]
    listed = [row["title"] for row in rows["commandLists"][0]["commands"]]
    key = "bots[0].commandLists[0].commands[{}].{}"
    found = {
        name: (SPANISH[key.format(at, "title")], SPANISH[key.format(at, "description")])
        for at, name in enumerate(listed)
    }
    with speaking("es"):
        assert found == {
            command.name: (command.word, line.summary)
            for command, line in zip(COMMANDS, lines(), strict=True)
        }


@pytest.mark.parametrize(
    ("typed", "command", "rest"),
    [
        ("¿Quién soy?", "whoami", ""),
        ("quien soy", "whoami", ""),
        ("INICIAR SESIÓN", "signin", ""),
        ("iniciar sesion", "signin", ""),
        ("cerrar sesión", "signout", ""),
        ("salir", "signout", ""),
        ("Programados", "scheduled", ""),
        ("notificar a todos", "notify", "a todos"),
        ("mensaje confirmación", "text", "confirmación"),
        ("¡Hola!", "help", ""),
        ("history", "history", ""),
    ],
)
def test_spanish_and_english_words_are_understood_in_every_language(
    typed: str, command: str, rest: str
) -> None:
    heard = understand(typed)
    assert heard.command is not None
    assert (heard.command.name, heard.words) == (command, rest)


async def test_help_and_the_nearest_word_are_in_spanish(adele: Desk) -> None:
    await adele.say("ayuda")
    for row in range(len(COMMANDS)):
        assert SPANISH[f"bots[0].commandLists[0].commands[{row}].description"] in adele.shown
    await adele.say("programdos")
    assert "¿Quiso decir “programados”?" in adele.shown
    await adele.say("notifi")
    assert "¿Quiso decir “avisar”?" in adele.shown


@pytest.mark.parametrize(
    "changed",
    [
        {"locale": None},
        {"locale": 7},
        {"locale": ["es"]},
        {"locale": "es" + "-x" * 5_000},
        {"locale": "tlh-Latn"},
        {"locale": "../es"},
    ],
    ids=lambda changed: repr(changed)[:30],
)
async def test_a_locale_that_is_none_is_answered_in_english(
    adele: Desk, stage: Stage, changed: dict[str, Any]
) -> None:
    chat = stage.teams.chat(adele.person)
    said = activities.message(stage.world, adele.person, chat, "help") | changed
    said["entities"] = []
    answer = await stage.teams.send(said)
    assert answer.status == 200
    assert "What you can write to me" in adele.shown


async def test_a_client_that_tells_its_language_among_the_rest_is_answered_in_it(
    adele: Desk, stage: Stage
) -> None:
    said = activities.message(stage.world, adele.person, stage.teams.chat(adele.person), "help")
    del said["locale"]
    said["entities"] = [{"type": "clientInfo", "locale": "es-US", "platform": "Web"}]
    assert (await stage.teams.send(said)).status == 200
    assert "Lo que puede escribirme" in adele.shown


# What goes wrong ----------------------------------------------------------------------------------


async def test_every_error_that_a_person_can_meet_is_said_in_spanish(
    adele: Desk, channel: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each on the card that a dialog opens with; those who run Herald read English."""
    thread = Thread(adele, channel)
    await thread.say("sms")
    # Of these no sentence is shown there, but a page that signs in.
    kinds = [kind for kind in TOOL.errors() if not issubclass(kind, SignInNeeded | ConsentNeeded)]
    assert len(kinds) > 30
    for kind in kinds:
        error = made(kind)
        english = (error.sentence, str(getattr(error, "advice", "")))

        async def fails(*_: Any, raised: HeraldError = error, **__: Any) -> Any:
            raise raised

        monkeypatch.setattr(Texts, "open", fails)
        dialog = await thread.open()
        with speaking("es"):
            assert error.sentence in dialog.shown
        assert not [said for said in english if said and said in dialog.shown], kind


def made(kind: type[HeraldError]) -> HeraldError:
    """An error of this kind: what it has to be told is 3, or a word."""
    wanted = list(inspect.signature(kind.__init__).parameters.values())[1:]
    told = [part for part in wanted if part.kind is part.POSITIONAL_OR_KEYWORD]
    told = [part for part in told if part.default is part.empty]
    return kind(*(3 if part.annotation is int else "" for part in told))


async def test_a_sign_in_that_begins_in_teams_speaks_as_teams_does(
    herald: Settings,
    at_desk: Callable[[str], Desk],
    stage: Stage,
    channel: Conversation,
    browser: aiohttp.ClientSession,
) -> None:
    """Whatever the browser would like: each page on the way, and the one at its end."""
    thread = Thread(speaks_spanish(at_desk("Adele")), channel)
    await thread.say("sms")
    dialog = await thread.open()
    at_app = dialog.address.replace(stage.public_url, stage.app_url)
    async with browser.get(URL(at_app, encoded=True)) as page:
        assert "Herald actúa en su nombre" in await page.text()
        assert page.headers["Content-Language"] == "es"
    start = at_app.replace("/auth/dialog", "/auth/start")
    async with browser.get(URL(start, encoded=True), allow_redirects=False) as gone:
        state = URL(gone.headers["Location"]).query["state"]
    ended = f"{stage.app_url}/auth/end?error=access_denied&state={state}"
    async with browser.get(ended) as page:
        assert "No dio su permiso" in await page.text()
        assert page.headers["Content-Language"] == "es"


async def test_other_pages_of_the_sign_in_are_in_the_browsers_language(
    herald: Settings, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    address = f"{stage.app_url}/auth/approved?admin_consent=True"
    async with browser.get(address, headers={"Accept-Language": "es-MX"}) as page:
        text = await page.text()
        assert page.headers["Content-Language"] == "es"
    assert '<html lang="es">' in text
    assert "Pueden intentarlo de nuevo enseguida." in text
    async with browser.get(address) as page:
        assert "They can try again at once." in await page.text()
