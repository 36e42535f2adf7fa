"""What may be a password in a text that should be a reference, a URL or a requirement.

What is shown of such a text must not depend on whether it is understood: a slash that is
missing turns a URL into something else, and the password in it stays one.
"""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 120
_START: Final = re.compile(
    r"(git\+)?([a-z][a-z0-9+.-]+:/+|(https?|ssh|git|file|github):)?", re.IGNORECASE
)
# What may stand before the last @ and holds no password, by how the text begins.
_PLAIN_URL: Final = re.compile(
    r"([^:/?#]*@)?(\[[0-9a-f:.]+\]|[^:/?#]*)(:[0-9]{1,5})?(/[^:]*)?", re.IGNORECASE
)
_PLAIN_GITHUB: Final = re.compile(r"[^:@/?#]+/[^:]*")
_PLAIN: Final = re.compile(r"([A-Za-z]:[\\/])?[^:]*")
_USERINFO: Final = re.compile(r"\A[^/?#]*@")
_HARMLESS: Final = re.compile(r"((subdirectory|egg)=[^=#?]*)?")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,20}=")
_PIP_NAME: Final = re.compile(
    r"\A[A-Za-z0-9._-]+(\[[^\]]*\])?@(?=[a-z][a-z0-9+.-]+:)", re.IGNORECASE
)
_SSH_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def shown(text: str) -> str:
    """`text` for a message: at most 120 characters, without what may be a password.

    Hidden are user and password before an `@`, what follows a `?`, and what follows a `#`
    but is neither `subdirectory=` nor `egg=`.
    """
    start, body = _split(text)
    hidden = start + _without_user(body, start)
    return hidden if len(hidden) <= _LONGEST else hidden[: _LONGEST - 1] + "…"


def has_credentials(requirement: str) -> bool:
    """Whether a URL in what pip takes carries a user name or a password.

    The user of an ssh URL is none, unless a password stands beside it.
    """
    return any(_has_credentials(_PIP_NAME.sub("", word)) for word in requirement.split())


def _has_credentials(word: str) -> bool:
    start, body = _split(word)
    place, at, _ = body.rpartition("@")
    if at and not _is_plain(place, start):
        return True
    user, scheme = _USERINFO.match(body), start.casefold()
    if user is None or "://" not in scheme or scheme.endswith("file:///"):
        return False
    return not (scheme.endswith("ssh://") and _SSH_USER.fullmatch(user[0][:-1]))


def _split(text: str) -> tuple[str, str]:
    """The scheme or shorthand that a text begins with, and the rest."""
    match = _START.match(text)
    start = match[0] if match else ""
    return start, text[len(start) :]


def _without_user(body: str, start: str) -> str:
    place, at, rest = body.rpartition("@")
    if at and not _is_plain(place, start):
        # A password may hold what else begins a query, and a query may hold an @.
        return "***" if "?" in place or "#" in place else f"***@{_without_values(rest)}"
    return _without_values(_USERINFO.sub("***@", body) if "://" in start else body)


def _is_plain(place: str, start: str) -> bool:
    if "://" in start:
        return _PLAIN_URL.fullmatch(place) is not None
    if start.casefold() == "github:":
        return _PLAIN_GITHUB.fullmatch(place) is not None
    return not start and _PLAIN.fullmatch(place) is not None


def _without_values(text: str) -> str:
    mark = re.search(r"[?#]", text)
    if mark is None:
        return text
    before, items = text[: mark.end()], text[mark.end() :].split("&")
    if mark[0] == "?":
        return f"{before}***"
    return before + "&".join(_item(item) for item in items)


def _item(item: str) -> str:
    if _HARMLESS.fullmatch(item):
        return item
    key = _KEY.match(item)
    return f"{key[0] if key else ''}***"
