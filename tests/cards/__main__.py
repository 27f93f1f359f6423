"""`python -m tests.cards`: every sample card as JSON, for the sandbox's gallery.

A sample is `provoked` when somebody wrote into it what nobody means well. The others are there in
every language.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from bot.words import LANGUAGES, SOURCE, gettext, speaking
from cards.elements import payload
from tests.cards.sample import EMOJI, HOSTILE, LONG, RTL, Sample, retold
from tests.cards.samples import gallery

_SIGNS = (HOSTILE[:20], RTL[:12], EMOJI[:8], LONG[:60], "Zone 13", "evil.example")
_LARGE = 12_000  # characters; a card this large is one at its limits


def _is_provoked(sample: Sample) -> bool:
    text = json.dumps(sample.payload, ensure_ascii=False)
    return len(text) > _LARGE or any(sign in text for sign in _SIGNS)


def _in(language: str, sample: Sample) -> dict[str, Any]:
    if language == SOURCE:
        return sample.payload
    with speaking(language):
        return payload(sample.draw(retold(sample.view, gettext)))


def _all() -> Iterator[dict[str, object]]:
    seen = set()
    for sample in gallery():
        # Of every card there is one that is looked at first.
        provoked = _is_provoked(sample) and sample.draw in seen
        seen.add(sample.draw)
        for language in [SOURCE] if provoked else LANGUAGES:
            yield {
                "card": sample.draw.__name__.replace("_", " ").removesuffix(" card").capitalize(),
                "sample": sample.name,
                "language": language,
                "provoked": provoked,
                "payload": _in(language, sample),
            }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(list(_all())))
