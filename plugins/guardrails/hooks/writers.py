"""Which words of a command are files that it writes or removes.

Runs with any Python >= 3.8 and the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from wrappers import words_of

_ALL = words_of("rm rmdir unlink touch mkdir mkfifo mknod shred tee gzip gunzip bzip2 xz truncate")
# The first operand says what is done, the others to which files.
_AFTER_FIRST = words_of("chmod chown chgrp setfacl")
_COPYING = words_of("cp install ln rsync scp")
_COMPILERS = words_of("cc c++ gcc g++ clang clang++ tcc ld gfortran rustc go")
# Options that take the next word.
_VALUED = {
    "patch": "-p -i -o -d -F -r -B -D -V -Y -z -g --strip --input --output --directory --fuzz",
    "split": "-a -b -C -l -n -t --suffix-length --bytes --line-bytes --lines --number --filter",
    "mktemp": "-p --suffix",
    "script": "-c -E -I -m -o -O -B -T --command --echo --log-in --log-out --log-io --log-timing",
    "truncate": "-s --size -r --reference",
    "mkdir": "-m --mode",
    "touch": "-d -t -r --date --reference",
    "shred": "-n -s",
    "install": "-m -o -g --mode --owner --group",
    "rsync": "-e --exclude --include --filter --rsh",
    "scp": "-P -i -o -F -c",
    "curl": "-o --output -H -d -X -u -A -e -F -b -c -T --data --header --request --url -m -w",
    "wget": "-O -P --output-document --directory-prefix --header -U -t -T",
    "tar": "-C -f --file --directory --exclude -I",
    "unzip": "-d -x",
    "sort": "-o --output -k -t -S -T",
    "sed": "-e -f --expression --file -l",
    "perl": "-e -E",
    "git": "-C -c --git-dir --work-tree --namespace -b --branch -o --origin --depth --reference",
}


def operands(program: str, arguments: list[str]) -> list[str]:
    """The arguments that are no options and no options' values."""
    valued = words_of(_VALUED.get(program, ""))
    found: list[str] = []
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            found.extend(rest)
        elif word in valued:
            next(rest, None)
        elif not word.startswith("-") or word == "-":
            found.append(word)
    return found


def has_flag(arguments: list[str], letters: str, *names: str) -> bool:
    """Whether a short option has one of the letters, or a long one of the names is there."""
    for word in arguments:
        if word == "--":
            return False
        if word.partition("=")[0] in names:
            return True
        if re.fullmatch(r"-[A-Za-z0-9]+", word) and set(word[1:]) & set(letters):
            return True
    return False


def value_of(arguments: list[str], *names: str) -> list[str]:
    """The values of an option: `-o FILE`, `-oFILE` or `--output=FILE`."""
    found: list[str] = []
    for number, word in enumerate(arguments):
        for name in names:
            if word == name:
                found.extend(arguments[number + 1 : number + 2])
            elif name.startswith("--") and word.startswith(f"{name}="):
                found.append(word[len(name) + 1 :])
            elif not name.startswith("--") and word.startswith(name) and len(word) > len(name):
                found.append(word[len(name) :])
    return found


def written(program: str, arguments: list[str]) -> list[str]:
    """The words that name what a command writes, removes or changes."""
    if program in _ALL:
        return operands(program, arguments)
    if program in _AFTER_FIRST:
        reference = has_flag(arguments, "", "--reference")
        return operands(program, arguments)[0 if reference else 1 :]
    if program in _COPYING:
        into = value_of(arguments, "-t", "--target-directory") if program != "rsync" else []
        last = operands(program, arguments)[-1:]
        return into or [one for one in last if program == "ln" or not re.match(r"[\w.@-]+:", one)]
    if program == "mv":
        into = value_of(arguments, "-t", "--target-directory")
        return [*operands(program, arguments), *into]
    if program in _COMPILERS or re.fullmatch(r"(gcc|g\+\+|clang|clang\+\+)-\d+", program):
        return value_of(arguments, "-o", "--out-dir")
    special = _SPECIAL.get(program)
    return special(arguments) if special else []


def _sed(arguments: list[str]) -> list[str]:
    if not any(re.match(r"-[nEruszl]*i|--in-place", word) for word in arguments):
        return []
    script = any(re.match(r"-[nEruszi]*[ef]$|--expression|--file", word) for word in arguments)
    return operands("sed", arguments)[0 if script else 1 :]


def _perl(arguments: list[str]) -> list[str]:
    if not any(re.match(r"-[a-zA-Z]*i", word) for word in arguments):
        return []
    # The program itself is the value of a cluster such as `-pie`, or the first operand.
    inline = any(word in ("-e", "-E") for word in arguments)
    return operands("perl", arguments)[0 if inline else 1 :]


def _tar(arguments: list[str]) -> list[str]:
    mode = arguments[0] if arguments else ""
    letters = mode.lstrip("-") if re.fullmatch(r"-?[A-Za-z]+", mode) else ""
    extracts = "x" in letters or has_flag(arguments, "x", "--extract", "--get")
    creates = "c" in letters or has_flag(arguments, "c", "--create")
    if extracts:
        return value_of(arguments, "-C", "--directory")
    files = value_of(arguments, "--file")
    if creates and "f" in letters:
        files.extend(arguments[1:2])
    return files if creates else []


def _git(arguments: list[str]) -> list[str]:
    words = operands("git", arguments)
    if words[:1] == ["clone"]:
        return words[2:3]
    if words[:1] == ["init"] or words[:2] == ["worktree", "add"]:
        return words[1:2] if words[0] == "init" else words[2:3]
    return []


def _curl(arguments: list[str]) -> list[str]:
    return value_of(arguments, "-o", "--output", "--output-dir")


def _wget(arguments: list[str]) -> list[str]:
    return value_of(arguments, "-O", "-P", "--output-document", "--directory-prefix")


def _patch(arguments: list[str]) -> list[str]:
    into = value_of(arguments, "-o", "-d", "--output", "--directory")
    return [*into, *operands("patch", arguments)[:1]]


def _mktemp(arguments: list[str]) -> list[str]:
    into = value_of(arguments, "-p", "--tmpdir")
    return into if into or has_flag(arguments, "t") else operands("mktemp", arguments)


def _ssh_keygen(arguments: list[str]) -> list[str]:
    # These only show a key.
    return [] if has_flag(arguments, "lyeBDF") else value_of(arguments, "-f")


def _dd(arguments: list[str]) -> list[str]:
    return [word[3:] for word in arguments if word.startswith("of=")]


_SPECIAL: dict[str, Callable[[list[str]], list[str]]] = {
    "sed": _sed,
    "perl": _perl,
    "tar": _tar,
    "git": _git,
    "curl": _curl,
    "wget": _wget,
    "dd": _dd,
    "patch": _patch,
    "mktemp": _mktemp,
    "ssh-keygen": _ssh_keygen,
    "split": lambda arguments: operands("split", arguments)[1:2],
    "script": lambda arguments: operands("script", arguments)[:1],
    "sort": lambda arguments: value_of(arguments, "-o", "--output"),
    "unzip": lambda arguments: value_of(arguments, "-d"),
    "zip": lambda arguments: operands("zip", arguments)[:1],
}
