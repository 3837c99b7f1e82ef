"""Who may see an image: the permission compiler.

Images hang in scopes, people are members of scopes, and what a viewer sees is the union. Words: *scope*, *membership*,
*role*, *placement*, *viewer*, *embargo*, *withdrawal*. Everything that lists, counts or serves goes through
`queries.visible_images`. Does not own what scopes are for: provenance, collections, archives and studies write them.
"""
