"""Orders: one order for all channels, its money and its states."""
