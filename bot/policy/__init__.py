"""What may be said: the platforms' rules and our own as code, each with an id, a source and words; never a score."""
