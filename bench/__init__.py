"""Speed and memory, measured beside raw PostgreSQL in the same run. Run by `make bench`; never asserted in tests."""
