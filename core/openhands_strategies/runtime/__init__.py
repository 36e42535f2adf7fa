"""Loading, building and running strategies on the SDK (imports `openhands`)."""
