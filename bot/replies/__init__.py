"""What people say to us and what we say back: intents, stop words, triage; answers are stored text, never invented."""
