"""What lies beside `strategy.py`: skills, commands, hooks, agents and MCP servers."""
