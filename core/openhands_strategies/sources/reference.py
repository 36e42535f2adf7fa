"""The grammar of references: what a user types to name a strategy.

A reference is a name (`fusion`), a path (`./waterfall.py:Waterfall`, `./dir`) or a git
source (`git+https://host/org/repo@v1#subdirectory=x`, `github:org/repo@v1`; pip's
`NAME @ git+https://…` means the same without the name). Parsing touches neither disk nor
network. `str()` of a parsed reference is its canonical text,
and parsing that text gives an equal reference.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Final

from openhands_strategies.errors import ResolveError
from openhands_strategies.sources import giturl
from openhands_strategies.sources.redacting import shown

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")
_MISTYPED: Final = re.compile(
    r"(https?|ssh|git|file):|[^/\\@:.~][^/\\@:]*:[^@/\\]*@", re.IGNORECASE
)
_ATTRIBUTE: Final = re.compile(r"(?P<path>.*\.py):(?P<attribute>[^/\\]*)", re.DOTALL)
_ANCHORED: Final = re.compile(r"(/|~|\.{1,2}(/|$)|[A-Za-z]:/)")


@dataclass(frozen=True)
class NameReference:
    """A name that the project, an installed distribution or an index gives.

    Attributes:
        name: kebab-case, for example `fusion`.

    Raises:
        ResolveError: `reference_invalid` when it is not kebab-case.
    """

    name: str

    def __post_init__(self) -> None:
        if not is_name(self.name):
            kebab = re.sub(r"[\s_.]+", "-", self.name.strip()).lower()
            raise ResolveError(
                "reference_invalid",
                f"{shown(self.name)!r} is no strategy name",
                f"names are kebab-case: did you mean {kebab!r}?"
                if is_name(kebab)
                else "type a name (fusion), a path (./file.py, ./dir) or a git source (git+https://…)",
            )

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class PathReference:
    """A `.py` file or a directory on this machine.

    Attributes:
        path: As typed, with forward slashes on Windows; a relative path begins with
            `./` or `../`, `~` stands for the home directory.
        attribute: Class or instance in a `.py` file, after the colon.

    Raises:
        ResolveError: `reference_invalid`.
    """

    path: str
    attribute: str | None = None

    def __post_init__(self) -> None:
        path, attribute = self.path, self.attribute
        if not path or any(ord(sign) < 32 or ord(sign) == 127 for sign in path):
            raise _invalid(path, "a path has at least one character and no control characters")
        if _DRIVE.match(path) or path.startswith((".\\", "..\\")):
            path = path.replace("\\", "/")
        path = _tidy(path)
        if _ATTRIBUTE.fullmatch(path):
            raise _invalid(path, "a file of this name cannot be told from file.py:Name")
        if attribute is not None:
            if not path.endswith(".py"):
                raise _invalid(f"{path}:{attribute}", "only a .py file takes :Name")
            if not attribute.isidentifier() or keyword.iskeyword(attribute):
                raise _invalid(
                    f"{path}:{attribute}", "after the colon stands the class: file.py:Name"
                )
        object.__setattr__(self, "path", path)

    def __str__(self) -> str:
        return self.path if self.attribute is None else f"{self.path}:{self.attribute}"


@dataclass(frozen=True)
class GitReference:
    """A directory of a git repository.

    Attributes:
        url: Canonical `https://`, `ssh://` or `file://` URL without credentials.
        revision: Commit, tag or branch; None means the default branch.
        subdirectory: Directory of the strategy, POSIX, relative; None means the root.

    Raises:
        ResolveError: `reference_invalid`, `reference_scheme`, `reference_credentials`,
            `reference_revision` or `reference_subdirectory`.
    """

    url: str
    revision: str | None = None
    subdirectory: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", giturl.check_url(self.url))
        if self.revision is not None:
            giturl.check_revision(self.revision)
        if self.subdirectory is not None:
            checked = giturl.check_subdirectory(self.subdirectory)
            object.__setattr__(self, "subdirectory", checked)

    @property
    def scheme(self) -> str:
        """`https`, `ssh` or `file`."""
        return self.url.partition(":")[0]

    def __str__(self) -> str:
        revision = "" if self.revision is None else f"@{self.revision}"
        inside = "" if self.subdirectory is None else f"#subdirectory={self.subdirectory}"
        return f"git+{self.url}{revision}{inside}"


Reference = NameReference | PathReference | GitReference


def is_name(text: str) -> bool:
    """Whether `text` is a strategy name: kebab-case, at most 64 characters."""
    return len(text) <= 64 and _NAME.fullmatch(text) is not None


def parse_reference(text: str, *, typed: bool = True) -> Reference:
    """Read a reference.

    Args:
        text: What the user typed, or what stands in a file.
        typed: Whether the user typed it in this command. `git+file:` is refused
            otherwise: a file from elsewhere must not point at this machine.

    Raises:
        ResolveError: `reference_invalid`, `reference_scheme`, `reference_credentials`,
            `reference_revision` or `reference_subdirectory`. A message never repeats
            what may be a password.
    """
    split = giturl.split_git(text)
    if split is not None:
        reference = GitReference(*split)
        if reference.scheme == "file" and not typed:
            raise ResolveError(
                "reference_scheme",
                f"{reference} points at this machine, and nobody typed it here",
                "use https or ssh, or type the reference yourself",
            )
        return reference
    # A path that looks like this begins with ./
    if "://" in text or _MISTYPED.match(text):
        raise ResolveError(
            "reference_scheme",
            f"{shown(text)!r} is no reference to a git repository",
            "put git+ before the URL: git+https://host/org/repo@ref#subdirectory=path",
        )
    with_attribute = _ATTRIBUTE.fullmatch(text)
    if with_attribute:
        return PathReference(with_attribute["path"], with_attribute["attribute"])
    if "/" in text or text.startswith((".", "~")) or text.endswith(".py") or _DRIVE.match(text):
        return PathReference(text)
    return NameReference(text)


def _tidy(path: str) -> str:
    """Drop what does not change the meaning; `a/../b` may, where `a` is a link."""
    drive = path[:2] if _DRIVE.match(path) else ""
    rooted = path[len(drive) :].startswith("/")
    anchored = _ANCHORED.match(path) is not None
    parts = [part for part in path[len(drive) :].split("/") if part not in ("", ".")]
    body = "/".join(parts)
    if rooted:
        return f"{drive}/{body}"
    home = path.startswith("~")
    if anchored and (home or parts[:1] == [".."]):
        return body
    return f"./{body}" if body else "."


def _invalid(text: str, hint: str) -> ResolveError:
    return ResolveError("reference_invalid", f"{shown(text)!r} is no reference", hint)
