"""Who somebody is.

Owns users (an e-mail address is the name), API tokens and what e-mail confirmation needs. Words: *user*, *staff*,
*token*, *scope of a token* (read, write). Does not own what a person may see: that is `access`.
"""
