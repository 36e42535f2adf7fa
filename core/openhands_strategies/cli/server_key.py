"""A server's secret key: made once, and kept where the user's other files are."""

from __future__ import annotations

import os
import secrets
from typing import Final

from openhands_strategies.errors import StrategyError
from openhands_strategies.project.home import Home

_FILE: Final = "server.key"


def give_secret_key(home: Home) -> None:
    """Set `OH_SECRET_KEY`, unless the agent-server has a key already.

    Without one it encrypts no model key that it stores, and a restarted run cannot go on.
    It reads its configuration once, so this comes first.

    Args:
        home: Where the key is kept, readable for the user alone.

    Raises:
        StrategyError: `server_key` when that file cannot be used.
    """
    from openhands.agent_server.config import load_config

    try:
        if load_config().secret_key is not None:
            return
    except ValueError:
        # Upstream says itself what is wrong with its configuration.
        return
    path = home.path / _FILE
    try:
        home.path.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            key = path.read_text(encoding="ascii").strip()
        else:
            key = secrets.token_urlsafe(32)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{key}\n")
    except (OSError, ValueError) as error:
        raise StrategyError(
            "server_key",
            f"{path} cannot be used: {error}",
            "set OH_SECRET_KEY, or make that file readable for you alone",
        ) from error
    os.environ["OH_SECRET_KEY"] = key
