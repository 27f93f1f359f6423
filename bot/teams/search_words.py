"""What somebody types to find something again, compared with what there is: forgivingly.

Words match anywhere inside a word, whatever their case, accents and punctuation. What has all of
them is found; where nothing has, what has most of them.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from bot.delivery.models import Delivery, Kind
from bot.graph.records import MeetingEvent
from bot.teams.delivery_views import state_of
from bot.words import gettext
from cards.delivery_list import DeliveryRow
from cards.delivery_words import HEADLINES

_MOST_WORDS = 12
_LONGEST_WORD = 60
# In every language: somebody may search for what a colleague told in another.
_KINDS = {
    True: "appointment text sms message cita mensaje",
    False: "notice notification notify activity aviso notificación avisar actividad",
}
# How people ask for a state, besides the words that the card has for it.
_ASKED_FOR: Mapping[str, str] = {
    "scheduled": "later planned pending programado después pendiente",
    "waiting": "queued pending en cola pendiente",
    "accepted": "sent done enviado hecho",
    "arrived": "sent done received enviado hecho recibido",
    "refused": "failed error rejected rechazado fallido",
    "unknown": "unclear doubt duda sin saber",
    "mixed": "partly refused failed en parte rechazado",
    "needs_sign_in": "signin pending iniciar sesión pendiente",
    "held": "pending moved pendiente movida",
    "cancelled": "canceled stopped cancelado anulado",
}


def words_in(typed: str) -> tuple[str, ...]:
    """What is looked for: words in their plainest form, each once."""
    found = [word[:_LONGEST_WORD] for word in plainest(typed[:1000]).split()]
    return tuple(dict.fromkeys(found))[:_MOST_WORDS]


def hits(words: Iterable[str], text: str) -> int:
    """How many of the words stand in a text that is in its plainest form."""
    return sum(word in text for word in words)


def plainest(text: str) -> str:
    """Letters and digits in lower case without accents, and spaces for all else."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in apart if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", bare)


def text_of_delivery(delivery: Delivery, row: DeliveryRow, kinds: Mapping[str, str]) -> str:
    """All that a delivery is found by: id, kind, state, activity type, words. No name or number.

    `kinds` are what people call each activity type.
    """
    request, state = delivery.request, state_of(delivery)
    activity_type = str(request.get("activity_type", ""))
    parts = (
        delivery.id,
        _KINDS[delivery.kind is Kind.TEXT],
        row.title,
        row.about,
        row.when,
        state,
        HEADLINES[state][2],
        gettext(HEADLINES[state][2]),
        _ASKED_FOR[state],
        activity_type,
        kinds.get(activity_type, ""),
        str(request.get("message_type", "")),
        str(request.get("preview", "")),
        str((request.get("topic") or {}).get("value", "")),
    )
    return plainest(" ".join(parts))


def text_of_appointment(event: MeetingEvent, when: str) -> str:
    """What an appointment is found by: its subject, and when it is."""
    state = "cancelled canceled cancelada" if event.is_cancelled else "upcoming próxima"
    return plainest(f"appointment meeting cita reunión {event.subject} {when} {state}")
