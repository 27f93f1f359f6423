"""The gallery: every card in the states that people meet, and in those that somebody provokes."""

from collections.abc import Iterator
from dataclasses import replace

from cards.kept import KeptView, kept
from cards.notes import (
    AdminConsentView,
    NoteView,
    ResultsView,
    SignInView,
    WhoAmIView,
    admin_consent,
    note,
    results,
    sign_in,
    who_am_i,
)
from cards.notice_form import NoticeFormView, Which, notice_form
from cards.notice_review import NoticeReviewView, notice_review
from cards.text_form import Choice, TextFormView, text_form
from cards.text_review import ReviewedAttendee, TextReviewView, text_review
from cards.welcome import CommandLine, HelpView, WelcomeView, help_card, welcome
from tests.cards.delivery_samples import deliveries, lists
from tests.cards.insert_samples import inserts
from tests.cards.sample import (
    EMOJI,
    HOSTILE,
    HOSTILE_WHEN,
    LATER,
    LEAVES,
    LONG,
    RTL,
    WHEN,
    Sample,
)
from tests.cards.shared_samples import shared

ZONES = (
    Choice("Pacific Time (US & Canada)", "Pacific Standard Time"),
    Choice("Mountain Time (US & Canada)", "Mountain Standard Time"),
    Choice("Arizona", "US Mountain Standard Time"),
    Choice("Central Time (US & Canada)", "Central Standard Time"),
    Choice("Eastern Time (US & Canada)", "Eastern Standard Time"),
    Choice("Alaska", "Alaskan Standard Time"),
    Choice("Hawaii", "Hawaiian Standard Time"),
)
ALL_ZONES = ZONES + tuple(Choice(f"Zone {n} (Some City, Another)", f"Zone {n}") for n in range(140))
LANGUAGES = (
    Choice("English (United States)", "en-US"),
    Choice("Spanish (United States)", "es-US"),
    Choice("French (Canada)", "fr-CA"),
)
MEETINGS = (
    Choice(
        "Tue, Dec 1, 9:00 AM – Check-up with Dr. Ruiz", "https://teams.microsoft.com/meet/1?p=a"
    ),
    Choice(
        "Wed, Dec 2, 2:30 PM – Physiotherapy, first visit", "https://teams.microsoft.com/meet/2?p=b"
    ),
)
KINDS = (
    Choice("A deployment waits for approval", "deploymentApprovalRequired"),
    Choice("Finance requests wait for approval", "pendingFinanceApprovalRequests"),
    Choice("In your own words", "systemDefault"),
)
PEOPLE = (
    Choice("Adele Vance", "5e0a0a3e-0001-4d3f-8c1c-000000000001"),
    Choice("Diego Siciliani", "5e0a0a3e-0002-4d3f-8c1c-000000000002"),
)


