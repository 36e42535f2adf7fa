"""Git URLs, revisions and subdirectories: strangers' input, checked before any use.

Only what is plainly harmless passes; everything that git, a shell or a remote helper
could take for an option, a command or a way out of a directory is refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from openhands_strategies.errors import ResolveError
from openhands_strategies.sources.redacting import shown

SCHEMES: Final = ("https", "ssh", "file")
_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_HOST: Final = re.compile(
    r"(?P<host>[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?"
)
_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_SCP: Final = re.compile(r"(?P<user>[A-Za-z0-9_][\w.-]*)@(?P<host>[A-Za-z0-9.-]+):(?P<rest>[^:].*)")
_GITHUB: Final = re.compile(r"(?P<org>[A-Za-z0-9][A-Za-z0-9-]*)/(?P<repo>[A-Za-z0-9_.][\w.-]*)")
_PIP_NAME: Final = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]*\s*@\s*(?=git\+)", re.IGNORECASE)
_BROKEN_CREDENTIALS: Final = re.compile(r"(?<=//)[^/?#@]*:(?![0-9]{1,5}(/|$)).*@", re.DOTALL)


def split_git(text: str) -> tuple[str, str | None, str | None] | None:
    """Split a git reference into URL, revision and subdirectory; None for other kinds.

    The parts are canonical in form, but not yet checked. In pip's `NAME @ git+https://…` the
    name says nothing: it is a distribution's.

    Raises:
        ResolveError: `reference_invalid` for a fragment or shorthand that is not
            understood, `reference_scheme` for a `git+` scheme that is not allowed.
    """
    text = _PIP_NAME.sub("", text, count=1)
    folded = text.casefold()
    if folded.startswith("git+"):
        body = text[4:]
    elif folded.startswith("github:"):
        body = text[7:]
    elif _SCP.fullmatch(text) and "/" in text:
        body = text
    else:
        return None
    _refuse_signs(body, text)
    if _BROKEN_CREDENTIALS.search(body):
        raise _credentials(text)
    body, subdirectory = _split_fragment(body, text)
    if folded.startswith("github:"):
        path, revision = _split_revision(body)
        if not _GITHUB.fullmatch(path) or ".." in path or path.endswith("/."):
            raise _invalid(text, "write github:org/repo@ref#subdirectory=path")
        return f"https://github.com/{path}", revision, subdirectory
    url = _URL.fullmatch(body)
    if url is None:
        scp = _SCP.fullmatch(body)
        if scp is None or "::" in body:
            raise _scheme(text)
        path, revision = _split_revision(scp["rest"])
        return f"ssh://{scp['user']}@{scp['host']}/{path.lstrip('/')}", revision, subdirectory
    authority, slash, path = url["rest"].partition("/")
    if not authority and url["scheme"].casefold() != "file":
        raise _invalid(text, "write git+https://host/org/repo@ref#subdirectory=path")
    path, revision = _split_revision(path)
    return f"{url['scheme']}://{authority}{slash}{path}", revision, subdirectory


def check_url(url: str) -> str:
    """Return the canonical form of a repository's URL.

    Raises:
        ResolveError: `reference_scheme`, `reference_credentials`, `reference_invalid`.
    """
    _refuse_signs(url, url)
    match = _URL.fullmatch(url)
    scheme = match["scheme"].casefold() if match else ""
    if match is None or scheme not in SCHEMES:
        raise _scheme(url)
    authority, slash, path = match["rest"].partition("/")
    path = "/".join(part for part in path.split("/") if part)
    decoded = unquote(path)
    if not slash or not path or "?" in path or "#" in path or "@" in path:
        raise _invalid(url, "write git+https://host/org/repo@ref#subdirectory=path")
    if _leaves(decoded) or "@{" in decoded or "\\" in decoded or not decoded.isprintable():
        raise _invalid(url, "its path has '..', '@{', a backslash or a control character")
    if scheme == "file":
        if authority.casefold() not in ("", "localhost"):
            raise _invalid(url, "git+file:// takes three slashes and an absolute path")
        return f"file:///{path}"
    return f"{scheme}://{_authority(authority, scheme, url)}/{path}"


def check_revision(revision: str) -> None:
    """Refuse what `git check-ref-format` refuses, and whatever could be an option.

    Raises:
        ResolveError: `reference_revision`.
    """
    parts = revision.split("/")
    bad = (
        not revision
        or revision == "@"
        or revision.startswith("-")
        or revision.endswith(".")
        or ".." in revision
        or "@{" in revision
        or any(sign in "~^:?*[\\#" or _odd(sign) for sign in revision)
        or any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
    )
    if bad:
        raise ResolveError(
            "reference_revision",
            f"{shown(revision)!r} is no commit, tag or branch",
            "after @ stands a commit id, a tag or a branch",
        )


def check_subdirectory(subdirectory: str) -> str:
    """Return a POSIX path below the repository's root, without `./` and double slashes.

    Raises:
        ResolveError: `reference_subdirectory`.
    """
    parts = [part for part in subdirectory.split("/") if part not in ("", ".")]
    bad = (
        not parts
        or subdirectory.startswith(("/", "-"))
        or parts[0].startswith("-")
        or "@{" in subdirectory
        or any(sign in "\\:#&" or _odd(sign) for sign in subdirectory)
        or any(part == ".." or part.casefold() == ".git" for part in parts)
    )
    if bad:
        raise ResolveError(
            "reference_subdirectory",
            f"{shown(subdirectory)!r} is no directory inside a repository",
            "write #subdirectory=plugins/name, relative to the repository's root",
        )
    return "/".join(parts)


def local_path(url: str) -> Path | None:
    """The directory that a canonical `file:` URL names; None for other schemes."""
    return Path(unquote(url.removeprefix("file://"))) if url.startswith("file:") else None


def _authority(authority: str, scheme: str, url: str) -> str:
    user, at, host = authority.rpartition("@")
    if at and (scheme == "https" or not _USER.fullmatch(user)):
        raise _credentials(url)
    match = _HOST.fullmatch(host.casefold())
    if (
        match is None
        or not host.isascii()
        or ".." in host
        or not 0 < int(match["port"] or 1) < 65536
    ):
        raise _invalid(url, "the host or the port is not valid")
    return f"{user}{at}{host.casefold()}"


def _split_fragment(body: str, text: str) -> tuple[str, str | None]:
    body, mark, fragment = body.partition("#")
    subdirectory: str | None = None
    for item in fragment.split("&") if mark else ():
        key, equals, value = item.partition("=")
        if key == "subdirectory" and equals and subdirectory is None:
            subdirectory = value
        elif key != "egg" or not equals:
            raise _invalid(text, "after # stands subdirectory=path, once, and nothing else")
    return body, subdirectory


def _split_revision(path: str) -> tuple[str, str | None]:
    """Split at the first `@`: tags such as `pkg@1.0` have one, paths write `%40`."""
    path, mark, revision = path.partition("@")
    return path, revision if mark else None


def _leaves(path: str) -> bool:
    return any(part in (".", "..") for part in path.split("/"))


def _odd(sign: str) -> bool:
    return sign.isspace() or not sign.isprintable()


def _refuse_signs(body: str, text: str) -> None:
    if not body or body.startswith("-") or "\\" in body or any(_odd(sign) for sign in body):
        raise _invalid(text, "a git reference has no spaces, backslashes or control characters")


def _credentials(text: str) -> ResolveError:
    return ResolveError(
        "reference_credentials",
        f"{shown(text)!r} carries a user name or password",
        "leave it out; git asks your credential helper or ssh agent",
    )


def _invalid(text: str, hint: str) -> ResolveError:
    return ResolveError("reference_invalid", f"{shown(text)!r} is no git reference", hint)


def _scheme(text: str) -> ResolveError:
    return ResolveError(
        "reference_scheme",
        f"{shown(text)!r} is not fetched over https or ssh",
        "write git+https://host/org/repo, git+ssh://git@host/org/repo or github:org/repo",
    )
