"""How the demo's data files are made from the public data sets.

Used by ``demo.prepare`` once, by a maintainer; loading the demo never
comes here. Every choice is derived from the source's own codes, so that
the same input gives the same files.
"""
