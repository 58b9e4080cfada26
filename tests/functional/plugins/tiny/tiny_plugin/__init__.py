"""A plugin for tests that needs nothing but Python."""