def text_forms() -> Iterator[Sample]:
    empty = TextFormView("form-1", 1, MEETINGS, ZONES, LANGUAGES)
    yield Sample(text_form, "empty", empty)
    yield Sample(
        text_form,
        "without a calendar",
        replace(empty, meetings=(), note="Your calendar can't be read, so paste the join link."),
    )
    filled = {
        "meeting": MEETINGS[0].value,
        "message_type": "reschedule",
        "language": "es-US",
        "phone_0": "(206) 555-0142",
        "zone_0": "Pacific Standard Time",
        "phone_1": "+1 (602) 555-0187",
        "zone_1": "US Mountain Standard Time",
    }
    yield Sample(text_form, "filled in", replace(empty, rows=2, values=filled))
    yield Sample(
        text_form,
        "a calendar to be allowed",
        replace(empty, meetings=(), note="Herald may not read your calendar yet.", can_allow=True),
    )
    late = "Your calendar has not answered yet."
    yield Sample(text_form, "late", replace(empty, meetings=(), note=late, is_late=True))
    many = tuple(
        Choice(f"Tue, Dec 1, 9:{n:02} AM · {HOSTILE}", f"https://teams.microsoft.com/meet/{n}")
        for n in range(100)
    )
    yield Sample(
        text_form, "100 meetings", replace(empty, meetings=many, meetings_in_all="100 or more")
    )
    yield Sample(text_form, "now or later", replace(empty, **WHEN))
    yield Sample(
        text_form,
        "a reminder, later",
        replace(empty, values={**filled, **LATER, "message_type": "reminder"}, **WHEN),
    )
    yield Sample(
        text_form,
        "a time that is over",
        replace(
            empty,
            values={**filled, **LATER, "when_date": "2026-11-01"},
            errors={
                "when_date": "This day is over.",
                "when_time": "This hour is skipped that night: clocks go from 2:00 to 3:00 AM.",
            },
            **WHEN,
        ),
    )
    wrong = {
        "phone_0": "This number is Canadian. Microsoft texts numbers of the United States only.",
        "phone_1": "This number is one digit short.",
        "join_link": "This is not a link to a Teams meeting.",
    }
    yield Sample(
        text_form,
        "with errors",
        replace(empty, rows=2, values={**filled, "join_link": "https://example.com"}, errors=wrong),
    )
    everything = (
        ["meeting", "join_link", "message_type", "language", "attendee_list", "form", *LATER]
        + [f"phone_{n}" for n in range(10)]
        + [f"zone_{n}" for n in range(10)]
    )
    yield Sample(
        text_form,
        "ten rows, errors everywhere",
        replace(
            empty,
            rows=10,
            values={name: "+12424214121" for name in everything if name.startswith("phone")},
            errors=dict.fromkeys(everything, "This needs another look. " + HOSTILE),
        ),
    )
    meetings = tuple(
        Choice(f"{n} {EMOJI}", f"https://teams.microsoft.com/l/meetup-join/{n}{'x' * 300}")
        for n in range(25)
    )
    huge = {
        **dict.fromkeys(everything, HOSTILE + EMOJI + LONG),
        "meeting": meetings[20].value,
        "attendee_list": "\n".join(f"+1206555{n:04}, Pacific Time" for n in range(10_000)),
    }
    yield Sample(
        text_form,
        "25 meetings, all zones, 10,000 numbers",
        TextFormView(
            "f" * 120, 10, meetings, ALL_ZONES, LANGUAGES, huge, wrong, HOSTILE, **HOSTILE_WHEN
        ),
    )
    yield Sample(
        text_form,
        "in Arabic and Hebrew",
        replace(
            empty,
            meetings=(Choice(RTL, "https://teams.microsoft.com/meet/3"),),
            values={"phone_0": RTL, "attendee_list": f"{RTL}\n{RTL}"},
            errors={"phone_0": f"“{RTL}” is not a number."},
            note=RTL,
        ),
    )
    yield Sample(text_form, "rows out of range", replace(empty, rows=9999))


def text_reviews() -> Iterator[Sample]:
    two = TextReviewView(
        "form-1",
        "Confirmation",
        "Check-up with Dr. Ruiz",
        "Tuesday, December 1, 9:00 AM, Pacific Time",
        "English (United States)",
        (
            ReviewedAttendee("(206) 555-0142", "Pacific Time (US & Canada)", "Tue, Dec 1, 9:00 AM"),
            ReviewedAttendee("(602) 555-0187", "Arizona", "Tue, Dec 1, 10:00 AM"),
        ),
    )
    yield Sample(text_review, "two people", two)
    yield Sample(text_review, "two people, later", replace(two, leaves=LEAVES))
    yield Sample(
        text_review,
        "one person, with a note",
        replace(
            two,
            attendees=(ReviewedAttendee("(206) 555-0142", "Arizona", ""),),
            notes=("(206) 555-0142 was listed twice and gets one text.",),
        ),
    )
    yield Sample(
        text_review,
        "hostile subject",
        replace(
            two, subject=HOSTILE, when=RTL, language=EMOJI, message_type=HOSTILE, leaves=HOSTILE
        ),
    )
    many = tuple(ReviewedAttendee("(206) 555-0142", HOSTILE, EMOJI) for _ in range(500))
    yield Sample(
        text_review,
        "a cancelled appointment that is over",
        replace(two, warnings=("Your calendar says that it is cancelled.", HOSTILE)),
    )
    yield Sample(text_review, "500 people", replace(two, attendees=many, notes=(HOSTILE,) * 50))


WHICH = Which(
    "which_616c6578",
    "alex",
    (
        Choice("Alex Wilber (alex.wilber@contoso.com)", PEOPLE[0].value),
        Choice("Alex Johnson (alex.johnson@contoso.com)", PEOPLE[1].value),
    ),
)


