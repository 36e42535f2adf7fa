"""Read a shell command: words with their quotes, redirections, pipes and subshells.

No shell's full grammar; enough to see which programs a command line runs, with which words.
What is left open (a quote, a parenthesis) counts as closed at the end. Runs with any
Python >= 3.8 and the standard library only.
"""

from __future__ import annotations

import re

from words import Command, Piece, Token, Word, plain
from wrappers import words_of

BLANKS = " \t\r"
OPERATORS = (";;", "&&", "||", "|&", ";", "|", "&", "(", ")", "\n")
REDIRECTIONS = ("&>>", "<<<", "<<-", "&>", ">>", ">|", ">&", "<>", "<<", "<&", ">", "<")
# What stands between commands without being one.
KEYWORDS = words_of("if then elif else fi while until do done ! { } time coproc")


def parse(source: str) -> list[Command]:
    """The simple commands of a script, in the order in which they stand."""
    lexer = _Lexer(source)
    commands: list[Command] = []
    scope: tuple[int, ...] = ()
    pipeline = 0
    opened = 0
    current = Command(pipeline, scope)

    def finish() -> None:
        nonlocal current
        if current.words or current.redirections:
            commands.append(current)
        current = Command(pipeline, scope)

    while True:
        sign = lexer.token(current)
        if sign is None:
            break
        if isinstance(sign, str) and sign in REDIRECTIONS:
            target = lexer.word()
            if sign in ("<<", "<<-"):
                lexer.documents.append((current, plain(target), sign == "<<-"))
            else:
                current.redirections.append((sign, target))
        elif isinstance(sign, str):
            if sign not in ("|", "|&"):
                pipeline += 1
            if sign == "(":
                opened += 1
                scope = (*scope, opened)
            elif sign == ")":
                scope = scope[:-1]
            piped = sign in ("|", "|&") or (sign == "(" and current.piped)
            finish()
            current.piped = piped
        elif not current.words and plain(sign) in KEYWORDS and not sign[0].quoted:
            piped = current.piped
            finish()
            current.piped = piped
        else:
            current.words.append(sign)
    finish()
    return commands


