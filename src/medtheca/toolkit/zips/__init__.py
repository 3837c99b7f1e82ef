"""Stored ZIPs whose every byte is known from names, sizes and checksums, and the frozen lists that they are made of."""
