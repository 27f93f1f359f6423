"""The form of a notification."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cards.text_form import Choice


@dataclass(frozen=True)
class NoticeFormView:
    """Everything the form shows.

    Input ids: `activity_type`; `param_<name>` for each of `parameters`; `topic` (chat, link,
    app); `topic_title`; `topic_link`; `preview`; `recipients` (people picker, comma-joined Entra
    ids); `recipient_list` (pasted addresses). `shown_type` is the type whose parameters are shown.
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
