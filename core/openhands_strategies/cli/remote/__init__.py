"""Runs on an agent-server elsewhere: started, followed and reported over HTTP alone.

Nothing of a strategy is loaded here, and the SDK is never imported: the agents work on
the server.
"""
