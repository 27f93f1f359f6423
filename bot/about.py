"""The pages that the manifest names: what Herald is, what it keeps, and on which terms it comes."""

from html import escape

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.settings import Settings

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_ABOUT = (
    "Herald",
    "Herald texts the people of an appointment and puts notices into teammates' activity feeds, "
    "from cards in Microsoft Teams, in your own name and with your own permissions.",
)
_TERMS = (
    "Terms",
    "Herald is free software under the MIT License and comes without warranty. Whoever runs it "
    "for your organization decides who may use it.",
)


def routes(settings: Settings) -> list[web.RouteDef]:
    """`/about`, `/about/privacy` and `/about/terms`: no script, nothing to fill in."""
    privacy = (
        "Privacy",
        "Phone numbers, message texts and sign-ins are kept encrypted in your organization's own "
        f"database. Numbers and texts are erased after {settings.retention_days} days. Nothing is "
        "sent to anybody but Microsoft, in whose services you are signed in.",
    )
    pages = {"/about": _ABOUT, "/about/privacy": privacy, "/about/terms": _TERMS}
    return [web.get(path, _answering(*words)) for path, words in pages.items()]


def _answering(heading: str, sentence: str) -> Handler:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(heading)} – Herald</title>"
        '<link rel="stylesheet" href="/auth/page.css"></head><body><main>'
        f'<p class="brand">Herald</p><h1>{escape(heading)}</h1>'
        f'<p class="sentence">{escape(sentence)}</p></main></body></html>'
    )

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=html, content_type="text/html", headers=_HEADERS)

    return answer
