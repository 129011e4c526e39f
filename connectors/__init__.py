"""Platforms: one file each behind the interface of `connectors.base`; no campaigns, database, schedule or policy."""
