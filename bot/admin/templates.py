"""The templates of activity types: text with `{names}` that a notification fills in.

Source: "Send activity feed notifications", Microsoft Graph: a parameter's name in braces; `{actor}`
is filled in by Teams.
"""

import re

_PARAMETER = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")


def parameters(template: str) -> set[str]:
    """The names in braces, `actor` among them."""
    return set(_PARAMETER.findall(template))


def is_sane(template: str) -> bool:
    """Whether every brace belongs to a name of letters, digits and underscores."""
    return not set("{}") & set(_PARAMETER.sub("", template))
