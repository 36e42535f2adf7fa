"""`ohs completion SHELL`: the script that makes a shell complete `ohs`."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from openhands_strategies.cli.completion.scripts import SCRIPTS
from openhands_strategies.cli.frame import debug_option
from openhands_strategies.errors import UsageError


def _complete_shell(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(shell) for shell in SCRIPTS if shell.startswith(incomplete)]


@click.command("completion")
@click.argument("shell", metavar="SHELL", shell_complete=_complete_shell)
@debug_option
def command(shell: str) -> None:
    """Print the script that makes bash, zsh or fish complete ohs.

    \b
    bash, in ~/.bashrc:                  eval "$(ohs completion bash)"
    zsh, in ~/.zshrc after compinit:     source <(ohs completion zsh)
    fish, in ~/.config/fish/config.fish: ohs completion fish | source
    """
    if shell not in SCRIPTS:
        raise UsageError(
            "shell_unknown",
            f"ohs has no completion for the shell {shell!r}",
            f"there is one for {', '.join(SCRIPTS)}",
        )
    click.echo(SCRIPTS[shell], nl=False)
