"""The plugin that bench/compare measures with."""
