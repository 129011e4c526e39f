"""What is said, whether it may be, and what is best; no vendor's SDK, SQL or timer."""
