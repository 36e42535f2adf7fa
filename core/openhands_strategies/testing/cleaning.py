"""Take secrets and places out of recorded texts, and put the places of another run in.

A place is a directory that differs from one machine to the next: the workspace, a home. It
becomes `{{ohs:NAME}}` and is filled in again on replay. A secret becomes `{{ohs:secret}}`
and stays so.
"""

from __future__ import annotations

import getpass
import re
import socket
from base64 import b64decode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

REMOVED: Final = "{{ohs:secret}}"
MIN_SECRET: Final = 8
"""Characters of the shortest value that is taken for a secret; shorter ones are words."""

_NAMES: Final = re.compile(
    r"API_?KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|(?:^|_)(?:KEY|PAT|AUTH)(?:_|$)",
    re.IGNORECASE,
)
# What follows the word in running text is no login; `_without_login` tells them apart.
_BASIC: Final = re.compile(
    r"(?P<header>\bauthorization\W{1,8})?\bbasic (?P<login>[A-Za-z0-9+/]{8,}={0,2})",
    re.IGNORECASE,
)
_PLACE: Final = re.compile(r"\{\{ohs:(\w+)\}\}")
_PATTERNS: Final = (
    re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
    ),
    re.compile(r"\bsk-[A-Za-z0-9_-]{16,}"),
    re.compile(r"\b(?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    re.compile(r"\b(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,}"),
    re.compile(r"\bglpat-[A-Za-z0-9_-]{16,}"),
    re.compile(r"\bhf_[A-Za-z0-9]{16,}"),
    re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\bAIza[A-Za-z0-9_-]{30,}"),
    re.compile(r"\bpypi-[A-Za-z0-9_-]{16,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    re.compile(r"(?<=\bBearer )[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"),
)


def secrets_in(environ: Mapping[str, str]) -> frozenset[str]:
    """Values of the variables whose names say that they hold a key, a token or a password."""
    return frozenset(
        value.strip()
        for name, value in environ.items()
        if _NAMES.search(name) and len(value.strip()) >= MIN_SECRET
    )


def accounts_here() -> frozenset[str]:
    """Who works on which machine, as a shell's prompt writes it: `ada@laptop`."""
    try:
        user, host = getpass.getuser(), socket.gethostname()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return frozenset()
    return frozenset({f"{user}@{host}", f"{user}@{host.partition('.')[0]}"})


class Cleaner:
    """Replaces secrets and places in texts and in JSON values.

    Args:
        places: Name to directory, for example `workspace`. Where one lies in another, the
            inner one counts.
        secrets: Values to take out, beside what looks like a key.
    """

    def __init__(self, places: Mapping[str, Path], secrets: Iterable[str] = ()) -> None:
        self.secrets = frozenset(one for one in secrets if len(one) >= MIN_SECRET)
        written = {quote(one, safe="") for one in self.secrets} | self.secrets
        self._secret = _any_of(written)
        spelled = {
            spelling: name
            for name, place in places.items()
            for path in (place, place.resolve())
            # A root directory is in every path and says nothing.
            if len(path.parts) > 1
            # JSON may have a backslash before each slash.
            for spelling in (str(path), str(path).replace("/", "\\/"))
        }
        self._places = spelled
        self._place = _any_of(spelled, after=r"(?![\w-])(?!\.\w)")

    def text(self, text: str) -> str:
        """The text without secrets, its places by name."""
        if self._secret is not None:
            text = self._secret.sub(REMOVED, text)
        for pattern in _PATTERNS:
            text = pattern.sub(REMOVED, text)
        text = _BASIC.sub(_without_login, text)
        if self._place is None:
            return text
        return self._place.sub(lambda found: f"{{{{ohs:{self._places[found[0]]}}}}}", text)

    def value(self, value: Any) -> Any:
        """The same for every text in a JSON value, keys included."""
        return _mapped(value, self.text)


def filled(value: Any, places: Mapping[str, Path]) -> Any:
    """A JSON value with the places of this run; a name without a place stays as it is."""

    def fill(text: str) -> str:
        return _PLACE.sub(
            lambda found: str(places[found[1]]) if found[1] in places else found[0], text
        )

    return _mapped(value, fill)


def _without_login(found: re.Match[str]) -> str:
    """What is kept of `Basic …`: the word alone, where a name and a password follow."""
    login = found["login"]
    if not found["header"]:
        try:
            told = b64decode(login + "=" * (-len(login) % 4)).decode()
        except ValueError:
            return found[0]
        if ":" not in told:
            return found[0]
    return found[0].removesuffix(login) + REMOVED


def _mapped(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(str(key)): _mapped(one, change) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(one, change) for one in value]
    return value


def _any_of(texts: Iterable[str], after: str = "") -> re.Pattern[str] | None:
    longest_first = sorted(texts, key=len, reverse=True)
    if not longest_first:
        return None
    return re.compile(f"(?:{'|'.join(map(re.escape, longest_first))}){after}")
