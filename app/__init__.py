"""The kernel: everything both channels share. It never imports `bopis` or `pos_bridge`."""
