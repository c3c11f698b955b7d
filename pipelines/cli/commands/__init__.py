"""Commands: a module here that defines `command` is `meterline <its name>`.

Belongs here: a command's options, what it asks for, what it answers. Modules are imported at every
start, so that help can list them: they import whatever is heavy inside `command`.
"""
