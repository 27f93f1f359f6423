"""Text that somebody else wrote, made safe to show inside our own.

Where a card shows such text it stands in a `TextRun`, which no client reads as markdown; `clean`
is enough there. Escaping alone would not be: Teams on phones shows or ignores the backslash
(microsoft/AdaptiveCards #5590, #5758). `plain` is for the few places that do read markdown.
"""

import re

_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " ")
# Marks that reorder or hide the text around them, and joiners that nobody sees.
_UNSEEN = dict.fromkeys(
    [
        *(0x00AD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFFF9, 0xFFFC),
        *range(0xD800, 0xE000),
        *range(0xE0000, 0xE0080),
    ]
)
_RTL = r"[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\U00010800-\U00010FFF\U0001E800-\U0001EFFF]"
# Such words in a row, with what stands between them, up to the next word in Latin letters.
_RIGHT_TO_LEFT = re.compile(rf"{_RTL}(?:[^A-Za-z\u00C0-\u024F]*{_RTL})?")
_MARKDOWN = re.compile(r"[\\`*_\[\]<>~&]")
_LINE_START = re.compile(r"^(\d{0,9})([#+\-=.)])")
_ENDLESS = re.compile(r"\S{48,}")
_ISOLATE, _END = "\u2068", "\u2069"
_WORD_JOINER = "\u2060"


def clean(text: str, limit: int = 300) -> str:
    """One line of `text`, at most `limit` characters: no control, bidi or invisible characters.

    Right-to-left words are isolated, so that they can't reorder what stands beside them, and the
    card's own `{{DATE(…)}}` functions are broken up.
    """
    line = " ".join(text[: limit * 4].translate(_CONTROLS).translate(_UNSEEN).split())
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    line = re.sub(r"\{(?=\{)", "{" + _WORD_JOINER, line)
    return _RIGHT_TO_LEFT.sub(f"{_ISOLATE}\\g<0>{_END}", line)


def breakable(line: str) -> str:
    """The same line with places where a word may break that is longer than any real one."""
    return _ENDLESS.sub(lambda word: re.sub(r".{20}", "\\g<0>\u200b", word[0]), line)


def plain(text: str, limit: int = 300) -> str:
    """The same for places that read markdown: no link, emphasis, list, heading or code comes of it.

    Besides the backslashes, a space parts `](`: phones that overlook a backslash find no link.
    """
    escaped = _MARKDOWN.sub(r"\\\g<0>", clean(text, limit).replace("](", "] ("))
    return _LINE_START.sub(r"\1\\\2", escaped)


def spoken(text: str, limit: int = 600) -> str:
    """The same for `speak`, which a client may read as a fragment of SSML."""
    return re.sub(r"[<>&]", " ", clean(text, limit))


def kept(value: str, max_bytes: int) -> tuple[str, bool]:
    """The value of an input as it was entered, and whether it had to be cut to fit the card.

    `max_bytes` counts its JSON, the way the card travels. Cut at the end of a line if possible.
    """
    value = "".join(c for c in value if c in "\n\t" or (c >= " " and not "\ud800" <= c <= "\udfff"))
    if json_bytes(value) <= max_bytes:
        return value, False
    room, end = max_bytes, 0
    while (room := room - json_bytes(value[end])) >= 0:
        end += 1
    line_end = value.rfind("\n", end // 2, end)
    return value[: line_end if line_end > 0 else end], True


def json_bytes(text: str) -> int:
    """What `text` takes inside a JSON string, without its quotation marks, in bytes.

    The most careful count: what isn't ASCII travels as `\\uXXXX`.
    """
    plainly = len(re.sub(r"[^ !#-\[\]-~]", "", text))
    long = sum(1 for c in text if c > "\uffff")
    escaped = len(re.findall(r'["\\\n\t\r]', text))
    return plainly + escaped * 2 + long * 12 + (len(text) - plainly - escaped - long) * 6
