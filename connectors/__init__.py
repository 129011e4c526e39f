"""Platforms: one file each behind the small interface of `connectors.base`; no campaigns, database, schedule or policy."""
