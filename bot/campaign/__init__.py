"""The campaign file: what an owner wants said, where, when and to what end; no platform, database or schedule here."""
