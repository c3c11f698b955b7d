"""Billing periods: the calendar that bills, as pure functions of typed frames.

Belongs here: zones and local clocks, rhythms and their boundaries, open time, periods, days and
shares of days. Must not be put here: how a catalog is read, or what a period costs.
"""
