"""The catalog's tables: one module a CSV file.

A module declares the columns of its file in a row class, holds the rules whose problems are found
in that file, and ties both together as `TABLE`: key, references, rules. To add a file to the
catalog, add its module; it is found by its name. What every table has in common is in
`catalog.table`.
"""
