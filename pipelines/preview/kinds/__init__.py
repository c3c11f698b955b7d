"""The kinds of cases, one module each. A module defines `KIND`, and nothing else lists it."""
