"""The schema's history: expand, backfill, contract; never edited once it has shipped."""
