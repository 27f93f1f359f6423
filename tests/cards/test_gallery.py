"""What is true of every card that Herald can send."""

import importlib
import inspect
import json
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import jsonschema

import cards
from cards import buttons
from cards.elements import MAX_BYTES, AdaptiveCard, size
from tests.cards.sample import HOSTILE, Sample
from tests.cards.samples import gallery

SAMPLES = gallery()
TEAMS_EXTENSIONS = {"msteams", "choices.data", "refresh", "layouts"}
SCHEMA = json.loads((files("adaptive_cards") / "schemas" / "schema-1.5.json").read_text("utf-8"))
OFFICIAL = jsonschema.validators.validator_for(SCHEMA)
COLOURED = {"good", "warning", "attention"}


def each_card(check: Callable[..., None]) -> Callable[..., None]:
    """One test for all cards: it goes on after the first that fails, and names each that does."""

    def looked_at(**more: Any) -> None:
        wrong = []
        for sample in SAMPLES:
            try:
                check(sample, **more)
            except AssertionError as error:
                wrong.append(f"{sample.title}: {error}")
        assert not wrong, "\n".join(wrong)

    # What pytest reads the fixtures from.
    sample, *fixtures = inspect.signature(check).parameters.values()
    assert sample.name == "sample"
    looked_at.__name__, looked_at.__doc__ = check.__name__, check.__doc__
    looked_at.__signature__ = inspect.Signature(fixtures)  # type: ignore[attr-defined]
    return looked_at


def parts(json_part: Any) -> Iterator[dict[str, Any]]:
    """Every object of a card; not what buttons carry."""
    if isinstance(json_part, list):
        for item in json_part:
            yield from parts(item)
    elif isinstance(json_part, dict):
        yield json_part
        for key, value in json_part.items():
            if key not in {"data", "fallback"}:
                yield from parts(value)


def of_type(card: dict[str, Any], start: str) -> list[dict[str, Any]]:
    return [part for part in parts(card) if str(part.get("type", "")).startswith(start)]


def words_in(part: dict[str, Any]) -> str:
    return " ".join(str(inner.get("text", "")) for inner in parts(part))


def of_its_type(validator: Any, kinds: list[Any], part: Any, schema: Any) -> Iterator[Any]:
    """`anyOf`, asking only the kind that a part says it is, where there is one.

    The others would refuse it for its type, but not before they went through all that is in it.
    """

    def may_be(kind: dict[str, Any]) -> bool:
        for inner in kind.get("allOf", []):
            named = SCHEMA["definitions"][inner["$ref"].rpartition("/")[2]]
            types = named.get("properties", {}).get("type", {}).get("enum")
            if types and part.get("type") not in types:
                return False
        return True

    mine = [kind for kind in kinds if may_be(kind)] if isinstance(part, dict) else kinds
    yield from OFFICIAL.VALIDATORS["anyOf"](validator, mine or kinds, part, schema)


VALIDATOR = jsonschema.validators.extend(OFFICIAL, {"anyOf": of_its_type})(SCHEMA)


def without_extensions(part: Any) -> Any:
    if isinstance(part, list):
        return [without_extensions(item) for item in part]
    if isinstance(part, dict):
        return {
            key: without_extensions(value)
            for key, value in part.items()
            if key not in TEAMS_EXTENSIONS and (key, value) != ("style", "filtered")
        }
    return part


def test_every_card_function_has_a_sample() -> None:
    public = set()
    for found in pkgutil.iter_modules(cards.__path__):
        module = importlib.import_module(f"cards.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            takes_a_view = [
                p
                for p in inspect.signature(function).parameters.values()
                if getattr(p.annotation, "__name__", "").endswith("View")
            ]
            returns_a_card = function.__annotations__.get("return") is AdaptiveCard
            own = function.__module__ == module.__name__ and not name.startswith("_")
            if own and returns_a_card and takes_a_view:
                public.add(function)
    assert len(public) >= 11
    assert public == {sample.draw for sample in SAMPLES}


def test_no_two_samples_have_the_same_title() -> None:
    assert max(Counter(sample.title for sample in SAMPLES).values()) == 1


@each_card
def test_it_keeps_to_the_official_schema(sample: Sample) -> None:
    card = without_extensions(sample.payload)
    errors = [f"{list(e.path)}: {e.message[:200]}" for e in VALIDATOR.iter_errors(card)]
    assert errors == []


@each_card
def test_the_renderer_draws_it_without_a_complaint(sample: Sample, drawn: dict[str, Any]) -> None:
    seen = drawn[sample.title]
    assert seen["events"] == []
    assert seen["drawn"] > 5


