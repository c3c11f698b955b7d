"""Invoicing: drafts become invoices, in closing order, numbered, hashed and chained.

Belongs here: which drafts are due, and the documents. Must not be put here: usage and prices (dbt
makes the drafts), reading or writing the lake. All modules here are pure.
"""
