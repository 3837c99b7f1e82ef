"""OAuth 2 and OpenID Connect: the address where people let an application act for them, and those that it calls."""
