"""The pages that the manifest names: what Herald is, what it keeps, and on which terms it comes."""

from html import escape

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.settings import Settings
from bot.words import LANGUAGES, gettext, language_of, ngettext, speaking, spoken

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Language",
}


def routes(settings: Settings) -> list[web.RouteDef]:
    """`/about`, `/about/privacy` and `/about/terms`: no script, nothing to fill in."""
    pages: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        with speaking(language):
            for path, (heading, sentence) in _texts(settings.retention_days).items():
                pages.setdefault(path, {})[language] = _page(heading, sentence)
    return [web.get(path, _answering(by_language)) for path, by_language in pages.items()]


def _texts(days: int) -> dict[str, tuple[str, str]]:
    """Heading and sentence of each page, in the language that is spoken."""
    return {
        "/about": (
            "Herald",
            gettext(
                "Herald texts the people of an appointment and puts notices into teammates' "
                "activity feeds, from cards in Microsoft Teams, in your own name and with your own "
                "permissions."
            ),
        ),
        "/about/privacy": (
            gettext("Privacy"),
            ngettext(
                "Phone numbers, message texts and sign-ins are kept encrypted in your "
                "organization's own database. Numbers and texts are erased after a day. Nothing is "
                "sent to anybody but Microsoft, in whose services you are signed in.",
                "Phone numbers, message texts and sign-ins are kept encrypted in your "
                "organization's own database. Numbers and texts are erased after {number} days. "
                "Nothing is sent to anybody but Microsoft, in whose services you are signed in.",
                days,
            ),
        ),
        "/about/terms": (
            gettext("Terms"),
            gettext(
                "Herald is free software under the MIT License and comes without warranty. Whoever "
                "runs it for your organization decides who may use it."
            ),
        ),
    }


def _answering(by_language: dict[str, str]) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        language = preferred(request.headers.get("Accept-Language", ""))
        headers = {**_HEADERS, "Content-Language": language}
        return web.Response(text=by_language[language], content_type="text/html", headers=headers)

    return answer


def preferred(accepted: str) -> str:
    """The language of ours that a browser's `Accept-Language` likes best; English for none."""
    ranked: list[tuple[float, str]] = []
    for part in accepted.split(",")[:20]:
        tag, _, quality = part.strip().partition(";q=")
        try:
            rank = float(quality or 1)
        except ValueError:
            rank = 0.0
        language = tag.split("-")[0].lower()
        if rank > 0 and language == language_of(tag):
            ranked.append((rank, language))
    return max(ranked, key=lambda each: each[0], default=(0.0, language_of("")))[1]


def _page(heading: str, sentence: str) -> str:
    return (
        f'<!doctype html><html lang="{spoken()}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(heading)} – Herald</title>"
        '<link rel="stylesheet" href="/auth/page.css"></head><body><main>'
        f'<p class="brand">Herald</p><h1>{escape(heading)}</h1>'
        f'<p class="sentence">{escape(sentence)}</p></main></body></html>'
    )
