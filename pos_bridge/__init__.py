"""What the tills did: vendor formats, the inbox, posting, day close."""
