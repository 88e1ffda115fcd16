"""What every feature stands on, without one business word: transactions, errors, outbox, clock, HTTP."""
