"""Pages on how items are shown: hanging protocols, viewer configurations, presets, look-up tables, viewers."""
