"""The form of an appointment text."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_ROWS = 10


@dataclass(frozen=True)
class Choice:
    """One choice of a list: what is shown and what is sent back."""

    title: str
    value: str


@dataclass(frozen=True)
class TextFormView:
    """Everything the form shows.

    `values` are the inputs' values by input id, as they were entered; `errors` are sentences by
    input id. Input ids: `meeting` (a join link, from the list), `join_link` (pasted),
    `message_type` (confirmation, reschedule, cancellation), `language` (an Accept-Language tag),
    `phone_<n>` and `zone_<n>` for n in range(rows), `attendee_list` (one a line:
    "number, time zone").
    """

    form_id: str
    rows: int
    meetings: tuple[Choice, ...]
    zones: tuple[Choice, ...]  # the user's own first; values are Windows names
    languages: tuple[Choice, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    note: str = ""  # a sentence at the top, such as why the calendar could not be read