def notice_forms() -> Iterator[Sample]:
    empty = NoticeFormView(
        "form-2",
        KINDS,
        "deploymentApprovalRequired",
        "{actor} asks you to approve deployment {deploymentId}",
        ("deploymentId",),
    )
    yield Sample(notice_form, "empty", empty)
    filled = {
        "activity_type": "deploymentApprovalRequired",
        "param_deploymentId": "6788662",
        "topic": "link",
        "topic_title": "Deployment 6788662",
        "topic_link": "https://teams.microsoft.com/l/message/19:abc@thread.tacv2/1",
        "preview": "New deployment requires your approval",
        "recipients": ",".join(person.value for person in PEOPLE),
        "recipient_list": "megan@contoso.com\nlee@contoso.com",
    }
    yield Sample(notice_form, "filled in", replace(empty, values=filled, people=PEOPLE))
    before = tuple(f"{HOSTILE} {n}" for n in range(5))
    yield Sample(
        notice_form,
        "an audience as before",
        replace(empty, values=filled, people=PEOPLE, people_before=1_200, names_before=before),
    )
    names = [*filled, *LATER, "form"]
    yield Sample(
        notice_form,
        "errors everywhere",
        replace(
            empty,
            values={**filled, **LATER},
            people=PEOPLE,
            errors=dict.fromkeys(names, "This needs another look."),
            **WHEN,
        ),
    )
    yield Sample(notice_form, "now or later", replace(empty, **WHEN))
    groups = (Choice("Everyone in General", "channel"), Choice("Everyone in Care team", "team"))
    here = replace(empty, groups=groups, values={"audience": "team", "way": "each"})
    yield Sample(notice_form, "in a channel", here)
    yield Sample(notice_form, "a name that two have", replace(here, which=(WHICH,)))
    hostile_group = replace(
        here,
        groups=(Choice(HOSTILE, "chat"),),
        which=(Which("which_" + "6" * 600, HOSTILE, (Choice(RTL, "a"), Choice(LONG, "b"))),) * 1,
        errors=dict.fromkeys(["audience", "way", "which_" + "6" * 600], HOSTILE),
    )
    yield Sample(notice_form, "in a hostile place", hostile_group)
    yield Sample(
        notice_form,
        "own words",
        replace(
            empty,
            shown_type="systemDefault",
            template="{systemDefaultText}",
            parameters=("systemDefaultText",),
        ),
    )
    crowd = tuple(
        Choice(f"{EMOJI} {n}", f"5e0a0a3e-{n:04}-4d3f-8c1c-000000000001") for n in range(500)
    )
    yield Sample(
        notice_form,
        "500 people, 10,000 addresses, hostile",
        NoticeFormView(
            "f" * 120,
            tuple(Choice(HOSTILE, f"type{n}") for n in range(128)),
            "type100",
            "{actor} " + HOSTILE + " {a}{b}",
            tuple(f"parameterNumber{n}" for n in range(8)),
            crowd,
            {
                **dict.fromkeys(names, HOSTILE + EMOJI + LONG),
                "recipients": ",".join(person.value for person in crowd),
                "recipient_list": "\n".join(f"person{n}@contoso.com" for n in range(10_000)),
            },
            dict.fromkeys(names, HOSTILE),
            RTL,
            **HOSTILE_WHEN,
        ),
    )


def notice_reviews() -> Iterator[Sample]:
    four = NoticeReviewView(
        "form-2",
        "Megan Bowen",
        "asks you to approve deployment 6788662",
        "New deployment requires your approval",
        "This chat with Herald",
        "",
        ("Adele Vance", "Diego Siciliani", "lee@contoso.com", "Pradeep Gupta"),
        4,
        ("You: nobody can notify himself or herself.",),
        "About 1 second",
    )
    yield Sample(notice_review, "four people", four)
    yield Sample(notice_review, "four people, later", replace(four, leaves=LEAVES))
    everyone = replace(
        four, recipients=(), recipient_count=0, left_out=(), everyone="everyone in Care team"
    )
    yield Sample(notice_review, "everyone at once", everyone)
    yield Sample(notice_review, "everyone, hostile", replace(everyone, everyone=HOSTILE))
    yield Sample(notice_review, "plain", replace(four, preview="", left_out=(), estimate=""))
    hostile = replace(
        four,
        sender=HOSTILE,
        text=HOSTILE,
        preview=RTL,
        topic=HOSTILE,
        link="https://teams.microsoft.com/l/" + "x" * 1000,
        recipients=(HOSTILE, RTL, EMOJI, LONG) * 5,
        recipient_count=12_345,
        left_out=(HOSTILE,) * 300,
        leaves=HOSTILE,
    )
    yield Sample(notice_review, "hostile", hostile)


