"""Formats of documents: one module a format, called `format_<number>`.

Its `document` makes the document of an invoice from rows of the lake, as that format lays it out.
A format that has shipped is never changed, because documents of it are verified by its module. For
another layout, add a module of the next number; `documents.FORMAT` is then the new one.
"""
