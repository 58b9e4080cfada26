"""A plugin whose steps soil their process, and look at what they find in it."""
