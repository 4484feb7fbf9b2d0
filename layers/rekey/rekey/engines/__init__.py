"""One module an engine, each loaded only when it is asked for."""
