"""The generic CSV: for tills that can export a table and nothing else."""
