"""The rules, and what they look for.

Runs with any Python >= 3.8 and the standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wrappers import SHELLS, words_of

RULES = (
    "delete-tree",
    "outside-write",
    "leave-workspace",
    "git-discard",
    "force-push",
    "permissions",
    "disk",
    "remote-code",
    "sudo",
    "power",
    "fork-bomb",
)
MAX_DEPTH = 8
FETCHERS = words_of("curl wget fetch aria2c")
INTERPRETERS = SHELLS | words_of("python python2 python3 perl ruby node php source . eval trap")
DISK_PROGRAMS = re.compile(r"mkfs(\..*)?|mke2fs|mkswap|fdisk|sfdisk|parted|wipefs|blkdiscard")
DEVICE = re.compile(r"/dev/(sd|hd|vd|xvd|nvme|mmcblk|disk|mapper/|md|loop)\w*")
FORK_BOMB = re.compile(r"([\w:.]+)\s*\(\)\s*\{[^}]*?\1\s*\|\s*\1\s*&")
POWER = words_of("shutdown reboot halt poweroff")


@dataclass(frozen=True)
class Finding:
    """Why a command is refused.

    Attributes:
        rule: One of `RULES`.
        reason: The end of the sentence "refused: …".
    """

    rule: str
    reason: str
