"""Programs around the product: set-up, running it, testing it. Nothing in app/, bopis/ or pos_bridge/ imports them."""
