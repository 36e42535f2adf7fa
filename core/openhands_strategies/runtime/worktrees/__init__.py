"""Tasks in git worktrees of their own, and the changes of one of them applied."""
