"""Downloads: what somebody takes away, settled when they ask for it.

Owns the frozen lists of downloads (`toolkit.zips.frozen`): which files, their sizes and checksums, where each lies in
the ZIP, and the spreadsheet, attribution and licences beside them; who asked, and until when it may be fetched. Words:
*download*, *frozen list*, *member*. Does not own which images are found (`search`) nor who sees them (`access`): it
asks when it freezes, and again whenever bytes are asked for. A subject of its own and no part of `search`, which keeps
nothing of what it finds: a download has an owner, an end, and a list that outlives the moment. The one file with the
public metadata of all images is here, too: what everybody may take away, made anew when it changes.
"""