def short_ones() -> Iterator[Sample]:
    yield Sample(welcome, "named", WelcomeView("Megan"))
    yield Sample(welcome, "nameless", WelcomeView())
    yield Sample(welcome, "hostile", WelcomeView(HOSTILE))
    commands = (
        CommandLine("text", "Text the people of an appointment"),
        CommandLine("notify", "Put a notice into the feeds of teammates"),
        CommandLine("whoami", "Show who you are signed in as"),
        CommandLine("signin", "Sign in"),
        CommandLine("signout", "Sign out"),
        CommandLine("help", "Show this list"),
    )
    yield Sample(help_card, "all commands", HelpView(commands))
    yield Sample(help_card, "unknown word", HelpView(commands, "notfy", "notify"))
    yield Sample(help_card, "hostile word", HelpView(commands, HOSTILE))
    link = "https://herald.contoso.com/auth/start?s=" + "A1b2C3d4" * 30
    why = "Teams could not sign you in by itself."
    yield Sample(sign_in, "by hand", SignInView(why, link, "text"))
    yield Sample(sign_in, "in the browser", SignInView(why, link, in_browser=True))
    consent = AdminConsentView(
        "sending appointment texts", "VirtualAppointmentNotification.Send", link, "text"
    )
    yield Sample(admin_consent, "texts", consent)
    scopes = ("TeamsActivity.Send", "User.ReadBasic.All", "openid")
    yield Sample(who_am_i, "signed in", WhoAmIView("Megan Bowen", "megan@contoso.com", scopes))
    yield Sample(who_am_i, "nothing allowed", WhoAmIView("Megan Bowen", "megan@contoso.com", ()))
    yield Sample(who_am_i, "signed out", WhoAmIView("", "", ()))
    yield Sample(who_am_i, "hostile", WhoAmIView(HOSTILE, RTL, (HOSTILE,) * 90))
    typed = {"phone_0": "(206) 342-8631", "attendee_list": "x" * 20_000}
    yield Sample(kept, "a long list", KeptView("The form could not be read.", typed, "text"))
    worst = {f"{HOSTILE}{n}": f"{RTL}{EMOJI}{LONG}{HOSTILE}" for n in range(60)}
    yield Sample(kept, "hostile", KeptView(HOSTILE, worst, HOSTILE))
    file = f"https://herald.contoso.com/results/{'A1b2C3d4' * 12}"
    yield Sample(results, "download", ResultsView("3fa2b1c9", file))
    yield Sample(results, "hostile", ResultsView(HOSTILE, file))
    yield Sample(note, "good", NoteView("You are signed out", "Herald has forgotten you.", "good"))
    yield Sample(note, "neutral", NoteView("Nothing to do", "There is nothing to send."))
    problem = NoteView(
        "Microsoft's sign-in service did not answer",
        "Nothing was sent; please try again.",
        "problem",
        "Wait a minute.",
        "8a6f2b9e-1111-4c7c-9d4b-3f1b7e1a2c3d",
        "text",
    )
    yield Sample(note, "problem", problem)
    typed = {"phone_0": HOSTILE, "attendee_list": LONG * 20, "odd": "", "preview": RTL}
    yield Sample(kept, "a text", KeptView("It is too long for a card.", typed, "text"))
    yield Sample(kept, "nothing typed", KeptView(HOSTILE, {}, "notice"))
    yield Sample(note, "hostile", NoteView(HOSTILE, EMOJI + HOSTILE, HOSTILE, RTL, HOSTILE, "text"))


def gallery() -> list[Sample]:
    """All of them."""
    return [
        *text_forms(),
        *text_reviews(),
        *notice_forms(),
        *notice_reviews(),
        *deliveries(),
        *lists(),
        *short_ones(),
        *shared(),
        *inserts(),
    ]
