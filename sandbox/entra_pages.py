"""What the Entra stand-in shows to people: pick an account, grant permissions, or be refused.

Plain HTML for a pop-up of about 600 by 600. Whatever came from outside is escaped, and the one
script is the line that `response_mode=form_post` needs.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import urlencode, urlsplit

from sandbox.entra_permissions import PERMISSIONS
from sandbox.world import Person

STYLE = """
:root{color-scheme:light dark;--bg:#eef1f5;--card:#fff;--ink:#1b1b1f;--soft:#5d5f6b;--line:#d9dbe3;
--brand:#4f52b2;--warn:#8a3707;--warn-bg:#fdf3ea}
@media (prefers-color-scheme:dark){:root{--bg:#17171b;--card:#232329;--ink:#f3f3f6;--soft:#b1b2bd;
--line:#3b3b45;--brand:#9a9df0;--warn:#ffb38a;--warn-bg:#3a2517}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:16px;background:var(--bg);
color:var(--ink);font:15px/1.45 "Segoe UI",system-ui,sans-serif}
main{width:100%;max-width:440px;background:var(--card);border:1px solid var(--line);
border-radius:8px;padding:26px 36px 18px;box-shadow:0 2px 8px #0002}
.org{display:flex;gap:10px;align-items:center;color:var(--soft);font-size:13px;margin-bottom:18px}
.org b{width:22px;height:22px;border-radius:5px;background:var(--brand);color:var(--card);
display:grid;place-items:center}
h1{font-size:22px;font-weight:600;line-height:1.25;margin:0 0 6px}
p{margin:6px 0 14px;color:var(--soft)}
ul{list-style:none;margin:14px 0;padding:0;border-top:1px solid var(--line)}
li{display:flex;justify-content:space-between;gap:12px;padding:10px 0;
border-bottom:1px solid var(--line)}
li small,.who small{display:block;color:var(--soft);font-size:12.5px}
.tag{align-self:start;white-space:nowrap;font-size:12px;padding:1px 8px;border-radius:9px;
border:1px solid currentColor;color:var(--soft)}
.tag.admin{color:var(--warn);background:var(--warn-bg)}
a.who{display:block;padding:8px 2px;color:inherit;text-decoration:none}
a.who:hover,a.who:focus-visible{outline:2px solid var(--brand);border-radius:4px}
li:has(a.who){padding:0;display:block}
.acts{display:flex;justify-content:flex-end;gap:10px;margin-top:20px}
button{font:inherit;padding:7px 22px;border-radius:4px;border:1px solid var(--line);
background:transparent;color:inherit;cursor:pointer;min-width:108px}
button.main{background:var(--brand);border-color:var(--brand);color:var(--card)}
button:focus-visible{outline:2px solid var(--brand);outline-offset:2px}
.other{display:block;width:max-content;font-size:13px;color:var(--brand)}
.foot{margin-top:16px;font-size:12px}
"""

_SUBMIT = "document.forms[0].submit()"
_SUBMIT_HASH = base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()


def headers(redirect_uri: str = "") -> dict[str, str]:
    """The headers of a page that may send its reader on to `redirect_uri`, and nowhere else."""
    parts = urlsplit(redirect_uri)
    onward = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{_SUBMIT_HASH}'; "
        f"form-action 'self'{onward}; frame-ancestors 'none'; base-uri 'none'",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def account_page(path: str, query: Mapping[str, str], people: Iterable[Person]) -> str:
    """Pick who signs in. Each account leads to the same request with its `login_hint`."""
    kept = {name: value for name, value in query.items() if name not in {"login_hint", "prompt"}}
    rows = "".join(
        f'<li><a class="who" href="{escape(path)}?'
        f'{escape(urlencode(kept | {"login_hint": person.mail}))}">{escape(person.name)}'
        f"<small>{escape(person.mail)} · {escape(person.title)}</small></a></li>"
        for person in people
    )
    return _page("Pick an account", f"<p>to continue to Herald</p><ul>{rows}</ul>")


def consent_page(
    person: Person, names: Iterable[str], granted: set[str], ticket: str, other: str, *, all_: bool
) -> str:
    """What Herald asks for, with Accept and Cancel; `all_` when it is for the whole organization.

    `other` is the address of the account picker, `ticket` what the answer has to bring back.
    """
    asked = list(names)
    new = [name for name in asked if name not in granted]
    title = "Permissions requested" if new else "Stay signed in to Herald"
    if all_:
        title = "Permissions requested for your organization"
    scope = (
        "<p>Accepting lets Herald do this for everyone in Contoso Clinic who uses it.</p>"
        if all_
        else "<p>Herald would like to, in your name:</p>"
    )
    rows = "".join(_permission(name, name in granted) for name in asked)
    body = (
        f'<p>{escape(person.mail)}<a class="other" href="{escape(other)}">'
        f"Use another account</a></p>{scope}<ul>{rows}</ul>{_answers(ticket, accept=True)}"
    )
    return _page(title, body)


def approval_page(person: Person, names: Iterable[str], ticket: str, other: str) -> str:
    """This person may not consent: an administrator has to."""
    rows = "".join(_permission(name, granted=False) for name in names)
    body = (
        f'<p>{escape(person.mail)}<a class="other" href="{escape(other)}">'
        "Use an administrator’s account</a></p>"
        "<p>Herald needs permission that only an administrator of Contoso Clinic can grant. "
        f"Ask one to approve it, then try again.</p><ul>{rows}</ul>{_answers(ticket, accept=False)}"
    )
    return _page("Need admin approval", body)


def error_page(sentence: str) -> str:
    """The request itself is wrong: nobody is sent anywhere."""
    return _page("Sorry, we can’t sign you in", f"<p>{escape(sentence)}</p>")


def post_back_page(redirect_uri: str, fields: Mapping[str, str]) -> str:
    """`response_mode=form_post`: a form that carries the answer to the application."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    body = (
        f'<form method="post" action="{escape(redirect_uri)}">{inputs}<div class="acts">'
        f'<button class="main">Continue</button></div></form><script>{_SUBMIT}</script>'
    )
    return _page("You are signed in", body)


def _permission(name: str, granted: bool) -> str:
    permission = PERMISSIONS[name]
    tag = '<span class="tag">Granted</span>' if granted else ""
    if permission.admin_only and not granted:
        tag = '<span class="tag admin">Administrator</span>'
    return f"<li><span>{escape(permission.sentence)}<small>{escape(name)}</small></span>{tag}</li>"


def _answers(ticket: str, *, accept: bool) -> str:
    yes = '<button class="main" name="answer" value="accept">Accept</button>' if accept else ""
    no = "Cancel" if accept else "Return without consent"
    return (
        f'<form method="post"><input type="hidden" name="ticket" value="{escape(ticket)}">'
        f'<div class="acts"><button name="answer" value="cancel">{no}</button>{yes}</div></form>'
    )


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Contoso Clinic sign-in (sandbox)</title><style>{STYLE}</style></head><body><main>"
        '<div class="org"><b>C</b>Contoso Clinic sign-in (sandbox)</div>'
        f'<h1>{escape(title)}</h1>{body}<p class="foot">A stand-in for Microsoft Entra. No real '
        "account or password is used here.</p></main></body></html>"
    )
