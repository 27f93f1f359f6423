"""An appointment text as it was asked for: checked, frozen, ready to become a batch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from bot.words import gettext

MESSAGE_TYPES = ("confirmation", "reschedule", "cancellation", "reminder")

# What Accept-Language may say; the form offers these, the first is the default.
LANGUAGES = (
    "en-US",
    "es-US",
    "es-MX",
    "fr-FR",
    "de-DE",
    "pt-BR",
    "zh-CN",
    "ko-KR",
    "vi-VN",
    "ru-RU",
    "ar-SA",
)

_LAST_MIDNIGHT = timedelta(hours=12)  # after UTC's: a day has begun everywhere on Earth
_TIMES = ("starts_at", "told_at", "ends_at")


@dataclass(frozen=True)
class Attendee:
    """One external attendee: an E.164 number of the United States and a Windows zone name."""

    number: str
    zone: str


@dataclass(frozen=True)
class Meeting:
    """The online meeting a text is about, at one of its times; `id` is Graph's onlineMeeting id.

    `starts_at` is None where nobody can tell; `told_at` is what Graph tells of the meeting itself,
    which for a series is its first day; `is_cancelled` as far as the calendar tells. `event_id` is
    that of this time in the calendar, where it stands there. Of an all-day one the times are
    midnights in UTC.
    """

    id: str
    subject: str
    starts_at: datetime | None
    told_at: datetime | None = None
    ends_at: datetime | None = None
    is_cancelled: bool = False
    event_id: str = ""
    is_all_day: bool = False

    @property
    def title(self) -> str:
        """Its subject, or what it is called that has none."""
        return self.subject or gettext("Appointment")

    @property
    def begins_at(self) -> datetime | None:
        """When it has begun for everybody; None where nobody can tell."""
        if self.starts_at is None or not self.is_all_day:
            return self.starts_at
        return self.starts_at + _LAST_MIDNIGHT

    def has_begun(self, at: datetime) -> bool:
        """Whether it has begun by then, as far as that can be told."""
        return self.begins_at is not None and self.begins_at <= at

    def to_json(self) -> dict[str, Any]:
        """Its fields, times in ISO."""
        times = {name: getattr(self, name) for name in _TIMES}
        return asdict(self) | {name: at.isoformat() if at else None for name, at in times.items()}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        times = {name: datetime.fromisoformat(at) for name in _TIMES if (at := found.get(name))}
        return cls(**{**found, **dict.fromkeys(_TIMES), **times})


@dataclass(frozen=True)
class TextRequest:
    """One appointment text, with every value that the form had, so that it can be changed."""

    meeting: Meeting
    join_link: str
    message_type: str
    language: str
    attendees: tuple[Attendee, ...]
    leaves_at: datetime | None = None  # None: at once
    in_calendar: bool = False  # it stood in the sender's calendar when it was chosen
    # Inputs that were filled in and do not count: the form shows them again.
    unused: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For the ledger, sealed there."""
        found = asdict(self)
        found["meeting"] = self.meeting.to_json()
        found["leaves_at"] = self.leaves_at.isoformat() if self.leaves_at else None
        return found

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(
            meeting=Meeting.from_json(found["meeting"]),
            join_link=found["join_link"],
            message_type=found["message_type"],
            language=found["language"],
            attendees=tuple(Attendee(**attendee) for attendee in found["attendees"]),
            leaves_at=datetime.fromisoformat(found["leaves_at"]) if found["leaves_at"] else None,
            in_calendar=found["in_calendar"],
            unused=found.get("unused", {}),
        )
