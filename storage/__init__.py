"""Memory: the tables, the questions asked of them, and their migrations; no platform, clock, policy or HTTP."""
