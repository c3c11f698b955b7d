"""The command line: arguments, progress, what is printed, exit codes.

Belongs here: one module a command, and how tables look. Must not be put here: work that a room
below can do without a terminal.
"""
