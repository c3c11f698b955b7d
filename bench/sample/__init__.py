"""The embedded sample: a real web log, and the script that makes the landing from it."""
