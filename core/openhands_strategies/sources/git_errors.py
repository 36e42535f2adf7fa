"""What git wrote before it failed, as one named error that carries no credentials."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from openhands_strategies.errors import ResolveError, one_line
from openhands_strategies.sources.git_environment import secrets
from openhands_strategies.sources.redacting import shown

_LONGEST: Final = 300
_USERINFO: Final = re.compile(r"(?<=://)[^/?#\s'\"]*@")
_KINDS: Final = (
    (
        "git_timeout",
        r"operation too slow|operation timed out|connection timed out",
        "the server does not answer; try again later",
    ),
    (
        "store_write",
        r"no space left on device|disk quota exceeded",
        "free some space, or set OHS_HOME to another directory",
    ),
    (
        "git_unsound",
        (
            r"fsck error|^(fatal|error): (object|pack|sha1|hash) .*(corrupt|mismatch|collision)"
            r"|^error: object [0-9a-f]+: \w+:"
        ),
        "the repository holds damaged or forged objects; ask its owner to run git fsck",
    ),
    (
        "git_auth",
        (
            r"authentication failed|could not read (username|password)|permission denied"
            r"|terminal prompts disabled|returned error: 40[13]|host key verification failed"
            r"|access denied|no supported authentication"
        ),
        "give git access to it: a credential helper for https, a key in the ssh agent for ssh",
    ),
    (
        "repository_missing",
        (
            r"repository .*not found|does not appear to be a git repository"
            r"|returned error: 404|not a git repository|repository not exported"
        ),
        "check the URL; for a private repository, git needs a credential helper or an ssh key",
    ),
    (
        "git_scheme",
        r"transport '[^']*' not allowed|protocol .*(not supported|disabled)",
        "only https and ssh are used, also where a server or your git settings redirect",
    ),
    (
        "git_unreachable",
        (
            r"could not resolve|failed to connect|couldn't connect|connection (refused|reset)"
            r"|network is unreachable|no route to host|returned error: 5\d\d"
            r"|unable to access|could not read from remote repository|empty reply"
        ),
        "check the network, the proxy and the server's certificate",
    ),
    (
        "commit_unadvertised",
        r"does not allow request for unadvertised object|want .* not valid",
        "the server hands out branches and tags only",
    ),
    (
        "commit_missing",
        r"not our ref|mismatched algorithms|couldn't find remote ref",
        "check the commit id; a branch that was rewritten may have dropped it",
    ),
)


def failure(what: str, lines: Sequence[str]) -> ResolveError:
    """Name the reason why git failed.

    Args:
        what: The URL, or what else the user knows it by.
        lines: What git wrote to stderr. Lines of the server (`remote: …`) are not
            repeated: it may have written there what it was given to log in with.

    Returns:
        `git_auth`, `git_unreachable`, `repository_missing`, `git_scheme`, `git_timeout`,
        `git_unsound`, `store_write`, `commit_unadvertised`, `commit_missing` or, for all
        else, `git_failed`.
    """
    own = [line for line in lines if line.strip() and not line.startswith("remote:")]
    text = "\n".join(own)
    for code, pattern, hint in _KINDS:
        if re.search(pattern, text, re.IGNORECASE | re.MULTILINE):
            return ResolveError(code, f"{shown(what)}: {_telling(own, pattern)}", hint)
    said = _telling(own, r"^(fatal|error): ")
    return ResolveError(
        "git_failed", f"{shown(what)}: {said or 'git failed without a word'}", "try again"
    )


def redact(text: str) -> str:
    """One printable line of at most 300 characters without what may be a password."""
    text = one_line("".join(sign if sign.isprintable() else " " for sign in text))
    text = _USERINFO.sub("***@", text)
    for secret in secrets():
        text = text.replace(secret, "***")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _telling(lines: Sequence[str], pattern: str) -> str:
    """The line that names the reason; git writes less telling ones around it."""
    hits = [line for line in lines if re.search(pattern, line, re.IGNORECASE)]
    chosen = (hits or list(lines) or [""])[0 if hits else -1]
    return redact(re.sub(r"^(fatal|error): (remote error: )?", "", chosen.strip()))
