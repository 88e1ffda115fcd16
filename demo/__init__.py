"""The demo chain: a small Japanese retailer, made from public data.

``data/`` holds the prepared files, ``prepare`` makes them, ``load`` brings
them in, ``day`` replays a day of trade. Both talk to a running server
through its public HTTP API and know nothing else of it.
"""
