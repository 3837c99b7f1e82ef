"""How items are shown: rules of hanging protocols and view content, and pictures of panels.

Pure: `protocols` judges the panels of a viewer, `contents` what goes into each, `bindings` keys and commands,
`addresses` how a viewer elsewhere is opened; `layouts` says where panels are, `arranging` what is shown where nothing
is said, `pictures` draws. Words and rules are Grand Challenge's, so that its protocols work.
"""
