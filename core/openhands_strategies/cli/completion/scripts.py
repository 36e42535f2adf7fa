"""The scripts that `ohs completion SHELL` prints."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_BASH: Final = r"""# bash completion of ohs. In ~/.bashrc: eval "$(ohs completion bash)"
_ohs_completion() {
    local line=${COMP_LINE:0:COMP_POINT} run=${1/#\~\//$HOME/} response item kind value
    type -P -- "$run" >/dev/null || run=ohs
    response=$(COMP_WORDS=$line _OHS_COMPLETE=bash_complete "$run" 2>/dev/null) || return
    # bash replaces only what follows the last word break, which may be a = or a : in a word.
    local word=${line##*[[:space:]]}
    local last=${word##*[$COMP_WORDBREAKS]}
    local kept=${word%"$last"}
    COMPREPLY=()
    while IFS= read -r item; do
        kind=${item%%,*} value=${item#*,}
        case $kind in
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
            part)
                compopt -o nospace
                COMPREPLY+=("${value#"$kept"}")
                ;;
            plain) COMPREPLY+=("${value#"$kept"}") ;;
        esac
    done <<<"$response"
}
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
    echo "ohs: completion needs bash 4.4 or newer, and this is $BASH_VERSION" >&2
else
    complete -o nosort -F _ohs_completion ohs openhands-strategies
fi
"""

_ZSH: Final = r"""#compdef ohs openhands-strategies
# zsh completion of ohs. In ~/.zshrc, after compinit: source <(ohs completion zsh)
_ohs_completion() {
    local run=${~words[1]} line="${(j: :)words[1,CURRENT-1]} $PREFIX" kind value about
    local -a plain unfinished
    whence -p -- "$run" >/dev/null || run=ohs
    while IFS=$'\t' read -r kind value about; do
        case $kind in
            file | dir)
                [[ $PREFIX == --*=* ]] && compset -P 1 '*='
                [[ $kind == dir ]] && { _files -/; return; }
                _files
                return
                ;;
            plain) plain+=("${value//:/\\:}${about:+:$about}") ;;
            part) unfinished+=("${value//:/\\:}${about:+:$about}") ;;
        esac
    done < <(COMP_WORDS=$line _OHS_COMPLETE=zsh_complete "$run" 2>/dev/null)
    local found=1
    (( $#plain )) && _describe -V ohs plain && found=0
    (( $#unfinished )) && _describe -V parameter unfinished -S '' && found=0
    return found
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _ohs_completion "$@"
elif (( $+functions[compdef] )); then
    compdef _ohs_completion ohs openhands-strategies
else
    print -u2 "ohs: completion needs compinit first: autoload -Uz compinit && compinit"
fi
"""

_FISH: Final = r"""# fish completion of ohs.
# In ~/.config/fish/config.fish: ohs completion fish | source
function _ohs_completion
    set -l line (commandline -cp)
    set -l option (commandline -ct | string match -r -- '^--[^=]*=')
    set -l path (commandline -ct | string replace -r -- '^--[^=]*=' '')
    for item in (env COMP_WORDS="$line" _OHS_COMPLETE=fish_complete ohs 2>/dev/null)
        set -l fields (string split -m 1 , -- $item)
        switch $fields[1]
            case file
                __fish_complete_path "$path" | string replace -r -- '^' "$option"
            case dir
                __fish_complete_directories "$path" | string replace -r -- '^' "$option"
            case plain part
                echo $fields[2]
        end
    end
end
complete --no-files --keep-order --command ohs --arguments "(_ohs_completion)"
complete --no-files --keep-order --command openhands-strategies --arguments "(_ohs_completion)"
"""

SCRIPTS: Final[Mapping[str, str]] = MappingProxyType({"bash": _BASH, "zsh": _ZSH, "fish": _FISH})
"""Shell to script."""
