"""Images come from another archive that speaks the ISIC Archive's language: asked for politely, received as uploads.

`host` and `connections` speak to the other machine and believe nothing of what it says; `staging` keeps what came until
it is delivered, so that a run that was cut goes on; `bringing` is the story, `describing` its second half, `verdicts`
its end.
"""
