"""Catalogue: products, SKUs, barcodes, prices."""
