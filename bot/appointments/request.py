"""An appointment text as it was asked for: checked, frozen, ready to become a batch."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

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


@dataclass(frozen=True)
class Attendee:
    """One external attendee: an E.164 number of the United States and a Windows zone name."""

    number: str
    zone: str


@dataclass(frozen=True)
class Meeting:
    """The online meeting a text is about; `id` is Graph's onlineMeeting id."""

    id: str
    subject: str
    starts_at: datetime | None


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

    def to_json(self) -> dict[str, Any]:
        """For the ledger, sealed there."""
        found = asdict(self)
        starts_at = self.meeting.starts_at
        found["meeting"]["starts_at"] = starts_at.isoformat() if starts_at else None
        found["leaves_at"] = self.leaves_at.isoformat() if self.leaves_at else None
        return found

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        starts_at = found["meeting"]["starts_at"]
        return cls(
            meeting=Meeting(
                id=found["meeting"]["id"],
                subject=found["meeting"]["subject"],
                starts_at=datetime.fromisoformat(starts_at) if starts_at else None,
            ),
            join_link=found["join_link"],
            message_type=found["message_type"],
            language=found["language"],
            attendees=tuple(Attendee(**attendee) for attendee in found["attendees"]),
            leaves_at=datetime.fromisoformat(found["leaves_at"]) if found["leaves_at"] else None,
            in_calendar=found["in_calendar"],
        )
