"""The command line: arguments, progress, what is printed, exit codes.

Belongs here: launching the job, how a terminal answers, how tables look. A command is one file in
`commands`. Must not be put here: work that a room below can do without a terminal.
"""
