"""Who somebody is, and who acts for them.

Owns users (an e-mail address is the name), API tokens, applications with the codes and tokens by which they act for
people (OAuth 2), and what e-mail confirmation needs. Words: *user*, *staff*, *token*, *scope of a token*,
*application*, *connection* (that somebody lets an application act). Does not own what a person may see: that is
`access`.
"""
