"""Time: when a thing is due, and that it happens once; not what is said, nor which wording is best."""