class _Lexer:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.documents: list[tuple[Command, str, bool]] = []

    def token(self, current: Command) -> Token | None:
        """The next operator, redirection or word; None at the end."""
        self._skip_blanks()
        if self.at >= len(self.source):
            return None
        descriptor = re.compile(r"(\d+|\{\w+\})(?=[<>])").match(self.source, self.at)
        if descriptor:
            self.at = descriptor.end()
        for sign in REDIRECTIONS:
            if self.source.startswith(sign, self.at) and not self._is_substitution():
                self.at += len(sign)
                return sign
        for sign in OPERATORS:
            if self.source.startswith(sign, self.at):
                self.at += len(sign)
                if sign == "\n":
                    self._read_documents()
                return sign
        return self.word()

    def word(self) -> Word:
        """The next word; empty where none follows."""
        self._skip_blanks()
        pieces: list[Piece] = []
        while self.at < len(self.source):
            letter = self.source[self.at]
            if self._is_substitution():
                self.at += 2
                pieces.append(Piece("code", self._until_closed("(", ")")))
            elif letter in BLANKS or letter in ";&|()<>\n":
                break
            elif letter == "'":
                pieces.append(Piece("text", self._until("'"), True))
            elif letter == '"':
                self.at += 1
                pieces.extend(self._double_quoted())
            elif letter == "\\":
                if self.source[self.at + 1 : self.at + 2] != "\n":
                    pieces.append(Piece("text", self.source[self.at + 1 : self.at + 2], True))
                self.at += 2
            elif letter in "$`":
                pieces.append(self._expansion(quoted=False))
            else:
                pieces.append(Piece("text", letter))
                self.at += 1
        return tuple(pieces)

    def _skip_blanks(self) -> None:
        while self.at < len(self.source):
            if self.source[self.at] in BLANKS:
                self.at += 1
            elif self.source.startswith("\\\n", self.at):
                self.at += 2
            elif self.source[self.at] == "#":
                end = self.source.find("\n", self.at)
                self.at = len(self.source) if end < 0 else end
            else:
                return

    def _is_substitution(self) -> bool:
        return self.source[self.at : self.at + 2] in ("<(", ">(")

    def _until(self, quote: str) -> str:
        end = self.source.find(quote, self.at + 1)
        end = len(self.source) if end < 0 else end
        text = self.source[self.at + 1 : end]
        self.at = end + 1
        return text

    def _double_quoted(self) -> list[Piece]:
        pieces = [Piece("text", "", True)]
        while self.at < len(self.source):
            letter = self.source[self.at]
            if letter == '"':
                self.at += 1
                return pieces
            if letter == "\\" and self.source[self.at + 1 : self.at + 2] in tuple('$`"\\\n'):
                escaped = self.source[self.at + 1]
                pieces.append(Piece("text", "" if escaped == "\n" else escaped, True))
                self.at += 2
            elif letter in "$`":
                pieces.append(self._expansion(quoted=True))
            else:
                pieces.append(Piece("text", letter, True))
                self.at += 1
        return pieces

    def _expansion(self, *, quoted: bool) -> Piece:
        source, at = self.source, self.at
        if source[at] == "`":
            end = at + 1
            while end < len(source) and source[end] != "`":
                end += 2 if source[end] == "\\" else 1
            self.at = end + 1
            return Piece("code", re.sub(r"\\([$`\\])", r"\1", source[at + 1 : end]), quoted)
        if source.startswith("$((", at):
            self.at += 2
            return Piece("var", "((" + self._until_closed("(", ")"), quoted)
        if source.startswith("$(", at):
            self.at += 2
            return Piece("code", self._until_closed("(", ")"), quoted)
        if source.startswith("${", at):
            self.at += 2
            return Piece("var", self._until_closed("{", "}"), quoted)
        if source.startswith("$'", at) and not quoted:
            self.at += 1
            return Piece("text", self._ansi(), True)
        if source.startswith('$"', at) and not quoted:
            self.at += 1
            return Piece("text", "", True)
        name = re.compile(r"\$(\w+|[@*#?$!-])").match(source, at)
        if name is None:
            self.at += 1
            return Piece("text", "$", quoted)
        self.at = name.end()
        return Piece("var", name[1], quoted)

    def _ansi(self) -> str:
        found = re.compile(r"'((?:\\.|[^'\\])*)'?", re.DOTALL).match(self.source, self.at)
        if found is None:
            return ""
        self.at = found.end()
        escape = re.compile(r"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|[0-7]{1,3}|.)", re.DOTALL)
        return escape.sub(lambda one: _escaped(one[1]), found[1])

    def _until_closed(self, opening: str, closing: str) -> str:
        """The text up to the closing sign that belongs here, which is passed."""
        start, depth = self.at, 1
        while self.at < len(self.source):
            letter = self.source[self.at]
            if letter == "\\":
                self.at += 1
            elif letter == "'":
                self._until("'")
                continue
            elif letter == '"':
                self.at += 1
                self._double_quoted()
                continue
            elif letter == opening:
                depth += 1
            elif letter == closing:
                depth -= 1
                if depth == 0:
                    self.at += 1
                    return self.source[start : self.at - 1]
            self.at += 1
        return self.source[start:]

    def _read_documents(self) -> None:
        """Take the bodies of here-documents from the lines that follow."""
        for command, delimiter, indented in self.documents:
            lines: list[str] = []
            while self.at < len(self.source):
                end = self.source.find("\n", self.at)
                end = len(self.source) if end < 0 else end
                line = self.source[self.at : end]
                self.at = min(end + 1, len(self.source))
                if (line.lstrip("\t") if indented else line) == delimiter:
                    break
                lines.append(line)
            command.documents.append("\n".join(lines))
        self.documents = []


def _escaped(text: str) -> str:
    if text[0] in "xu" and len(text) > 1:
        return chr(int(text[1:], 16))
    if text[0] in "01234567":
        return chr(int(text, 8) & 0xFF)
    return {"n": "\n", "t": "\t", "r": "\r", "e": "\x1b"}.get(text, text)
