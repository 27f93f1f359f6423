"""`python -m tests.cards`: every sample card as JSON, for the sandbox's gallery.

A sample is `provoked` when somebody wrote into it what nobody means well.
"""

import json
import sys
from collections.abc import Iterator

from tests.cards.sample import EMOJI, HOSTILE, LONG, RTL, Sample
from tests.cards.samples import gallery

_SIGNS = (HOSTILE[:20], RTL[:12], EMOJI[:8], LONG[:60], "Zone 13", "evil.example")
_LARGE = 12_000  # characters; a card this large is one at its limits


def _drawn(sample: Sample, *, is_first: bool) -> dict[str, object]:
    text = json.dumps(sample.payload, ensure_ascii=False)
    provoked = len(text) > _LARGE or any(sign in text for sign in _SIGNS)
    return {
        "card": sample.draw.__name__.replace("_", " ").removesuffix(" card").capitalize(),
        "sample": sample.name,
        # Of every card there is one that is looked at first.
        "provoked": provoked and not is_first,
        "payload": sample.payload,
    }


def _all() -> Iterator[dict[str, object]]:
    seen = set()
    for sample in gallery():
        yield _drawn(sample, is_first=sample.draw not in seen)
        seen.add(sample.draw)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(list(_all())))
