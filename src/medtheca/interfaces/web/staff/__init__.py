"""The staff's tools: each says first what it would change. For everybody else there is nothing here."""
