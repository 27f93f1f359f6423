"""Texts to the attendees of a virtual appointment, and the phones they arrive on."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_datetime

from sandbox.graph_answers import Answer, Call, bad_request, forbidden
from sandbox.graph_calendar import WINDOWS_ZONES, organized
from sandbox.graph_query import only
from sandbox.world import Meeting, PhoneText

BODIES: dict[str, dict[str, str]] = {
    "en": {
        "confirmation": "{organizer}: your appointment “{subject}” is confirmed for {when}. "
        "Join: {link}",
        "reschedule": "{organizer}: your appointment “{subject}” was moved to {when}. Join: {link}",
        "cancellation": "{organizer}: your appointment “{subject}” on {when} was cancelled.",
        "reminder": "{organizer}: your appointment “{subject}” starts soon, {when}. Join: {link}",
    },
    "es": {
        "confirmation": "{organizer}: su cita «{subject}» está confirmada para el {when}. "
        "Únase: {link}",
        "reschedule": "{organizer}: su cita «{subject}» se cambió al {when}. Únase: {link}",
        "cancellation": "{organizer}: su cita «{subject}» del {when} fue cancelada.",
        "reminder": "{organizer}: su cita «{subject}» empieza pronto, {when}. Únase: {link}",
    },
    "fr": {
        "confirmation": "{organizer} : votre rendez-vous « {subject} » est confirmé pour le "
        "{when}. Rejoindre : {link}",
        "reschedule": "{organizer} : votre rendez-vous « {subject} » est reporté au {when}. "
        "Rejoindre : {link}",
        "cancellation": "{organizer} : votre rendez-vous « {subject} » du {when} est annulé.",
        "reminder": "{organizer} : votre rendez-vous « {subject} » commence bientôt, {when}. "
        "Rejoindre : {link}",
    },
}


def send_texts(call: Call, body: Mapping[str, Any]) -> Answer:
    """POST …/sendVirtualAppointmentSms. All attendees or none."""
    if body.get("messageType") is None:
        raise bad_request("messageType is required.")
    return _send(call, body, body["messageType"])


def send_reminders(call: Call, body: Mapping[str, Any]) -> Answer:
    """POST …/sendVirtualAppointmentReminderSms. The stand-in sends it at once."""
    if body.get("remindBeforeTimeInMinutesType") is None:
        raise bad_request("remindBeforeTimeInMinutesType is required.")
    return _send(call, body, "reminder")


def is_us_number(text: str) -> bool:
    """Whether this is E.164 and a valid number of the United States, not of another +1 country."""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return False
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return text == written and phonenumbers.is_valid_number_for_region(number, "US")


def language_of(accept_language: str) -> str:
    """The first language asked for that there are texts in, as it was written; else `en-US`."""
    for part in accept_language.split(","):
        tag = part.partition(";")[0].strip()
        if tag.partition("-")[0].lower() in BODIES:
            return tag
    return "en-US"


def _send(call: Call, body: Mapping[str, Any], message_type: str) -> Answer:
    only(call)
    meeting = organized(call)
    attendees = body.get("attendees") or []
    if not attendees:
        raise bad_request("attendees may not be empty.")
    for attendee in attendees:
        _check(attendee)
    if not call.actor.has_premium:
        raise forbidden("The organizer has no Teams Premium license, which this action needs.")
    language = language_of(call.headers.get("accept-language", ""))
    for attendee in attendees:
        text = _text(call, meeting, message_type, language, attendee)
        call.world.phones[text.number].append(text)
    call.world.changed()
    return Answer(202, {}, took_effect=True)


def _check(attendee: Mapping[str, Any]) -> None:
    number, zone = attendee.get("phoneNumber"), attendee.get("timeZone")
    if number is None or not is_us_number(number):
        raise bad_request("phoneNumber must be a valid United States phone number in E.164.")
    if zone is None or zone not in WINDOWS_ZONES:
        raise bad_request("timeZone must be the Windows name of a time zone.")


def _text(
    call: Call,
    meeting: Meeting,
    message_type: str,
    language: str,
    attendee: Mapping[str, str],
) -> PhoneText:
    zone = ZoneInfo(WINDOWS_ZONES[attendee["timeZone"]])
    short = language.partition("-")[0].lower()
    when = format_datetime(meeting.start.astimezone(zone), "EEEE d MMM, HH:mm z", locale=short)
    if short == "en":
        when = format_datetime(meeting.start.astimezone(zone), "EEE, MMM d, h:mm a z", locale="en")
    return PhoneText(
        at=call.world.now(),
        number=attendee["phoneNumber"],
        message_type=message_type,
        subject=meeting.subject,
        starts_at=meeting.start,
        zone=attendee["timeZone"],
        language=language,
        organizer=call.actor.name,
        body=BODIES[short][message_type].format(
            organizer=call.actor.name, subject=meeting.subject, when=when, link=meeting.join_url
        ),
    )
