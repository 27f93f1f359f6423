"""Links that a notice can lead to: places in Teams, which open for whoever clicks the notice."""

import re

LINK_LENGTH = 1024  # longer ones are reported to fail with 400
# Read letter by letter, as it is: a parser and a browser may disagree about whose link it is
# (`https://evil.example\@teams.microsoft.com/l/`).
_TEAMS_LINK = re.compile(
    r"https://(teams\.microsoft\.com|teams\.cloud\.microsoft)/l/[^\s\\<>\"\x00-\x20\x7f-\x9f]+"
)


def is_in_teams(link: str) -> bool:
    """Whether a link opens a place in Teams, and nothing else."""
    return _TEAMS_LINK.fullmatch(link) is not None


def can_lead_to(link: str) -> bool:
    """Whether a notice can lead there: into Teams, and not too long for Graph."""
    return len(link) <= LINK_LENGTH and is_in_teams(link)
