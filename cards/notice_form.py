"""The form of a notification."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cards.blocks import aside, heading, people, quoted, section, sentence
from cards.buttons import ChooseKind, ReviewNotice
from cards.elements import ActionSet, AdaptiveCard, Element, card, execute, run
from cards.fields import Fields, fitted_form, note_above
from cards.plain import plain
from cards.text_form import Choice
from cards.when import NAMES, when_section


@dataclass(frozen=True)
class Which:
    """A name in the pasted list that several people have; `input_id` asks which of them."""

    input_id: str
    name: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class NoticeFormView:
    """Everything the form shows.

    Input ids: `activity_type`; `param_<name>` for each of `parameters`; `topic` (chat, link,
    app); `topic_title`; `topic_link`; `preview`; `recipients` (people picker, comma-joined Entra
    ids); `recipient_list` (pasted addresses and names); `which_…` for each of `which`; `audience`
    (people, or a value of `groups`) and `way` (auto, each, at_once), where there are `groups`;
    `keep_audience` (keep, new), where there are
    `people_before`; `when` (now, later); `when_date` (2026-12-01); `when_time` (09:00).
    `shown_type` is the type whose parameters are shown.
    """

    form_id: str
    activity_types: tuple[Choice, ...]
    shown_type: str
    template: str  # "Deployment {deploymentId} waits for approval"
    parameters: tuple[str, ...]  # names, in the template's order, without {actor}
    people: tuple[Choice, ...] = ()  # those already chosen, so that the picker shows their names
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    zone_name: str = ""  # the user's own zone, "Pacific time"; without it there is no "when"
    earliest: str = ""  # ISO dates: what a date input offers
    latest: str = ""
    people_before: int = 0  # an audience too long for a card, which is kept elsewhere
    names_before: tuple[str, ...] = ()  # its first few
    groups: tuple[Choice, ...] = ()  # "Everyone in Care team": where the form stands
    by_name_up_to: int = 2_000  # members; beyond, a group is reached at once
    which: tuple[Which, ...] = ()


_TOPICS = (
    Choice("This chat with Herald", "chat"),
    Choice("A place in Teams, by its link", "link"),
    Choice("Herald's page in your organization's apps", "app"),
)
_MOST_ASKED = 5
_PREVIEW = 150  # characters of the preview that Teams shows
_BLANK = re.compile(r"\{(\w+)\}")


def notice_form(view: NoticeFormView) -> AdaptiveCard:
    """The form. Nothing leaves with it: its main button leads to the review."""
    return fitted_form(view.values, view.errors, lambda fields: _card(view, fields))


def _card(view: NoticeFormView, fields: Fields) -> AdaptiveCard:
    names = {"activity_type", "topic", "topic_title", "topic_link", "preview"}
    names |= {"recipients", "recipient_list", *(f"param_{name}" for name in view.parameters)}
    names |= {"keep_audience"} if view.people_before else set()
    names |= {"audience", "way"} if view.groups else set()
    names |= NAMES if view.zone_name else set()
    return card(
        [
            heading("Notify teammates"),
            aside("It goes into their activity feeds. You see everything before it is sent."),
            *note_above(view.note),
            *fields.summary(names),
            *_what(view, fields),
            *_who(view, fields),
            *_where(fields),
            *when_section(fields, view.zone_name, view.earliest, view.latest),
        ],
        [execute("Review", ReviewNotice(view.form_id), main=True, inputs=True)],
        summary="A form for putting a notice into the activity feeds of teammates.",
    )


def _what(view: NoticeFormView, fields: Fields) -> list[Element]:
    kind = fields.choice(
        "activity_type",
        "Kind of notice",
        view.activity_types,
        default=view.shown_type,
        style="compact",
        is_required=True,
        error_message="Choose a kind.",
    )
    use = execute("Use this kind", ChooseKind(view.form_id), inputs=True)
    return [
        section("What it says"),
        kind,
        ActionSet(actions=[use]),
        quoted(*_sentence(view.template)),
        *(fields.text(f"param_{name}", f"{spelled(name)} (needed)") for name in view.parameters),
        fields.text(
            "preview",
            f"Preview, at most {_PREVIEW} characters",
            max_bytes=2_000,
            max_length=_PREVIEW,
            is_multiline=True,
            placeholder="The first words under the notice",
        ),
    ]


def _sentence(template: str) -> list[Element]:
    """The template as it will read, with its blanks named."""
    runs = []
    for position, part in enumerate(_BLANK.split(template[:300])):
        if position % 2:
            name = "You" if part == "actor" else f"[{spelled(part).lower()}]"
            runs.append(run(name, weight="bolder"))
        elif part.strip():
            before = " " if position and part[0] == " " else ""
            runs.append(run(before + part.strip() + " "))
    return runs or [run("")]


def _who(view: NoticeFormView, fields: Fields) -> list[Element]:
    return [
        section("Who gets it"),
        *_groups(view, fields),
        *_before(view, fields),
        aside("Choose people, or paste their addresses or names, or both."),
        fields.people("recipients", "People", view.people, placeholder="Type a name"),
        fields.long_text(
            "recipient_list",
            "Addresses or names, one a line (optional)",
            placeholder="ada@contoso.com",
        ),
        *(_whom(which, fields) for which in view.which[:_MOST_ASKED]),
    ]


def _whom(which: Which, fields: Fields) -> Element:
    none = Choice("None of them", "none")
    name = plain(which.name, 60)
    return fields.choice(
        which.input_id,
        f"Whom do you mean by “{name}”?",
        (*which.choices, none),
        style="compact",
        placeholder="Choose one",
    )


def _groups(view: NoticeFormView, fields: Fields) -> list[Element]:
    """The choice of a whole group, and of the two ways to reach it, with what each costs."""
    if not view.groups:
        return []
    only = Choice("Only the people below", "people")
    most = f"{view.by_name_up_to:,}"
    ways = (
        Choice(f"By name up to {most} members, at once beyond", "auto"),
        Choice("Each member by name", "each"),
        Choice("The whole group at once", "at_once"),
    )
    return [
        fields.choice(
            "audience",
            "For whom",
            (only, *view.groups),
            default="people",
            style="compact",  # names of groups: an expanded one would read them as markdown
            is_required=True,
            error_message="Choose for whom it is.",
        ),
        fields.choice(
            "way",
            "A whole group is reached",
            ways,
            default="auto",
            style="compact",
            is_required=True,
            error_message="Choose how it goes out.",
        ),
        aside(
            "By name, you see before who gets it, and each request is accounted for. At once is "
            "one quick request: it reaches whoever is a member when it arrives, and nobody can "
            "tell how many or who."
        ),
    ]


def _before(view: NoticeFormView, fields: Fields) -> list[Element]:
    """The choice between the people chosen before, with those added below, and others."""
    if not view.people_before:
        return []
    rest = view.people_before - len(view.names_before)
    more = f" and {rest:,} more" if rest > 0 else ""
    as_before = f"The {people(view.people_before)} as before, and those I add"
    return [
        sentence(f"Before: {', '.join(view.names_before)}{more}."),
        fields.choice(
            "keep_audience",
            "Send it to",
            (Choice(as_before, "keep"), Choice("Only those I choose now", "new")),
            default="keep",
            style="expanded",
            is_required=True,
            error_message="Choose who gets it.",
        ),
    ]


def _where(fields: Fields) -> list[Element]:
    return [
        section("Where it leads"),
        fields.choice(
            "topic",
            "A click on the notice opens",
            _TOPICS,
            default="chat",
            style="expanded",
            is_required=True,
            error_message="Choose where it leads.",
        ),
        fields.text(
            "topic_link",
            "Teams link (only for a place in Teams)",
            placeholder="https://teams.microsoft.com/l/…",
            style="url",
        ),
        fields.text("topic_title", "Title of the topic (optional)"),
    ]


def spelled(name: str) -> str:
    """A parameter's name as words: `deploymentId` is `Deployment id`."""
    if name == "systemDefaultText":
        return "Your words"
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", name).lower()
    return words[:1].upper() + words[1:]