@each_card
def test_markdown_makes_nothing_of_its_texts(sample: Sample, drawn: dict[str, Any]) -> None:
    assert drawn[sample.title]["tags"] == []


@each_card
def test_it_fits_into_a_message(sample: Sample) -> None:
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": sample.payload,
    }
    assert size(sample.card) < len(json.dumps(attachment)) < MAX_BYTES


@each_card
def test_it_is_of_version_one_five_and_speaks(sample: Sample) -> None:
    card = sample.payload
    assert card["version"] == "1.5"
    assert card["msteams"] == {"width": "Full"}
    assert card["lang"] == "en"
    assert card["speak"].strip()
    assert card["fallbackText"].strip()
    assert not set("<>&") & set(card["speak"])


@each_card
def test_every_input_has_a_label_and_every_required_one_an_error_message(sample: Sample) -> None:
    for entry in of_type(sample.payload, "Input."):
        assert entry["id"]
        assert entry["label"].strip()
        if entry.get("isRequired"):
            assert entry["errorMessage"].strip()


@each_card
def test_no_required_input_comes_empty(sample: Sample) -> None:
    """The client would stop 'Add attendee' and 'Use this kind' because of it."""
    for entry in of_type(sample.payload, "Input."):
        if entry.get("isRequired"):
            assert entry["value"] in {choice["value"] for choice in entry["choices"]}


@each_card
def test_every_image_has_a_text(sample: Sample) -> None:
    assert all(image["altText"].strip() for image in of_type(sample.payload, "Image"))


@each_card
def test_no_id_appears_twice(sample: Sample) -> None:
    ids = Counter(part["id"] for part in parts(sample.payload) if "id" in part)
    assert [name for name, times in ids.items() if times > 1] == []


@each_card
def test_every_execute_has_a_submit_that_does_the_same(sample: Sample) -> None:
    # A refresh is no button: a client that doesn't know it draws nothing anew.
    shown = {name: part for name, part in sample.payload.items() if name != "refresh"}
    for action in of_type(shown, "Action.Execute"):
        fallback = action["fallback"]
        assert fallback["type"] == "Action.Submit"
        for key in ("title", "data", "associatedInputs"):
            assert fallback[key] == action[key]
        assert fallback["data"]["verb"] == action["verb"]


@each_card
def test_every_button_is_read_back_as_itself(sample: Sample) -> None:
    for action in of_type(sample.payload, "Action.Execute"):
        button = buttons.read(action["verb"], action["data"])
        assert button is not None
        assert button.pack() == action["data"]


@each_card
def test_a_button_sends_inputs_along_only_where_there_are_any(sample: Sample) -> None:
    card = sample.payload
    sending = [a for a in of_type(card, "Action.") if a.get("associatedInputs") == "auto"]
    assert not sending or of_type(card, "Input.")


@each_card
def test_no_card_has_more_buttons_than_teams_shows(sample: Sample) -> None:
    assert len(sample.payload.get("actions", [])) <= 6


@each_card
def test_what_is_coloured_says_it_in_a_sign_and_words_too(sample: Sample) -> None:
    for part in parts(sample.payload):
        if part.get("style") in COLOURED and not part["type"].startswith("Action."):
            words = words_in(part)
        elif part.get("color") in COLOURED:
            words = part["text"]
        else:
            continue
        assert any(ord(char) > 0x2600 for char in words)
        assert any(char.isalpha() for char in words)


@each_card
def test_no_hidden_or_reordering_character_is_shown(sample: Sample) -> None:
    for part in parts(sample.payload):
        shown = [part.get(key, "") for key in ("text", "title", "label", "speak", "fallbackText")]
        for text in shown:
            assert not set(str(text)) & set("\u202a\u202b\u202c\u202d\u202e\x00\x1b\u200e\u200f")
            assert "{{" not in str(text)


@each_card
def test_no_card_says_delivered(sample: Sample) -> None:
    assert "delivered" not in json.dumps(sample.payload).lower()


@each_card
def test_a_card_has_one_title_for_screen_readers(sample: Sample) -> None:
    headings = [p for p in parts(sample.payload) if p.get("style") == "heading"]
    assert headings
    assert all(part["text"].strip() for part in headings)


def test_the_hostile_text_would_be_markdown_if_nobody_stopped_it() -> None:
    from tests.cards.conftest import lint

    (tags,) = lint({}, [HOSTILE])["texts"]
    assert {"a", "strong", "em", "code", "img"} <= set(tags)
