"""The form of a notification."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.words import gettext, listed, marked, ngettext, written
from cards.blocks import heading, quoted, section, sentence
from cards.buttons import ChooseKind, ReviewNotice
from cards.elements import ActionSet, AdaptiveCard, Element, card, execute, run
from cards.fields import Fields, fitted_form, note_above
from cards.plain import plain
from cards.text_form import Choice
from cards.when import when_section


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
    said: str = ""  # what the press before came to: it stands above the buttons, too
    zone_name: str = ""  # the user's own zone, "Pacific time"; without it there is no "when"
    earliest: str = ""  # ISO dates: what a date input offers
    latest: str = ""
    people_before: int = 0  # an audience too long for a card, which is kept elsewhere
    names_before: tuple[str, ...] = ()  # its first few
    groups: tuple[Choice, ...] = ()  # "Everyone in Care team": where the form stands
    by_name_up_to: int = 2_000  # members; beyond, a group is reached at once
    which: tuple[Which, ...] = ()


_TOPICS = (
    (marked("This chat with Herald"), "chat"),
    (marked("A place in Teams, by its link"), "link"),
    (marked("Herald's page in your organization's apps"), "app"),
)
_AUTO = marked(
    "A whole group is reached by name up to {number} members, at once beyond. “Change something” "
    "on the review lets you choose."
)
_COSTS = marked(
    "By name, you see before who gets it, and each request is accounted for. At once is one quick "
    "request: it reaches whoever is a member when it arrives, and nobody can tell how many or who."
)
_OPENING = marked("It goes into their activity feeds. You see everything before it is sent.")
_MOST_ASKED = 5
_PREVIEW = 150  # characters of the preview that Teams shows
_BLANK = re.compile(r"\{(\w+)\}")


def notice_form(view: NoticeFormView) -> AdaptiveCard:
    """The form. Nothing leaves with it: its main button leads to the review."""
    return fitted_form(view.values, view.errors, lambda fields: _card(view, fields))


def _card(view: NoticeFormView, fields: Fields) -> AdaptiveCard:
    return card(
        [
            heading(gettext("Notify teammates")),
            *fields.opening(gettext(_OPENING), view.said),
            *note_above(view.note),
            *_what(view, fields),
            *_who(view, fields),
            *_where(fields),
            *when_section(fields, view.zone_name, view.earliest, view.latest),
            *fields.closing(view.said),
        ],
        [execute(gettext("Review"), ReviewNotice(view.form_id), main=True, inputs=True)],
        summary=gettext("A form for putting a notice into the activity feeds of teammates."),
    )


def _what(view: NoticeFormView, fields: Fields) -> list[Element]:
    kind = fields.choice(
        "activity_type",
        gettext("Kind of notice"),
        view.activity_types,
        default=view.shown_type,
        style="compact",
        is_required=True,
        error_message=gettext("Choose a kind."),
    )
    use = execute(gettext("Use this kind"), ChooseKind(view.form_id), inputs=True)
    return [
        section(gettext("What it says")),
        kind,
        ActionSet(actions=[use]),
        quoted(*_sentence(view.template)),
        *(_parameter(name, fields) for name in view.parameters),
        fields.text(
            "preview",
            gettext("Preview, at most {number} characters", number=_PREVIEW),
            max_bytes=2_000,
            max_length=_PREVIEW,
            is_multiline=True,
            placeholder=gettext("The first words under the notice"),
        ),
    ]


def _parameter(name: str, fields: Fields) -> Element:
    return fields.text(f"param_{name}", gettext("{name} (needed)", name=spelled(name)))


def _sentence(template: str) -> list[Element]:
    """The template as it will read, with its blanks named."""
    runs = []
    for position, part in enumerate(_BLANK.split(template[:300])):
        if position % 2:
            name = gettext("You") if part == "actor" else f"[{spelled(part).lower()}]"
            runs.append(run(name, weight="bolder"))
        elif part.strip():
            before = " " if position and part[0] == " " else ""
            runs.append(run(before + part.strip() + " "))
    return runs or [run("")]


def _who(view: NoticeFormView, fields: Fields) -> list[Element]:
    return [
        section(gettext("Who gets it")),
        *_groups(view, fields),
        *_before(view, fields),
        *fields.hint(gettext("Choose people, or paste their addresses or names, or both.")),
        fields.people(
            "recipients", gettext("People"), view.people, placeholder=gettext("Type a name")
        ),
        fields.long_text(
            "recipient_list",
            gettext("Addresses or names, one a line (optional)"),
            placeholder="ada@contoso.com",
        ),
        *(_whom(which, fields) for which in view.which[:_MOST_ASKED]),
    ]


def _whom(which: Which, fields: Fields) -> Element:
    none = Choice(gettext("None of them"), "none")
    name = plain(which.name, 60)
    return fields.choice(
        which.input_id,
        gettext("Whom do you mean by “{name}”?", name=name),
        (*which.choices, none),
        style="compact",
        placeholder=gettext("Choose one"),
    )


def _groups(view: NoticeFormView, fields: Fields) -> list[Element]:
    """The choice of a whole group, and of the two ways to reach it, with what each costs."""
    if not view.groups:
        return []
    only = Choice(gettext("Only the people below"), "people")
    return [
        fields.choice(
            "audience",
            gettext("For whom"),
            (only, *view.groups),
            default="people",
            style="compact",  # names of groups: an expanded one would read them as markdown
            is_required=True,
            error_message=gettext("Choose for whom it is."),
        ),
        *_way(view, fields),
    ]


def _way(view: NoticeFormView, fields: Fields) -> list[Element]:
    """How a whole group is reached: asked once one is chosen. Until then it is by its size."""
    chosen = fields.values.get("audience", "") in {group.value for group in view.groups}
    if not chosen and "way" not in fields.errors:
        most = written(view.by_name_up_to)
        return fields.hint(gettext(_AUTO, number=most))
    way = fields.choice(
        "way",
        gettext("A whole group is reached"),
        _ways(view.by_name_up_to),
        default="auto",
        style="expanded",
        is_required=True,
        error_message=gettext("Choose how it goes out."),
    )
    return [way, *fields.hint(gettext(_COSTS))]


def _ways(most: int) -> tuple[Choice, ...]:
    auto = ngettext(
        "By name up to {number} member, at once beyond",
        "By name up to {number} members, at once beyond",
        most,
    )
    return (
        Choice(auto, "auto"),
        Choice(gettext("Each member by name"), "each"),
        Choice(gettext("The whole group at once"), "at_once"),
    )


def _before(view: NoticeFormView, fields: Fields) -> list[Element]:
    """The choice between the people chosen before, with those added below, and others."""
    if not view.people_before:
        return []
    rest = view.people_before - len(view.names_before)
    as_before = ngettext(
        "The {number} person as before, and those I add",
        "The {number} people as before, and those I add",
        view.people_before,
    )
    return [
        sentence(gettext("Before: {names}.", names=listed(view.names_before, besides=rest))),
        fields.choice(
            "keep_audience",
            gettext("Send it to"),
            (Choice(as_before, "keep"), Choice(gettext("Only those I choose now"), "new")),
            default="keep",
            style="expanded",
            is_required=True,
            error_message=gettext("Choose who gets it."),
        ),
    ]


def _where(fields: Fields) -> list[Element]:
    return [
        section(gettext("Where it leads")),
        fields.choice(
            "topic",
            gettext("A click on the notice opens"),
            [Choice(gettext(title), value) for title, value in _TOPICS],
            default="chat",
            style="expanded",
            is_required=True,
            error_message=gettext("Choose where it leads."),
        ),
        fields.text(
            "topic_link",
            gettext("Teams link (only for a place in Teams)"),
            placeholder="https://teams.microsoft.com/l/…",
            style="url",
        ),
        fields.text("topic_title", gettext("Title of the topic (optional)")),
    ]


def spelled(name: str) -> str:
    """A parameter's name as words: `deploymentId` is `Deployment id`.

    Of a parameter that no catalogue knows, the name as it was given.
    """
    if name == "systemDefaultText":
        return gettext("Your words")
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", name).lower()
    return gettext(words[:1].upper() + words[1:])
