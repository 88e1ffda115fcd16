"""Vendor formats: files and messages of tills, read into the canonical sale of the API contract.

One folder per vendor, each with a pure `parse`: no database, no clock. What a file says is given as `Parsed` or
`Rejected`; only a file that is no such file at all raises `FileInvalid`.
"""
