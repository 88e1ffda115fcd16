"""ARTS POSLog: the retail trade's XML journal of a till, as NCR and others write it."""
